"""Who is on a transport: put there, boarded and handed over by the sides of their requests, each seeing its own people.

Every write locks the transport's row first, in the database: two dispatchers wait for one another, and no seat is given
twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from app.access.desk import Desk
from app.core.ids import uuid7
from app.core.problems import (
    ALREADY_ON_A_MANIFEST,
    CONFLICT,
    KEEP_APART,
    NO_SEATS_LEFT,
    NOT_YOUR_SIDE,
    Flaw,
    Problem,
    ProblemType,
    invalid,
    not_found,
)
from app.domain.transports.manifest_shapes import (
    ManifestAddition,
    ManifestChange,
    ManifestEntry,
    ManifestReceiptIn,
    ManifestTotals,
)
from app.domain.transports.shapes import Transport
from app.models.transport_vocabularies import ManifestAction, ManifestState
from app.records.references import unknown_reference

CHANGES: Final = "manifest-changes"

_FIRST: Final = UUID(int=0)
_COLUMNS: Final = sql.SQL(
    "e.id, e.transport_id, e.record_id AS request, r.life AS request_state, e.person_id AS person, e.category,"
    " e.agency, e.section, e.state, e.reason, e.receipt, e.created_at, e.updated_at"
)
_FROM: Final = sql.SQL(
    "FROM manifest_entries e JOIN records r ON r.id = e.record_id WHERE e.transport_id = %(transport)s"
)
_ONE: Final = sql.SQL("SELECT {} {} AND e.id = %(id)s").format(_COLUMNS, _FROM)
# A page ends early, as if by its limit, where long reasons and notes would fill the server's memory.
_PAGE: Final = sql.SQL(
    "SELECT * FROM (SELECT e.*, count(*) OVER () AS found,"
    " sum(octet_length(coalesce(e.reason, '')) + octet_length(coalesce(e.receipt::text, '')))"
    " OVER (ORDER BY e.id ROWS UNBOUNDED PRECEDING EXCLUDE CURRENT ROW) AS before"
    " FROM (SELECT {} {} AND e.id > %(after)s"
    " AND (%(request)s::uuid IS NULL OR e.record_id = %(request)s)"
    " AND (%(state)s::text IS NULL OR e.state = %(state)s)"
    " AND (%(section)s::text IS NULL OR e.section = %(section)s)"
    " AND (%(agency)s::text IS NULL OR e.agency = %(agency)s)"
    " ORDER BY e.id LIMIT %(limit)s) AS e) AS e WHERE coalesce(e.before, 0) < %(bytes)s ORDER BY e.id"
).format(_COLUMNS, _FROM)
_PAGE_BYTES: Final = 4_000_000
_CHANGE: Final = sql.SQL(
    "SELECT id, transport_id, action, agency, entries, at FROM manifest_changes"
    " WHERE transport_id = %(transport)s AND id = %(id)s"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a page of a manifest is narrowed by; None narrows nothing."""

    request: UUID | None = None
    state: ManifestState | None = None
    section: str | None = None
    agency: str | None = None


def _entry(row: Any) -> ManifestEntry:  # noqa: ANN401 - a row of _COLUMNS
    return ManifestEntry.model_validate({name: getattr(row, name) for name in ManifestEntry.model_fields})


async def totals(desk: Desk, transport: Transport) -> ManifestTotals:
    """The numbers of the whole manifest."""
    row = await desk.call_one("manifest_totals", p_transport=transport.id)
    return ManifestTotals.model_validate(row.totals)


async def listed(
    desk: Desk, transport: Transport, wanted: Wanted, after: UUID | None, limit: int
) -> tuple[Sequence[ManifestEntry], bool]:
    """The caller's own people on a manifest, in the order in which they were put there, and whether there are more."""
    rows = await desk.rows(
        _PAGE,
        transport=transport.id,
        request=wanted.request,
        state=wanted.state,
        section=wanted.section,
        agency=wanted.agency,
        after=after or _FIRST,
        limit=limit + 1,
        bytes=_PAGE_BYTES,
    )
    shown = [_entry(row) for row in rows[:limit]]
    return shown, bool(rows) and rows[0].found > len(shown)


async def one(desk: Desk, transport: Transport, entry_id: UUID | None) -> ManifestEntry:
    """An entry of the caller's own people; 404 if there is none."""
    rows = await desk.rows(_ONE, transport=transport.id, id=entry_id)
    if not rows:
        raise not_found()
    return _entry(rows[0])


async def change(desk: Desk, transport_id: UUID, change_id: UUID | None) -> ManifestChange:
    """What a call of the caller's agency did to a manifest; 404 if there was none."""
    rows = await desk.rows(_CHANGE, transport=transport_id, id=change_id)
    if not rows:
        raise not_found()
    return ManifestChange.model_validate(rows[0]._asdict())


async def add(desk: Desk, transport: Transport, sent: ManifestAddition) -> ManifestChange:
    """Put people on the manifest, all of them or none.

    422 for what is unknown to the caller, 409 where the manifest is frozen, somebody stands on one already, seats are
    missing, or people must be kept apart.
    """
    change_id = uuid7()
    row = await desk.call_one(
        "add_to_manifest",
        p_change=change_id,
        p_transport=transport.id,
        p_request=sent.request,
        p_persons=list(sent.persons),
        p_entries=[uuid7() for _ in sent.persons],
        p_section=sent.section,
        p_namesakes=sent.namesakes,
    )
    if row.outcome != "added":
        raise _not_added(row.outcome, row.detail)
    return await change(desk, transport.id, change_id)


async def remove(desk: Desk, transport: Transport, entry: ManifestEntry) -> None:
    """Take somebody off the manifest; 409 once it is frozen."""
    row = await desk.call_one("remove_from_manifest", p_transport=transport.id, p_entry=entry.id)
    if row[0] == "closed":
        raise Problem(CONFLICT, detail="The manifest is frozen.")
    if row[0] != "removed":
        raise not_found()


async def board(desk: Desk, transport: Transport, entries: Sequence[UUID]) -> ManifestChange:
    """Write down that people boarded."""
    return await _mark(desk, transport, ManifestAction.BOARD, entries)


async def stay_away(desk: Desk, transport: Transport, entries: Sequence[UUID], reason: str) -> ManifestChange:
    """Write down that people did not come, or were not let on board."""
    return await _mark(desk, transport, ManifestAction.NO_SHOW, entries, reason=reason)


async def hand_over(
    desk: Desk, transport: Transport, entries: Sequence[UUID], sent: ManifestReceiptIn
) -> ManifestChange:
    """Give the receipt for people whom the caller's agency received; 403 for the side that does not receive them."""
    receipt = {
        "agency": desk.caller.agency,
        **sent.model_dump(mode="json", include=set(ManifestReceiptIn.model_fields)),
    }
    return await _mark(desk, transport, ManifestAction.HAND_OVER, entries, receipt=receipt)


async def _mark(
    desk: Desk,
    transport: Transport,
    action: ManifestAction,
    entries: Sequence[UUID],
    *,
    reason: str | None = None,
    receipt: Mapping[str, Any] | None = None,
) -> ManifestChange:
    change_id = uuid7()
    row = await desk.call_one(
        "mark_manifest",
        p_change=change_id,
        p_transport=transport.id,
        p_action=action.value,
        p_entries=list(entries),
        p_reason=reason,
        p_receipt=None if receipt is None else Jsonb(dict(receipt)),
    )
    if row.outcome != "done":
        raise _not_marked(action, row.outcome, row.detail)
    return await change(desk, transport.id, change_id)


_NOT_ADDED: Final[Mapping[str, tuple[ProblemType, str]]] = {
    "on-this-manifest": (ALREADY_ON_A_MANIFEST, "This person stands on this manifest already."),
    "on-another-manifest": (ALREADY_ON_A_MANIFEST, "This person stands on another transport's manifest."),
    "same-person": (
        ALREADY_ON_A_MANIFEST,
        "Somebody with the same document, or name and birth date, stands on a manifest: see namesakes.",
    ),
    "not-separable": (KEEP_APART, "This person must not share the section with somebody who sits there."),
}
_SECTION: Final = {
    "section-missing": "Say in which section they are to sit",
    "section-unknown": "The transport has no section of this name",
    "section-for-remains": "Remains stand in no section: leave it out. Others sit in",
}


def _not_added(outcome: str, detail: Any) -> Problem:  # noqa: ANN401 - what the function says beside its outcome
    if outcome in _NOT_ADDED:
        kind, sentence = _NOT_ADDED[outcome]
        return Problem(kind, errors=[Flaw(f"/persons/{place}", outcome, sentence) for place in detail])
    if outcome in _SECTION:
        return invalid(Flaw("/section", outcome, f"{_SECTION[outcome]}: {', '.join(detail)}."))
    refusals = {
        "full": lambda: Problem(NO_SEATS_LEFT, detail=f"Seats left in {detail['section']}: {detail['free']}."),
        "not-cleared": lambda: Problem(CONFLICT, detail=f"The request is {detail}: people travel once it is cleared."),
        "closed": lambda: Problem(CONFLICT, detail="The manifest is frozen."),
        "unknown-request": lambda: unknown_reference("/request"),
        "unknown-persons": lambda: unknown_reference(*(f"/persons/{place}" for place in detail)),
    }
    return refusals.get(outcome, not_found)()


_NOT_MARKED: Final[Mapping[str, tuple[ProblemType, str]]] = {
    "not-receiving": (NOT_YOUR_SIDE, "The side in the country of arrival receives this person."),
    "not-cleared": (CONFLICT, "The person's request is not cleared."),
    "on-another-manifest": (ALREADY_ON_A_MANIFEST, "This person stands on another transport's manifest by now."),
    "not-separable": (KEEP_APART, "This person must not share the section with somebody who sits there."),
}
_BEFORE: Final = {
    ManifestAction.BOARD: "Only who is listed or did not come can board.",
    ManifestAction.NO_SHOW: "Only who is listed or on board can stay away.",
    ManifestAction.HAND_OVER: "Only who was on board is handed over.",
}


def _not_marked(action: ManifestAction, outcome: str, detail: Any) -> Problem:  # noqa: ANN401 - as above
    if outcome == "unknown":
        return unknown_reference(*(f"/entries/{place}" for place in detail))
    if outcome == "before-departure":
        return invalid(Flaw("/at", outcome, "Nobody is received before the transport has left."))
    if outcome == "closed":
        when = "after the arrival" if action is ManifestAction.HAND_OVER else "while the manifest is frozen"
        return Problem(CONFLICT, detail=f"That is written down {when}.")
    if outcome == "hidden":
        return not_found()
    kind, sentence = _NOT_MARKED.get(outcome, (CONFLICT, _BEFORE[action]))
    return Problem(kind, detail=sentence, errors=[Flaw(f"/entries/{place}", outcome, sentence) for place in detail])
