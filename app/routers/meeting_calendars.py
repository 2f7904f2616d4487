"""`/v1/meetings/calendar`: meetings as a calendar, with a token or at a secret address."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Request, Response

from app.access.calendars import open_calendar_desk
from app.access.desk import Desk
from app.core.ids import parse_uuid
from app.domain.meetings import calendars
from app.domain.meetings.calendars import CalendarAddress, ICalendar
from app.domain.meetings.meetings import MEETINGS
from app.domain.meetings.shapes import Meeting
from app.identity.roles import Permission
from app.routers.meetings import Reading
from app.web import calls
from app.web.callers import Door, desk_behind, through_door
from app.web.openapi import operation
from app.web.state import house

router = APIRouter(prefix="/v1/meetings/calendar", tags=["Meetings"])

CALENDAR = "text/calendar"


@router.get(
    "",
    summary="Read meetings as a calendar",
    operation_id="read_meeting_calendar",
    **operation(ICalendar, media_type=CALENDAR, etag=False),
)
async def read_calendar(request: Request, door: Annotated[Door, through_door(Permission.MEETINGS_READ)]) -> Response:
    """Read the meetings that you see as a calendar (iCalendar, RFC 5545).

    It holds what has not ended more than a year ago, the 300 meetings nearest to now where there are more. A draft is
    tentative, a cancelled meeting stands there as cancelled. Minutes, decisions and links are not in it.
    """
    async with desk_behind(request, door) as desk:
        shown = await _shown(desk)
    return await _calendar(request, shown, desk.caller.agency)


@router.post(
    "",
    summary="Make an address for a calendar program",
    operation_id="make_calendar_address",
    **operation(CalendarAddress, status=201, once=True),
)
async def make_address(request: Request, desk: Reading) -> Response:
    """Make a secret address at which a calendar program, which cannot fetch tokens, reads your credential's calendar.

    The address is shown in this answer only; whoever knows it reads the calendar. It takes the place of the one that
    the credential had. At every read it opens what the credential may read then, from the networks it is allowed. It
    ends with the credential, and when that gets another secret or key, or its agency's tokens are ended.
    """

    async def replay(kept: calls.Kept) -> str:
        return (await calendars.address(desk, parse_uuid(kept.resource_id))).model_dump_json()

    async def act() -> calls.Made:
        made = await calendars.make_address(desk, house(request).settings.public_url)
        return calls.Made(calendars.NOUN, str(made.id), 1, made.model_dump_json(), 201, request.url.path)

    return await calls.once(request, desk, replay, act)


@router.delete(
    "",
    summary="End your calendar's address",
    operation_id="end_calendar_address",
    **operation(status=204, problems=("not-found",)),
)
async def end_address(desk: Reading) -> Response:
    """End the secret address of your credential's calendar; 404 if it has none."""
    await calendars.end_address(desk)
    return Response(status_code=204)


@router.get(
    "/{address}.ics",
    summary="Read a calendar at its address",
    operation_id="read_calendar_at_address",
    **operation(ICalendar, media_type=CALENDAR, etag=False, problems=("unavailable",)),
)
async def read_at_address(request: Request, address: str) -> Response:
    """Read a credential's calendar without a token, at the address that it made for that.

    An address that opens nothing any more answers 404, like one that never was.
    """
    database, peer = house(request).database, request.state.peer
    async with open_calendar_desk(database, address, peer=peer, request_id=request.state.request_id) as desk:
        request.state.caller = desk.caller
        shown = await _shown(desk)
    return await _calendar(request, shown, desk.caller.agency)


async def _shown(desk: Desk) -> Sequence[Meeting]:
    shown = await calendars.shown(desk)
    await MEETINGS.note_read(desk, "meeting.read_calendar", [meeting.id for meeting in shown])
    return shown


async def _calendar(request: Request, shown: Sequence[Meeting], agency: str) -> Response:
    """Written once the transaction has ended, and beside the calls of others, for which it would take too long."""
    content = await asyncio.to_thread(calendars.rendered, shown, agency, house(request).settings.public_url)
    return Response(content, media_type=CALENDAR)
