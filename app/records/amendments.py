"""Amendments: a reader proposes a merge patch, the originator accepts or rejects it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb
from pydantic import Field

from app.access.desk import Desk
from app.core import clock
from app.core.codes import AgencyCode
from app.core.dates import UtcDateTime
from app.core.ids import uuid7
from app.core.merge_patch import MergePatch
from app.core.places import Place
from app.core.problems import CONFLICT, INVALID_BODY, PRECONDITION_FAILED, Problem
from app.core.shapes import Shape
from app.core.text import Paragraph
from app.core.validation import validated
from app.models.vocabularies import AmendmentState
from app.records import contributions, history, shelf
from app.records.documents import own_fields
from app.records.shelf import Stored


class Amendment(Shape):
    """A proposed change, seen by who proposed it and by the record's originator."""

    id: UUID = Field(description="The amendment's id.")
    agency: AgencyCode = Field(description="Who proposed it.")
    patch: dict[str, Any] = Field(description="The change, as a merge patch of the record.")
    note: Paragraph | None = Field(description="Why the record should be changed.")
    base_version: int = Field(ge=1, description="The record's version that the change was proposed for.")
    state: AmendmentState = Field(description="How far it has come.")
    decision_note: Paragraph | None = Field(description="What the originator says to it.")
    version: int = Field(ge=1, description="Counts its changes; also the ETag.")
    created_at: UtcDateTime = Field(description="When it was proposed.")
    updated_at: UtcDateTime = Field(description="When it last changed.")


@dataclass(frozen=True, slots=True)
class Amendable:
    """How records of one kind are amended."""

    content: type[Shape]
    """What a change may touch, and what the whole is checked against."""
    fields: Callable[[Stored], dict[str, Any]]
    """That of a record as it stands, as JSON values."""
    take_over: Callable[[Desk, Stored, dict[str, Any]], Awaitable[None]]
    """Applies a merge patch for the originator; 422 if the whole would not be right."""


_TABLE = "amendments"
_DECIDE = sql.SQL(
    "UPDATE amendments SET state = %(state)s, decision_note = %(note)s, version = version + 1, updated_at = %(at)s"
    " WHERE id = %(id)s AND record_id = %(record)s AND version = %(version)s RETURNING *"
)


def _amendment(row: Any) -> Amendment:  # noqa: ANN401 - a row of the table
    return Amendment(
        id=row.id,
        agency=row.agency,
        patch=row.patch,
        note=row.note,
        base_version=row.base_version,
        state=row.state,
        decision_note=row.decision_note,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


async def propose(desk: Desk, amendable: Amendable, stored: Stored, patch: MergePatch, note: str | None) -> Amendment:
    """Propose a change to a record; 422 if the record as it stands could not take it."""
    shelf.require_current(stored)
    validated(amendable.content, patch.merged(amendable.fields(stored)), "/patch")
    at, amendment_id = clock.now(), uuid7()
    values = {
        "id": amendment_id,
        "agency": desk.caller.agency,
        "patch": Jsonb(patch.root),
        "note": note,
        "base_version": stored.envelope.version,
        "created_at": at,
        "updated_at": at,
    }
    await contributions.insert(desk, _TABLE, stored, values)
    told = [stored.envelope.originator, desk.caller.agency]
    await contributions.tell(
        desk, stored, "amendment.propose", "amendment.proposed", told, {"amendment": str(amendment_id)}
    )
    return await one(desk, stored, amendment_id)


async def listed(desk: Desk, stored: Stored, after: Place | None, limit: int) -> Sequence[Amendment]:
    """Amendments of a record, newest first: all for its originator, for a reader its own."""
    return [_amendment(row) for row in await contributions.page(desk, _TABLE, stored.envelope.id, after, limit)]


async def one(desk: Desk, stored: Stored, amendment_id: UUID | None) -> Amendment:
    """One amendment of a record; 404 if the caller neither proposed it nor owns the record."""
    return _amendment(await contributions.one(desk, _TABLE, stored.envelope.id, amendment_id))


def as_of(amendment: Amendment, version: int) -> Amendment:
    """The amendment as it was at one of its two versions: proposed, or decided."""
    if version == amendment.version:
        return amendment
    undecided = {
        "state": AmendmentState.PROPOSED,
        "decision_note": None,
        "version": 1,
        "updated_at": amendment.created_at,
    }
    return amendment.model_copy(update=undecided)


async def accept(desk: Desk, amendable: Amendable, stored: Stored, amendment: Amendment, note: str | None) -> Amendment:
    """Take the change over into the record as it stands now, and tell the proposer; 409 if it no longer fits."""
    _require_open(amendment)
    shelf.require_current(stored)
    await _require_untouched(desk, stored, amendment)
    try:
        await amendable.take_over(desk, stored, amendment.patch)
    except Problem as refusal:
        if refusal.type is not INVALID_BODY:
            raise
        detail = "The record has changed since, and the amendment does not fit it any more: reject it."
        raise Problem(CONFLICT, detail=detail, errors=refusal.errors) from None
    return await _decide(desk, stored, amendment, AmendmentState.ACCEPTED, note)


async def reject(
    desk: Desk, _amendable: Amendable, stored: Stored, amendment: Amendment, note: str | None
) -> Amendment:
    """Decline the change, and tell who proposed it."""
    _require_open(amendment)
    return await _decide(desk, stored, amendment, AmendmentState.REJECTED, note)


async def _require_untouched(desk: Desk, stored: Stored, amendment: Amendment) -> None:
    """409 where a field was changed since the amendment was proposed: taking it over would undo that unseen."""
    proposed_for = own_fields(await history.version(desk, stored.envelope.id, amendment.base_version))
    touched = [name for name in amendment.patch if proposed_for.get(name) != stored.fields.get(name)]
    if touched:
        changed = f"Since version {amendment.base_version}, for which this was proposed, {', '.join(touched)} changed."
        raise Problem(CONFLICT, detail=f"{changed} Reject the amendment, and take over by hand what still holds.")


def _require_open(amendment: Amendment) -> None:
    if amendment.state is not AmendmentState.PROPOSED:
        raise Problem(CONFLICT, detail=f"The amendment is {amendment.state} already.")


async def _decide(
    desk: Desk, stored: Stored, amendment: Amendment, state: AmendmentState, note: str | None
) -> Amendment:
    rows = await desk.rows(
        _DECIDE,
        state=state.value,
        note=note,
        at=clock.now(),
        id=amendment.id,
        record=stored.envelope.id,
        version=amendment.version,
    )
    if not rows:
        raise Problem(PRECONDITION_FAILED)
    word = "accept" if state is AmendmentState.ACCEPTED else "reject"
    told = [stored.envelope.originator, amendment.agency]
    await contributions.tell(
        desk, stored, f"amendment.{word}", f"amendment.{state}", told, {"amendment": str(amendment.id)}
    )
    return _amendment(rows[0])
