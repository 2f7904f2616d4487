"""Meetings as a calendar (RFC 5545), and the secret addresses at which programs read it that cannot fetch tokens."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Annotated, Final
from uuid import UUID

from icalendar import Calendar, Event
from pydantic import Field
from typing_extensions import TypeAliasType

from app.access.desk import Desk
from app.core.dates import UtcDateTime
from app.core.ids import uuid7
from app.core.problems import not_found
from app.core.shapes import Shape
from app.domain.meetings.meetings import in_calendar
from app.domain.meetings.shapes import Meeting
from app.identity.secrets import hash_secret, new_calendar_secret
from app.models.vocabularies import MeetingState

NOUN: Final = "calendars"
MEETINGS_MAX: Final = 300
"""How many meetings a calendar holds at most: those nearest to now."""
_POINTS_MAX: Final = 20
"""How many points of an agenda an event names at most."""

_REFRESH: Final = timedelta(minutes=15)
_STATUS: Final = {
    MeetingState.DRAFT: "TENTATIVE",
    MeetingState.CALLED: "CONFIRMED",
    MeetingState.HELD: "CONFIRMED",
    MeetingState.CANCELLED: "CANCELLED",
}

ICalendar = TypeAliasType(
    "ICalendar", Annotated[str, Field(description="A calendar with an event for each meeting (iCalendar, RFC 5545).")]
)


class CalendarAddress(Shape):
    """Where a calendar program reads the meetings that a credential sees, in the one answer that shows it."""

    id: UUID = Field(description="The address's id, as the audit names it.")
    address: str | None = Field(
        description="The secret address. Keep it now: only a hash of it is stored. Null in a repeated call.",
        examples=["https://hub.example/v1/meetings/calendar/idf_….ics"],
    )
    created_at: UtcDateTime = Field(description="When it was made.")


async def make_address(desk: Desk, public_url: str) -> CalendarAddress:
    """Give the calling credential an address, in the place of the one that it had."""
    address_id, secret = uuid7(), new_calendar_secret()
    await desk.call("make_calendar_address", p_id=address_id, p_secret_hash=hash_secret(secret))
    return await address(desk, address_id, f"{public_url}/v1/meetings/calendar/{secret}.ics")


async def address(desk: Desk, address_id: UUID | None, shown: str | None = None) -> CalendarAddress:
    """An address of the calling credential's, without its secret unless that is `shown`; 404 if there is none."""
    rows = await desk.call("calendar_address", p_id=address_id)
    if not rows:
        raise not_found()
    return CalendarAddress(id=rows[0].id, address=shown, created_at=rows[0].created_at)


async def end_address(desk: Desk) -> None:
    """End the calling credential's address; 404 if it has none."""
    row = await desk.call_one("end_calendar_address")
    if not row[0]:
        raise not_found()


async def shown(desk: Desk) -> Sequence[Meeting]:
    """The meetings in the caller's calendar, with what it shows of them."""
    return await in_calendar(desk, MEETINGS_MAX, _POINTS_MAX)


def rendered(meetings: Sequence[Meeting], agency: str, public_url: str) -> bytes:
    """Meetings as an agency's calendar, in UTF-8. It takes a third of a millisecond for each of them."""
    calendar = Calendar()
    calendar.add("prodid", "-//Interdesk//Meetings//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("name", f"Interdesk {agency}")
    calendar.add("x-wr-calname", f"Interdesk {agency}")
    calendar.add("refresh-interval", _REFRESH, parameters={"VALUE": "DURATION"})
    for meeting in meetings:
        calendar.add_component(_event(meeting, public_url))
    return bytes(calendar.to_ical())


def _event(meeting: Meeting, public_url: str) -> Event:
    event = Event()
    event.add("uid", str(meeting.id))
    # What a reader sees of the same event later has a later version, and takes the place of what it has.
    event.add("sequence", meeting.version)
    event.add("dtstamp", meeting.updated_at)
    event.add("created", meeting.created_at)
    event.add("last-modified", meeting.updated_at)
    event.add("dtstart", meeting.starts_at)
    event.add("dtend", meeting.ends_at)
    event.add("summary", meeting.title)
    event.add("description", "\n".join(_lines(meeting)))
    if meeting.place is not None:
        event.add("location", meeting.place)
    event.add("categories", [meeting.kind.value])
    event.add("status", _STATUS[meeting.state])
    event.add("class", "CONFIDENTIAL")
    event.add("url", f"{public_url}/v1/meetings/{meeting.id}")
    return event


def _lines(meeting: Meeting) -> Iterator[str]:
    yield meeting.reference
    yield f"Called by {meeting.convener}, in {meeting.time_zone}"
    if meeting.cancel_reason is not None:
        yield f"Cancelled: {meeting.cancel_reason}"
    if meeting.video_link is not None:
        yield f"Video: {meeting.video_link}"
    for number, item in enumerate(meeting.agenda, 1):
        yield f"{number}. {item.title}" + (f" ({item.presenter})" if item.presenter else "")
