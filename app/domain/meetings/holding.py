"""From draft to minutes: a meeting is called, held or cancelled, by its convener alone."""

from psycopg.types.json import Jsonb

from app.access.desk import Desk
from app.core.problems import CONFLICT, PRECONDITION_FAILED, Problem
from app.domain.meetings.meetings import MEETINGS
from app.domain.meetings.participants import check_agreed
from app.domain.meetings.shapes import Meeting, MeetingOutcome
from app.models.vocabularies import MeetingState


async def call(desk: Desk, meeting: Meeting) -> Meeting:
    """Show a draft to those who are to take part; 409 if that is done already, or if nobody is to."""
    if meeting.state is not MeetingState.DRAFT:
        raise Problem(CONFLICT, detail=f"Only a draft is called: the meeting is {meeting.state}.")
    if not meeting.participants.agencies and not meeting.participants.groups:
        raise Problem(CONFLICT, detail="Nobody is to take part: name agencies or groups in `participants` first.")
    return await _move(desk, meeting, "call_meeting")


async def hold(desk: Desk, meeting: Meeting, sent: MeetingOutcome) -> Meeting:
    """Note that a meeting was held, and what came of it; 409 unless it was called, 422 for who did not take part."""
    await check_agreed(desk, meeting.participants, sent.decisions)
    if meeting.state is not MeetingState.CALLED:
        raise Problem(CONFLICT, detail=f"Only a meeting that was called is held: it is {meeting.state}.")
    decisions = [decision.model_dump(mode="json") for decision in sent.decisions]
    return await _move(desk, meeting, "hold_meeting", p_minutes=sent.minutes, p_decisions=Jsonb(decisions))


async def cancel(desk: Desk, meeting: Meeting, reason: str) -> Meeting:
    """Cancel a meeting, or give up a draft; 409 once it was held or cancelled."""
    if meeting.state not in (MeetingState.DRAFT, MeetingState.CALLED):
        raise Problem(CONFLICT, detail=f"It is too late to cancel: the meeting is {meeting.state}.")
    return await _move(desk, meeting, "cancel_meeting", p_reason=reason)


async def _move(desk: Desk, meeting: Meeting, function: str, **arguments: object) -> Meeting:
    row = await desk.call_one(function, p_id=meeting.id, p_expected=meeting.version, **arguments)
    if row[0] == "stale":
        raise Problem(PRECONDITION_FAILED)
    return await MEETINGS.fetch(desk, meeting.id)
