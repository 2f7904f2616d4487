"""Action items: added and changed by a meeting's convener, done by their owners, seen by all who see the meeting."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from psycopg import sql

from app.access.desk import Desk
from app.core.ids import uuid7
from app.core.problems import CONFLICT, FORBIDDEN, PRECONDITION_FAILED, Problem, not_found
from app.core.validation import validated
from app.domain.meetings.action_shapes import MeetingAction, MeetingActionIn, MeetingActionPatch
from app.domain.meetings.participants import require_taking_part
from app.domain.meetings.shapes import Meeting
from app.models.vocabularies import MeetingActionState, MeetingState

NOUN: Final = "meeting-actions"

Due = tuple[date, UUID]
"""Day and id of the last item shown; what follows is due later."""
_FIRST: Final[Due] = (date.min, UUID(int=0))

_COLUMNS = sql.SQL(", ").join(
    [
        *(sql.Identifier("a", name) for name in MeetingAction.model_fields if name != "meeting_reference"),
        sql.SQL("m.reference AS meeting_reference"),
    ]
)
_ONE = sql.SQL(
    "SELECT {} FROM meeting_actions a JOIN meetings m ON m.id = a.meeting_id"
    " WHERE a.meeting_id = %(meeting)s AND a.id = %(id)s"
).format(_COLUMNS)
_VERSION = sql.SQL(
    "SELECT {} FROM meeting_action_versions a JOIN meetings m ON m.id = a.meeting_id"
    " WHERE a.meeting_id = %(meeting)s AND a.id = %(id)s AND a.version = %(version)s"
).format(_COLUMNS)
_PAGE = sql.SQL(
    "SELECT {} FROM meeting_actions a JOIN meetings m ON m.id = a.meeting_id"
    " WHERE (a.due_on, a.id) > (%(due)s, %(last)s)"
    " AND (%(meeting)s::uuid IS NULL OR a.meeting_id = %(meeting)s)"
    " AND (%(owner)s::text IS NULL OR a.owner = %(owner)s)"
    " AND (%(state)s::text IS NULL OR a.state = %(state)s)"
    " AND (%(overdue)s::boolean IS NULL OR (a.state = 'open' AND a.due_on < utc_today()) = %(overdue)s)"
    " ORDER BY a.due_on, a.id LIMIT %(limit)s"
).format(_COLUMNS)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list of action items is narrowed by; None narrows nothing."""

    meeting: UUID | None = None
    owner: str | None = None
    state: MeetingActionState | None = None
    overdue: bool | None = None
    """Open, and its day has passed."""


def _action(row: Any) -> MeetingAction:  # noqa: ANN401 - a row of _COLUMNS
    return MeetingAction.model_validate(row._asdict())


async def listed(desk: Desk, wanted: Wanted, after: Due | None, limit: int) -> Sequence[MeetingAction]:
    """Action items of meetings that the caller sees, what is due first first."""
    due, last = after or _FIRST
    rows = await desk.rows(
        _PAGE,
        meeting=wanted.meeting,
        owner=wanted.owner,
        state=wanted.state,
        overdue=wanted.overdue,
        due=due,
        last=last,
        limit=limit,
    )
    return [_action(row) for row in rows]


async def fetch(desk: Desk, meeting: Meeting, action_id: UUID | None) -> MeetingAction:
    """An action item of the meeting; 404 if there is none."""
    rows = await desk.rows(_ONE, meeting=meeting.id, id=action_id)
    if not rows:
        raise not_found()
    return _action(rows[0])


async def version(desk: Desk, meeting: Meeting, action_id: UUID | None, number: int) -> MeetingAction:
    """One version of an action item of the meeting; 404 if there is none."""
    rows = await desk.rows(_VERSION, meeting=meeting.id, id=action_id, version=number)
    if not rows:
        raise not_found()
    return _action(rows[0])


async def add(desk: Desk, meeting: Meeting, sent: MeetingActionIn) -> MeetingAction:
    """Add an item to the caller's meeting; 422 for an owner that takes no part, 409 for a draft or a cancelled one."""
    await require_taking_part(desk, meeting.participants, {"/owner": sent.owner})
    if meeting.state not in (MeetingState.CALLED, MeetingState.HELD):
        raise Problem(CONFLICT, detail=f"Items belong to what was called or held: the meeting is {meeting.state}.")
    action_id = uuid7()
    row = await desk.call_one(
        "add_meeting_action",
        p_id=action_id,
        p_meeting=meeting.id,
        p_text=sent.text,
        p_owner=sent.owner,
        p_due_on=sent.due_on,
    )
    if row[0] != "added":
        raise Problem(CONFLICT, detail="The meeting has just changed. Read it again.")
    return await fetch(desk, meeting, action_id)


async def patch(desk: Desk, meeting: Meeting, action: MeetingAction, sent: MeetingActionPatch) -> MeetingAction:
    """Apply a merge patch; the item as it stands if nothing differs. 422 if it would not be right, 409 once closed."""
    before = action.model_dump(mode="json", include=set(MeetingActionIn.model_fields))
    content = validated(MeetingActionIn, sent.merged(before))
    if content.owner != action.owner:
        await require_taking_part(desk, meeting.participants, {"/owner": content.owner})
    _require_state(action, is_open=True)
    if content.model_dump(mode="json") == before:
        return action
    row = await desk.call_one(
        "change_meeting_action",
        p_id=action.id,
        p_meeting=meeting.id,
        p_expected=action.version,
        p_text=content.text,
        p_owner=content.owner,
        p_due_on=content.due_on,
    )
    return await _after(desk, meeting, action, row[0])


def require_owner(desk: Desk, action: MeetingAction) -> None:
    """403 for whoever would report as done what another agency is to do."""
    if action.owner != desk.caller.agency:
        raise Problem(FORBIDDEN, detail="Only the agency that is to do it says that it is done.")


async def complete(desk: Desk, meeting: Meeting, action: MeetingAction, note: str | None) -> MeetingAction:
    """Say that the caller's own item is done; 409 unless it is open."""
    _require_state(action, is_open=True)
    return await _move(desk, meeting, action, MeetingActionState.DONE, note)


async def drop(desk: Desk, meeting: Meeting, action: MeetingAction, reason: str) -> MeetingAction:
    """Drop an item of the caller's meeting; 409 unless it is open."""
    _require_state(action, is_open=True)
    return await _move(desk, meeting, action, MeetingActionState.DROPPED, reason)


async def reopen(desk: Desk, meeting: Meeting, action: MeetingAction, reason: str) -> MeetingAction:
    """Open an item of the caller's meeting again; 409 while it is open."""
    _require_state(action, is_open=False)
    return await _move(desk, meeting, action, MeetingActionState.OPEN, reason)


def _require_state(action: MeetingAction, *, is_open: bool) -> None:
    if (action.state is MeetingActionState.OPEN) is not is_open:
        raise Problem(CONFLICT, detail=f"That does not go with its state: the item is {action.state}.")


async def _move(
    desk: Desk, meeting: Meeting, action: MeetingAction, state: MeetingActionState, note: str | None
) -> MeetingAction:
    row = await desk.call_one(
        "move_meeting_action",
        p_id=action.id,
        p_meeting=meeting.id,
        p_expected=action.version,
        p_state=state.value,
        p_note=note,
    )
    return await _after(desk, meeting, action, row[0])


async def _after(desk: Desk, meeting: Meeting, action: MeetingAction, outcome: str) -> MeetingAction:
    if outcome == "stale":
        raise Problem(PRECONDITION_FAILED)
    return await fetch(desk, meeting, action.id)
