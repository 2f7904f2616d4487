"""Meetings as they are drafted and changed: by their convener, seen by nobody else until it calls them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from app.access import nouns
from app.access.desk import Desk
from app.access.nouns import Noun
from app.core.ids import uuid7
from app.core.places import NEWEST, Place
from app.core.problems import CONFLICT, FORBIDDEN, PRECONDITION_FAILED, Problem
from app.core.validation import validated
from app.domain.meetings.participants import check_heard, check_participants
from app.domain.meetings.shapes import Meeting, MeetingContent, MeetingCreate, MeetingPatch, MeetingText
from app.models.vocabularies import MeetingKind, MeetingState

_CODE: Final = "ME"

# A group is known to those who are in it: others who take part are not shown that there is one.
_PARTICIPANTS = sql.SQL(
    "jsonb_build_object('agencies', n.agencies, 'groups', ARRAY(SELECT g.id FROM unnest(n.groups) WITH ORDINALITY"
    " AS g (id, place) WHERE n.convener = caller_agency() OR in_group(g.id) ORDER BY g.place)) AS participants"
)
_PLAIN = [name for name in Meeting.model_fields if name != "participants"]
_COLUMNS = sql.SQL(", ").join([*(sql.Identifier("n", name) for name in _PLAIN), _PARTICIPANTS])
_ONE = sql.SQL("SELECT {} FROM meetings n WHERE n.id = %(id)s").format(_COLUMNS)
_VERSION = sql.SQL("SELECT {} FROM meeting_versions n WHERE n.id = %(id)s AND n.version = %(version)s").format(_COLUMNS)
# Found under the policy and by the index behind it first, then ordered: never walked past all meetings of the hub. A
# page ends early, as if by its limit, where long minutes would fill the server's memory.
_PAGE = sql.SQL(
    "SELECT {}, n.found FROM (SELECT n.*, count(*) OVER () AS found,"
    " sum(octet_length(n.agenda::text) + octet_length(coalesce(n.minutes, '')) + octet_length(n.decisions::text))"
    " OVER (ORDER BY n.updated_at DESC, n.id DESC ROWS UNBOUNDED PRECEDING EXCLUDE CURRENT ROW) AS before"
    " FROM (SELECT n.* FROM (SELECT * FROM meetings OFFSET 0) n WHERE (n.updated_at, n.id) < (%(at)s, %(last)s)"
    " AND (%(kind)s::text IS NULL OR n.kind = %(kind)s)"
    " AND (%(state)s::text IS NULL OR n.state = %(state)s)"
    " AND (%(participant)s::text IS NULL OR %(participant)s = ANY (n.agencies || n.convener))"
    " AND (%(since)s::timestamptz IS NULL OR n.ends_at > %(since)s)"
    " AND (%(until)s::timestamptz IS NULL OR n.starts_at < %(until)s)"
    " AND (%(about)s::uuid IS NULL"
    " OR EXISTS (SELECT FROM meeting_links l WHERE l.meeting_id = n.id AND l.target_id = %(about)s))"
    " ORDER BY n.updated_at DESC, n.id DESC LIMIT %(limit)s) AS n) AS n"
    " WHERE coalesce(n.before, 0) < %(bytes)s ORDER BY n.updated_at DESC, n.id DESC"
).format(_COLUMNS)
_PAGE_BYTES: Final = 4_000_000
# Without what no calendar shows, which is most of it.
_IN_CALENDAR = sql.SQL(
    "SELECT {}, NULL AS minutes, '[]'::jsonb AS decisions, {},"
    " ARRAY(SELECT i.item - 'note' FROM jsonb_array_elements(n.agenda) WITH ORDINALITY AS i (item, place)"
    " WHERE i.place <= %(points)s ORDER BY i.place) AS agenda"
    " FROM meetings n WHERE n.ends_at > now() - interval '1 year'"
    " ORDER BY abs(extract(epoch FROM n.starts_at - now())), n.id LIMIT %(limit)s"
).format(
    sql.SQL(", ").join(sql.Identifier("n", name) for name in _PLAIN if name not in ("minutes", "decisions", "agenda")),
    _PARTICIPANTS,
)

_OF_A_HELD_ONE: Final = {"participants", "minutes", "decisions"}
_OUTCOME: Final = {"minutes", "decisions"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list of meetings is narrowed by; None narrows nothing."""

    kind: MeetingKind | None = None
    state: MeetingState | None = None
    participant: str | None = None
    """The convener, or an agency that takes part by name."""
    since: datetime | None = None
    until: datetime | None = None
    about: UUID | None = None
    """What a link of the meeting leads to, as far as the caller sees it."""


def _meeting(row: Any) -> Meeting:  # noqa: ANN401 - a row of _COLUMNS
    return Meeting.model_validate({name: getattr(row, name) for name in Meeting.model_fields})


MEETINGS: Final = Noun("meetings", _ONE, _VERSION, _meeting)


async def listed(desk: Desk, wanted: Wanted, after: Place | None, limit: int) -> tuple[Sequence[Meeting], bool]:
    """At most `limit` meetings that the caller sees, newest change first, and whether there are more."""
    at, last = after or NEWEST
    rows = await desk.rows(
        _PAGE,
        kind=wanted.kind,
        state=wanted.state,
        participant=wanted.participant,
        since=wanted.since,
        until=wanted.until,
        about=wanted.about,
        at=at,
        last=last,
        limit=limit + 1,
        bytes=_PAGE_BYTES,
    )
    shown = [_meeting(row) for row in rows[:limit]]
    return shown, bool(rows) and rows[0].found > len(shown)


async def in_calendar(desk: Desk, limit: int, points: int) -> Sequence[Meeting]:
    """What a calendar shows of the meetings that the caller sees: at most `limit`, the nearest to now first.

    Those that ended more than a year ago are left out, of each agenda all but so many points and their notes, and what
    came of the meetings.
    """
    return [_meeting(row) for row in await desk.rows(_IN_CALENDAR, limit=limit, points=points)]


async def draft(desk: Desk, sent: MeetingCreate) -> Meeting:
    """Draft a meeting of the caller's agency, without its links; 422 for who cannot take part or is not to be heard."""
    await check_participants(desk, sent.participants)
    await check_heard(desk, sent)
    meeting_id = uuid7()
    await nouns.number(desk, "create_meeting", "created", _CODE, p_id=meeting_id, p_content=Jsonb(_columns(sent)))
    return await MEETINGS.fetch(desk, meeting_id)


def require_convener(desk: Desk, meeting: Meeting) -> None:
    """403 for an agency that takes part and tries what only the convener may."""
    if meeting.convener != desk.caller.agency:
        raise Problem(FORBIDDEN, detail="Only the agency that calls this meeting may do this.")


async def patch(desk: Desk, meeting: Meeting, sent: MeetingPatch) -> Meeting:
    """Apply a merge patch; the meeting as it stands if nothing differs.

    422 if the whole would not be right, 409 for what cannot be changed in its state.
    """
    before = meeting.model_dump(mode="json", include=set(MeetingText.model_fields))
    text = validated(MeetingText, sent.merged(before))
    await check_participants(desk, text.participants, meeting.participants)
    await check_heard(desk, text, meeting)
    after = text.model_dump(mode="json")
    changed = {name for name in after if after[name] != before[name]}
    _require_changeable(meeting.state, changed)
    if not changed:
        return meeting
    row = await desk.call_one(
        "change_meeting", p_id=meeting.id, p_expected=meeting.version, p_content=Jsonb(_columns(text))
    )
    if row[0] != "changed":
        raise Problem(PRECONDITION_FAILED)
    return await MEETINGS.fetch(desk, meeting.id)


def _require_changeable(state: MeetingState, changed: set[str]) -> None:
    if state is MeetingState.CANCELLED:
        raise Problem(CONFLICT, detail="The meeting was cancelled.")
    if state is MeetingState.HELD and not changed <= _OF_A_HELD_ONE:
        detail = "The meeting was held: its minutes, its decisions and who sees it can be changed, and nothing else."
        raise Problem(CONFLICT, detail=detail)
    if state is not MeetingState.HELD and changed & _OUTCOME:
        raise Problem(CONFLICT, detail="Minutes and decisions come with `hold`, once the meeting was held.")


def _columns(content: MeetingContent) -> dict[str, Any]:
    """What a meeting says, as JSON values by the names of the table's columns."""
    said = content.model_dump(mode="json", include=set(MeetingText.model_fields) - {"participants"})
    return said | content.participants.model_dump(mode="json")
