"""Pointers from record to record. Whoever does not see both ends sees no link, and no trace of one.

Links change neither version nor ETag of the records they join: a reader who may not know one end would learn of it.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import sql
from psycopg.errors import InsufficientPrivilege, UniqueViolation
from psycopg.types.json import Jsonb

from app.access.desk import Desk
from app.access.envelope import LinkIn
from app.core import clock
from app.core.ids import uuid7
from app.core.places import NEWEST, Place
from app.core.problems import CONFLICT, Flaw, Problem, invalid, not_found
from app.models.vocabularies import LinkType, RecordKind
from app.records.references import unknown_reference
from app.records.shelf import Stored, require_current

_ANY: Final = frozenset(RecordKind)
_ORGANIZATIONS, _INCIDENTS = RecordKind.CRIMINAL_ORGANIZATIONS, RecordKind.INCIDENT_REPORTS
_OPERATIONS, _REPATRIATIONS = RecordKind.JOINT_OPERATIONS, RecordKind.REPATRIATION_REQUESTS

ENDS: Final[Mapping[LinkType, Mapping[RecordKind, AbstractSet[RecordKind]]]] = {
    LinkType.COMMITTED_BY: {_INCIDENTS: {_ORGANIZATIONS}},
    LinkType.DUPLICATE_OF: {_ORGANIZATIONS: {_ORGANIZATIONS}, _INCIDENTS: {_INCIDENTS}},
    LinkType.TARGET: {_OPERATIONS: {_ORGANIZATIONS, _INCIDENTS}},
    LinkType.INCIDENT: {_REPATRIATIONS: {_INCIDENTS}},
    LinkType.OPERATION: {_REPATRIATIONS: {_OPERATIONS}},
    LinkType.RELATED_TO: dict.fromkeys(RecordKind, _ANY),
}
"""Where a link of each type starts, and where it may lead from there."""

_INSERT = sql.SQL(
    "INSERT INTO record_links (id, record_id, type, target_id, target_kind, since, note, created_at)"
    " VALUES (%(id)s, %(record)s, %(type)s, %(target)s, %(kind)s, %(since)s, %(note)s, %(at)s)"
    " ON CONFLICT (record_id, type, target_id) DO NOTHING RETURNING id"
)
_COLUMNS = "l.id, l.record_id, l.type, l.target_id, l.target_kind, l.since, l.note, l.created_at"
_LIST = sql.SQL(
    f"SELECT {_COLUMNS}, s.kind AS source_kind FROM record_links l JOIN records s ON s.id = l.record_id"  # noqa: S608 - a constant
    " WHERE (l.record_id = %(record)s OR l.target_id = %(record)s) AND l.type = ANY (%(types)s)"
    " AND (l.created_at, l.id) < (%(at)s, %(last)s) ORDER BY l.created_at DESC, l.id DESC LIMIT %(limit)s"
)
_ONE = sql.SQL(
    f"SELECT {_COLUMNS}, s.kind AS source_kind FROM record_links l JOIN records s ON s.id = l.record_id"  # noqa: S608 - a constant
    " WHERE l.record_id = %(record)s AND l.id = %(id)s AND l.type = ANY (%(types)s)"
)
_DELETE = sql.SQL("DELETE FROM record_links WHERE id = %(id)s AND record_id = %(record)s RETURNING id")


@dataclass(frozen=True, slots=True)
class Link:
    """A pointer seen from one of its ends."""

    id: UUID
    type: str
    kind: str
    target: UUID
    outgoing: bool
    since: str | None
    note: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Pointer:
    """A link to be made."""

    type: str
    kind: RecordKind
    target: UUID
    since: str | None = None
    note: str | None = None


def _link(row: Any, seen_from: UUID) -> Link:  # noqa: ANN401 - a row of _COLUMNS
    outgoing = row.record_id == seen_from
    kind, target = (row.target_kind, row.target_id) if outgoing else (row.source_kind, row.record_id)
    return Link(row.id, row.type, kind, target, outgoing, row.since, row.note, row.created_at)


def ends_of(source: RecordKind) -> str:
    """What records of a kind may point at, as a sentence."""
    said = [
        f"`{link_type}` to {'any kind' if targets == _ANY else ' and '.join(f'`{kind}`' for kind in sorted(targets))}"
        for link_type, targets in ((found, ends.get(source)) for found, ends in ENDS.items())
        if targets
    ]
    return f"From here lead {', '.join(said)}."


def _check_ends(source: RecordKind, sent: Sequence[LinkIn], pointers: Sequence[str]) -> None:
    flaws = [
        Flaw(f"{pointer}/type", "link-type-unsuitable", ends_of(source))
        for link, pointer in zip(sent, pointers, strict=True)
        if link.kind not in ENDS[link.type].get(source, ())
    ]
    if flaws:
        raise invalid(*flaws)


async def add_sent(desk: Desk, stored: Stored, sent: Sequence[LinkIn], pointers: Sequence[str]) -> list[Link]:
    """Make the links of a body, which stand there at `pointers`; all of them or none.

    422 for a type that does not lead from the one kind to the other, whether or not there is such a record; else `add`.
    """
    _check_ends(stored.kind, sent, pointers)
    return [
        await add(desk, stored, Pointer(link.type.value, link.kind, link.id, note=link.note), f"{pointer}/id")
        for link, pointer in zip(sent, pointers, strict=True)
    ]


async def add(desk: Desk, stored: Stored, pointer: Pointer, where: str) -> Link:
    """Point from the caller's own record to one it may see; 422 at `where` for others, 409 if it points there."""
    require_current(stored)
    source = stored.envelope.id
    if pointer.target == source:
        raise unknown_reference(where)
    link_id, at = uuid7(), clock.now()
    try:
        async with desk.connection.transaction():
            rows = await desk.rows(
                _INSERT,
                id=link_id,
                record=source,
                type=pointer.type,
                target=pointer.target,
                kind=pointer.kind.value,
                since=pointer.since,
                note=pointer.note,
                at=at,
            )
    except (InsufficientPrivilege, UniqueViolation):
        # The policy lets nobody point at what it does not see; a hidden record and none are refused alike.
        raise unknown_reference(where) from None
    if not rows:
        raise Problem(CONFLICT, detail="The record points there already, with this type.")
    await _note(desk, stored, "link.add", link_id)
    return Link(
        id=link_id,
        type=pointer.type,
        kind=pointer.kind.value,
        target=pointer.target,
        outgoing=True,
        since=pointer.since,
        note=pointer.note,
        created_at=at,
    )


async def listed(desk: Desk, record_id: UUID, types: Sequence[str], after: Place | None, limit: int) -> list[Link]:
    """Links of these types from and to the record, newest first, as far as the caller sees both ends."""
    at, last = after or NEWEST
    rows = await desk.rows(_LIST, record=record_id, types=list(types), at=at, last=last, limit=limit)
    return [_link(row, record_id) for row in rows]


async def one(desk: Desk, record_id: UUID, link_id: UUID | None, types: Sequence[str]) -> Link:
    """A link that starts at the record; 404 if there is none the caller may see."""
    rows = await desk.rows(_ONE, record=record_id, id=link_id, types=list(types))
    if not rows:
        raise not_found()
    return _link(rows[0], record_id)


async def remove(desk: Desk, stored: Stored, link: Link) -> None:
    """Take back a link of the caller's own record."""
    await desk.rows(_DELETE, id=link.id, record=stored.envelope.id)
    await _note(desk, stored, "link.remove", link.id)


async def _note(desk: Desk, stored: Stored, action: str, link_id: UUID) -> None:
    # Told to the originator alone: other readers may not see the far end.
    await desk.call(
        "note_change",
        p_record=stored.envelope.id,
        p_action=action,
        p_event="links.changed",
        p_told=[stored.envelope.originator],
        p_detail=Jsonb({"link": str(link_id)}),
    )
