"""What meetings are about: pointers to records and agreements. Whoever does not see both ends sees no pointer.

They change neither version nor ETag of the meeting: who may not know the other end would learn of it.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg import sql

from app.access.desk import Desk
from app.core.ids import uuid7
from app.core.places import NEWEST, Place
from app.core.problems import CONFLICT, PRECONDITION_FAILED, Problem, not_found
from app.domain.meetings.shapes import Meeting, MeetingLink, MeetingLinkIn
from app.records.references import unknown_reference

_SELECT = (
    "SELECT id AS link_id, kind, target_id AS id, note, created_at FROM meeting_links WHERE meeting_id = %(meeting)s"
)
_ONE = sql.SQL(f"{_SELECT} AND id = %(id)s")
_PAGE = sql.SQL(
    f"{_SELECT} AND (created_at, id) < (%(at)s, %(last)s)"
    " ORDER BY created_at DESC, meeting_links.id DESC LIMIT %(limit)s"
)


def _link(row: Any) -> MeetingLink:  # noqa: ANN401 - a row of one of the above
    return MeetingLink.model_validate(row._asdict())


async def listed(desk: Desk, meeting: Meeting, after: Place | None, limit: int) -> Sequence[MeetingLink]:
    """What the meeting is about, as far as the caller sees it, newest first."""
    at, last = after or NEWEST
    return [_link(row) for row in await desk.rows(_PAGE, meeting=meeting.id, at=at, last=last, limit=limit)]


async def one(desk: Desk, meeting: Meeting, link_id: UUID | None) -> MeetingLink:
    """A pointer of the meeting; 404 if there is none of which the caller sees both ends."""
    rows = await desk.rows(_ONE, meeting=meeting.id, id=link_id)
    if not rows:
        raise not_found()
    return _link(rows[0])


async def add(desk: Desk, meeting: Meeting, sent: MeetingLinkIn, pointer: str = "/id") -> MeetingLink:
    """Point to what the caller sees; 422 for what it does not, whether or not there is any, 409 if it points there.

    `pointer` is where its id stands in the body.
    """
    link_id = uuid7()
    row = await desk.call_one(
        "add_meeting_link",
        p_id=link_id,
        p_meeting=meeting.id,
        p_kind=sent.kind.value,
        p_target=sent.id,
        p_note=sent.note,
    )
    if row[0] == "unknown":
        raise unknown_reference(pointer)
    if row[0] == "linked":
        raise Problem(CONFLICT, detail="The meeting points there already.")
    if row[0] != "added":
        raise Problem(PRECONDITION_FAILED)
    return await one(desk, meeting, link_id)


async def add_sent(desk: Desk, meeting: Meeting, sent: Sequence[MeetingLinkIn]) -> None:
    """Add the links of a body, which stand there in `links`: all of them or none."""
    for number, link in enumerate(sent):
        await add(desk, meeting, link, f"/links/{number}/id")


async def remove(desk: Desk, meeting: Meeting, link: MeetingLink) -> None:
    """Take a pointer of the caller's own meeting back."""
    row = await desk.call_one("remove_meeting_link", p_id=link.link_id, p_meeting=meeting.id)
    if row[0] != "removed":
        raise not_found()
