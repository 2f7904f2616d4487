"""`/v1/meetings/{id}/actions`: who is to do what after a meeting; `/v1/meetings/actions`: the same of all meetings."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, Strict

from app.access.desk import Desk
from app.core.codes import AgencyCode
from app.core.ids import parse_uuid
from app.domain.meetings import actions
from app.domain.meetings.action_shapes import (
    MeetingAction,
    MeetingActionDone,
    MeetingActionIn,
    MeetingActionPatch,
    MeetingActionReason,
)
from app.domain.meetings.meetings import MEETINGS
from app.domain.meetings.shapes import Meeting
from app.models.vocabularies import MeetingActionState
from app.routers.meetings import PATCHES, Reading, Writing, fetch, fetch_own
from app.web import answers, calls
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import open_cursor, seal_cursor
from app.web.state import house

everywhere = APIRouter(prefix="/v1/meetings/actions", tags=["Meetings"])
router = APIRouter(prefix="/v1/meetings/{meeting_id}/actions", tags=["Meetings"])


class MeetingActionFilters(Paging):
    """What a list of action items can be narrowed by; several filters narrow together."""

    owner: AgencyCode | None = Field(None, description="What this agency is to do; name your own for your to-do list.")
    state: MeetingActionState | None = Field(None, description="How far they have come.")
    overdue: Annotated[bool, Strict(strict=False)] | None = Field(
        None, description="`true`: only what is open although its day has passed, in UTC; `false`: only the rest."
    )


@everywhere.get(
    "",
    summary="List action items of all meetings",
    operation_id="list_action_items",
    **operation(page_of(MeetingAction), csv=True, etag=False),
)
async def list_everywhere(
    request: Request, desk: Reading, filters: Annotated[MeetingActionFilters, Query()]
) -> Response:
    """List what is to be done after all meetings that you see, what is due first first.

    `?owner=<your agency>&state=open` is what your agency still has to do.
    """
    return await _page(request, desk, None, filters)


@router.get(
    "",
    summary="List a meeting's action items",
    operation_id="list_meeting_actions",
    **operation(page_of(MeetingAction), csv=True, etag=False),
)
async def list_actions(
    request: Request, desk: Reading, meeting_id: str, filters: Annotated[MeetingActionFilters, Query()]
) -> Response:
    """List who is to do what after a meeting, what is due first first."""
    return await _page(request, desk, await fetch(request, desk, meeting_id), filters)


@router.post(
    "",
    summary="Add an action item",
    operation_id="add_meeting_action",
    **operation(MeetingAction, status=201, body=MeetingActionIn, once=True, problems=("conflict",)),
)
async def add_action(request: Request, desk: Writing, meeting_id: str) -> Response:
    """Add what your agency or one that takes part is to do after your agency's meeting. All who see it are told."""
    meeting = await fetch_own(request, desk, meeting_id)

    async def act() -> calls.Made:
        made = await actions.add(desk, meeting, await calls.read_body(request, MeetingActionIn))
        return _made(made, 201, f"{request.url.path}/{made.id}")

    return await calls.once(request, desk, _replay(desk, meeting), act)


@router.get(
    "/{action_id}",
    summary="Read an action item",
    operation_id="read_meeting_action",
    **operation(MeetingAction),
)
async def read_action(request: Request, desk: Reading, meeting_id: str, action_id: str) -> Response:
    """Read an action item of a meeting that you see."""
    meeting = await fetch(request, desk, meeting_id)
    action = await actions.fetch(desk, meeting, parse_uuid(action_id))
    await MEETINGS.note_read(desk, "meeting.read_action", [meeting.id], {"action": str(action.id)})
    return answers.model(request, action, action.version)


@router.patch(
    "/{action_id}",
    summary="Change an action item",
    operation_id="change_meeting_action",
    **operation(MeetingAction, body=MeetingActionPatch, types=PATCHES, match=True, problems=("conflict",)),
)
async def change_action(request: Request, desk: Writing, meeting_id: str, action_id: str) -> Response:
    """Change text, owner or day of an open item of your agency's meeting."""
    meeting = await fetch_own(request, desk, meeting_id)
    action = await actions.fetch(desk, meeting, parse_uuid(action_id))
    calls.require_match(request, action.version)
    changed = await actions.patch(desk, meeting, action, await calls.read_patch(request, MeetingActionPatch))
    return answers.model(request, changed, changed.version)


@router.post(
    "/{action_id}/complete",
    summary="Say that an action item is done",
    operation_id="complete_meeting_action",
    **operation(MeetingAction, body=MeetingActionDone, match=True, once=True, problems=("conflict",)),
)
async def complete_action(request: Request, desk: Writing, meeting_id: str, action_id: str) -> Response:
    """Say that your agency has done what it was to do. Nobody else says so for it."""
    meeting = await fetch(request, desk, meeting_id)
    action = await actions.fetch(desk, meeting, parse_uuid(action_id))
    actions.require_owner(desk, action)

    async def move() -> MeetingAction:
        sent = await calls.read_body(request, MeetingActionDone)
        return await actions.complete(desk, meeting, action, sent.note)

    return await _once(request, desk, meeting, action, move)


@router.post(
    "/{action_id}/drop",
    summary="Drop an action item",
    operation_id="drop_meeting_action",
    **operation(MeetingAction, body=MeetingActionReason, match=True, once=True, problems=("conflict",)),
)
async def drop_action(request: Request, desk: Writing, meeting_id: str, action_id: str) -> Response:
    """Drop an open item of your agency's meeting: nobody is to do it any more."""
    meeting = await fetch_own(request, desk, meeting_id)
    action = await actions.fetch(desk, meeting, parse_uuid(action_id))

    async def move() -> MeetingAction:
        sent = await calls.read_body(request, MeetingActionReason)
        return await actions.drop(desk, meeting, action, sent.reason)

    return await _once(request, desk, meeting, action, move)


@router.post(
    "/{action_id}/reopen",
    summary="Open an action item again",
    operation_id="reopen_meeting_action",
    **operation(MeetingAction, body=MeetingActionReason, match=True, once=True, problems=("conflict",)),
)
async def reopen_action(request: Request, desk: Writing, meeting_id: str, action_id: str) -> Response:
    """Open an item of your agency's meeting again that was done or dropped."""
    meeting = await fetch_own(request, desk, meeting_id)
    action = await actions.fetch(desk, meeting, parse_uuid(action_id))

    async def move() -> MeetingAction:
        sent = await calls.read_body(request, MeetingActionReason)
        return await actions.reopen(desk, meeting, action, sent.reason)

    return await _once(request, desk, meeting, action, move)


async def _page(request: Request, desk: Desk, meeting: Meeting | None, filters: MeetingActionFilters) -> Response:
    cursors, path = house(request).cursors, request.url.path
    narrowed = filters.model_dump(mode="json", include={"owner", "state", "overdue"})
    place = open_cursor(cursors, path, narrowed, filters.cursor)
    after = None if place is None else (date.fromisoformat(place["due"]), UUID(place["id"]))
    wanted = actions.Wanted(meeting.id if meeting else None, filters.owner, filters.state, filters.overdue)
    found = await actions.listed(desk, wanted, after, filters.limit + 1)
    shown = found[: filters.limit]
    seen = [meeting.id] if meeting else list(dict.fromkeys(action.meeting_id for action in shown))
    await MEETINGS.note_read(desk, "meeting.list_actions", seen)
    cursor = None
    if len(found) > filters.limit:
        reached = {"due": shown[-1].due_on.isoformat(), "id": str(shown[-1].id)}
        cursor = seal_cursor(cursors, path, narrowed, reached)
    return answers.listing_of(request, shown, cursor)


async def _once(
    request: Request, desk: Desk, meeting: Meeting, action: MeetingAction, move: Callable[[], Awaitable[MeetingAction]]
) -> Response:
    async def act() -> calls.Made:
        calls.require_match(request, action.version)
        return _made(await move())

    return await calls.once(request, desk, _replay(desk, meeting), act)


def _made(action: MeetingAction, status: int = 200, location: str | None = None) -> calls.Made:
    return calls.Made(actions.NOUN, str(action.id), action.version, action.model_dump_json(), status, location)


def _replay(desk: Desk, meeting: Meeting) -> calls.Replay:
    async def replay(kept: calls.Kept) -> str:
        return (await actions.version(desk, meeting, parse_uuid(kept.resource_id), kept.version)).model_dump_json()

    return replay
