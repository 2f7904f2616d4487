"""The story's meetings: called and held by one agency, and followed up by others, as far as that is not done yet."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from app.access.desk import Desk
from app.core import clock
from app.core.validation import validated
from app.demo import story
from app.demo.convened import Convened
from app.domain.meetings import actions, holding, meetings, pointers
from app.domain.meetings.action_shapes import MeetingActionIn
from app.domain.meetings.meetings import MEETINGS
from app.domain.meetings.shapes import Meeting, MeetingCreate, MeetingLinkIn, MeetingOutcome
from app.models.vocabularies import MeetingActionState

_MANY: Final = 500


async def convene(
    open_desk: Callable[[str | None], AbstractAsyncContextManager[Desk]],
    convened: Convened,
    council: UUID,
    agreements: Mapping[str, UUID],
) -> None:
    """Tell of a meeting, in one transaction of its convener, and of what owners did, in theirs."""
    async with open_desk(convened.agency) as desk:
        if not await _is_told(desk, convened):
            await _meet(desk, convened, council, agreements)
    for task in convened.tasks:
        if task.done is not None:
            async with open_desk(task.owner) as desk:
                await _do(desk, task.text, task.done)


async def _is_told(desk: Desk, convened: Convened) -> bool:
    known, _ = await meetings.listed(desk, meetings.Wanted(participant=convened.agency), None, _MANY)
    return any((one.convener, one.title) == (convened.agency, convened.body["title"]) for one in known)


async def _meet(desk: Desk, convened: Convened, council: UUID, agreements: Mapping[str, UUID]) -> Meeting:
    meeting = await meetings.draft(desk, validated(MeetingCreate, _body(convened, council)))
    if convened.about is not None:
        link = {"kind": "agreements", "id": str(agreements[convened.about])}
        await pointers.add(desk, meeting, validated(MeetingLinkIn, link))
    meeting = await holding.call(desk, meeting)
    if convened.outcome is not None:
        meeting = await holding.hold(desk, meeting, validated(MeetingOutcome, convened.outcome))
    for task in convened.tasks:
        due = (clock.now() + timedelta(days=task.due_in_days)).date()
        item = {"text": task.text, "owner": task.owner, "due_on": due.isoformat()}
        await actions.add(desk, meeting, validated(MeetingActionIn, item))
    return meeting


def _body(convened: Convened, council: UUID) -> dict[str, Any]:
    starts = (clock.now() + convened.starts_in).replace(minute=0, second=0, microsecond=0)
    named = convened.body["participants"]
    groups = [str(council) if group == story.COUNCIL else group for group in named.get("groups", [])]
    return {
        **convened.body,
        "participants": {**named, "groups": groups},
        "starts_at": clock.rfc3339(starts),
        "ends_at": clock.rfc3339(starts + convened.lasts),
    }


async def _do(desk: Desk, text: str, note: str) -> None:
    mine = actions.Wanted(owner=desk.caller.agency, state=MeetingActionState.OPEN)
    for action in await actions.listed(desk, mine, None, _MANY):
        if action.text == text:
            await actions.complete(desk, await MEETINGS.fetch(desk, action.meeting_id), action, note)
