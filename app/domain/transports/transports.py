"""Transports as they are planned, read and changed: by their organizer, seen by those who take part."""

from collections.abc import Mapping, Sequence
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
from app.core.problems import (
    CONFLICT,
    FORBIDDEN,
    NO_SEATS_LEFT,
    PRECONDITION_FAILED,
    Flaw,
    Problem,
    invalid,
)
from app.core.validation import validated
from app.domain.transports.shapes import (
    Transport,
    TransportPatch,
    TransportPlace,
    TransportPlan,
    local_time,
)
from app.models.transport_vocabularies import TransportMode, TransportState
from app.records.references import check_agencies

_CODE: Final = "TR"

_COLUMNS = sql.SQL(", ").join(sql.Identifier("t", name) for name in Transport.model_fields)
_ONE = sql.SQL("SELECT {} FROM transports t WHERE t.id = %(id)s").format(_COLUMNS)
_VERSION = sql.SQL("SELECT {} FROM transport_versions t WHERE t.id = %(id)s AND t.version = %(version)s").format(
    _COLUMNS
)
# Found under the policy and by the index behind it first, then ordered: never walked past all transports of the hub. A
# page ends early, as if by its limit, where long plans would fill the server's memory.
_PAGE = sql.SQL(
    "SELECT {}, t.found FROM (SELECT t.*, count(*) OVER () AS found,"
    " sum(octet_length(t.sections::text) + octet_length(t.permits::text) + octet_length(coalesce(t.note, '')))"
    " OVER (ORDER BY t.updated_at DESC, t.id DESC ROWS UNBOUNDED PRECEDING EXCLUDE CURRENT ROW) AS before"
    " FROM (SELECT t.* FROM (SELECT * FROM transports OFFSET 0) t WHERE (t.updated_at, t.id) < (%(at)s, %(last)s)"
    " AND (%(mode)s::text IS NULL OR t.mode = %(mode)s)"
    " AND (%(state)s::text IS NULL OR t.state = %(state)s)"
    " AND (%(organizer)s::text IS NULL OR t.organizer = %(organizer)s)"
    " AND (%(participant)s::text IS NULL OR %(participant)s = ANY (t.audience))"
    " AND (%(since)s::timestamptz IS NULL OR t.arrives_at > %(since)s)"
    " AND (%(until)s::timestamptz IS NULL OR t.departs_at < %(until)s)"
    " AND (%(reference)s::text IS NULL OR t.reference = %(reference)s)"
    " AND (%(request)s::uuid IS NULL"
    " OR EXISTS (SELECT FROM manifest_entries e WHERE e.transport_id = t.id AND e.record_id = %(request)s))"
    " ORDER BY t.updated_at DESC, t.id DESC LIMIT %(limit)s) AS t) AS t"
    " WHERE coalesce(t.before, 0) < %(bytes)s ORDER BY t.updated_at DESC, t.id DESC"
).format(_COLUMNS)
_PAGE_BYTES: Final = 4_000_000

_FROZEN: Final = frozenset({"carrier", "number", "departure", "arrival", "permits", "note"})
CHANGEABLE: Final[Mapping[TransportState, frozenset[str]]] = {
    TransportState.PLANNED: frozenset(TransportPlan.model_fields),
    TransportState.FROZEN: _FROZEN,
    TransportState.BOARDING: _FROZEN,
    TransportState.DEPARTED: frozenset({"arrival", "note"}),
    TransportState.ARRIVED: frozenset({"note"}),
}
"""What of the plan can be changed in each state; nothing once it is over."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list of transports is narrowed by; None narrows nothing."""

    mode: TransportMode | None = None
    state: TransportState | None = None
    organizer: str | None = None
    participant: str | None = None
    """The organizer, or an agency that takes part."""
    since: datetime | None = None
    until: datetime | None = None
    request: UUID | None = None
    """A request whose people stand on the manifest, as far as the caller sees them."""
    reference: str | None = None


def _transport(row: Any) -> Transport:  # noqa: ANN401 - a row of _COLUMNS
    values = {name: getattr(row, name) for name in Transport.model_fields}
    for stop in ("departure", "arrival"):
        place = TransportPlace.model_validate(values[stop])
        values[stop] = {**place.model_dump(), "local_time": local_time(place.at, place.time_zone)}
    return Transport.model_validate(values)


TRANSPORTS: Final = Noun("transports", _ONE, _VERSION, _transport)


async def listed(desk: Desk, wanted: Wanted, after: Place | None, limit: int) -> tuple[Sequence[Transport], bool]:
    """At most `limit` transports that the caller sees, newest change first, and whether there are more."""
    at, last = after or NEWEST
    rows = await desk.rows(
        _PAGE,
        mode=wanted.mode,
        state=wanted.state,
        organizer=wanted.organizer,
        participant=wanted.participant,
        since=wanted.since,
        until=wanted.until,
        reference=wanted.reference,
        request=wanted.request,
        at=at,
        last=last,
        limit=limit + 1,
        bytes=_PAGE_BYTES,
    )
    shown = [_transport(row) for row in rows[:limit]]
    return shown, bool(rows) and rows[0].found > len(shown)


def require_organizer(desk: Desk, transport: Transport) -> None:
    """403 for an agency that takes part and tries what only the organizer may."""
    if transport.organizer != desk.caller.agency:
        raise Problem(FORBIDDEN, detail="Only the agency that organizes this transport may do this.")


async def plan(desk: Desk, sent: TransportPlan) -> Transport:
    """Plan a transport of the caller's agency; 422 for agencies that are none, or send escorts and take no part."""
    await _check_agencies(desk, sent)
    transport_id = uuid7()
    await nouns.number(desk, "plan_transport", "planned", _CODE, p_id=transport_id, p_content=Jsonb(_columns(sent)))
    return await TRANSPORTS.fetch(desk, transport_id)


async def patch(desk: Desk, transport: Transport, sent: TransportPatch) -> Transport:
    """Apply a merge patch; the transport as it stands if nothing differs.

    422 if the whole would not be right, 409 for what cannot be changed in its state, or would not hold its people.
    """
    before = plan_of(transport).model_dump(mode="json")
    content = validated(TransportPlan, sent.merged(before))
    await _check_agencies(desk, content)
    after = content.model_dump(mode="json")
    changed = {name for name in after if after[name] != before[name]}
    fixed = changed - CHANGEABLE.get(transport.state, frozenset())
    if fixed:
        detail = f"The transport is {transport.state}: {', '.join(sorted(fixed))} cannot be changed any more."
        raise Problem(CONFLICT, detail=detail)
    if not changed:
        return transport
    row = await desk.call_one(
        "change_transport", p_id=transport.id, p_expected=transport.version, p_content=Jsonb(_columns(content))
    )
    if row.outcome == "on-board":
        detail = f"People of {', '.join(row.flaws)} stand on the manifest: take them off before their agency."
        raise Problem(CONFLICT, detail=detail)
    if row.outcome == "overfull":
        raise Problem(NO_SEATS_LEFT, errors=[_overfull(flaw) for flaw in row.flaws])
    if row.outcome != "changed":
        raise Problem(PRECONDITION_FAILED)
    return await TRANSPORTS.fetch(desk, transport.id)


def plan_of(transport: Transport) -> TransportPlan:
    """What the organizer wrote of a transport."""
    fields = transport.model_dump(include=set(TransportPlan.model_fields))
    for stop in ("departure", "arrival"):
        del fields[stop]["local_time"]
    return TransportPlan.model_validate(fields)


def _overfull(flaw: Mapping[str, Any]) -> Flaw:
    pointer = "/seats" if flaw["code"] == "seats" else "/sections"
    where = "on it" if flaw["code"] == "seats" else f"in the section {flaw['section']}"
    return Flaw(pointer, "taken", f"{flaw['taken']} seats are taken {where}, and there would be {flaw['seats']}.")


async def _check_agencies(desk: Desk, content: TransportPlan) -> None:
    own = desk.caller.agency
    if own in content.participants:
        pointer = f"/participants/{content.participants.index(own)}"
        raise invalid(Flaw(pointer, "organizer-listed", "Your agency organizes the transport: leave it out."))
    await check_agencies(desk, content.participants, "/participants")
    detail = "Name the organizer or an agency that takes part in the transport."
    flaws = [
        Flaw(f"/escorts/{place}/agency", "no-participant", detail)
        for place, escort in enumerate(content.escorts)
        if escort.agency != own and escort.agency not in content.participants
    ]
    if flaws:
        raise invalid(*flaws)


def _columns(content: TransportPlan) -> dict[str, Any]:
    """What a transport says, as JSON values by the names of the table's columns."""
    said = content.model_dump(mode="json")
    return {**said, "departs_at": said["departure"]["at"], "arrives_at": said["arrival"]["at"]}
