"""Amendments: a reader proposes a merge patch, the originator accepts or rejects it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from app.access.desk import Desk
from app.access.envelope import changed_fields
from app.core import clock
from app.core.ids import uuid7
from app.core.places import Place
from app.core.problems import CONFLICT, PRECONDITION_FAILED, Problem
from app.core.validation import validated
from app.domain.criminal_organizations.content import CriminalOrganizationContent
from app.domain.criminal_organizations.profiles import body_of
from app.domain.criminal_organizations.shapes import Amendment, AmendmentIn, ProposedPatch
from app.models.vocabularies import AmendmentState
from app.records import contributions, history, shelf
from app.records.documents import own_fields
from app.records.shelf import Stored

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


async def propose(desk: Desk, stored: Stored, sent: AmendmentIn) -> Amendment:
    """Propose a change to a profile; 422 if the profile as it stands could not take it."""
    shelf.require_current(stored)
    validated(CriminalOrganizationContent, sent.patch.merged(stored.fields), "/patch")
    at, amendment_id = clock.now(), uuid7()
    values = {
        "id": amendment_id,
        "agency": desk.caller.agency,
        "patch": Jsonb(sent.patch.root),
        "note": sent.note,
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
    """Amendments of a profile, newest first: all for its originator, for a reader its own."""
    return [_amendment(row) for row in await contributions.page(desk, _TABLE, stored.envelope.id, after, limit)]


async def one(desk: Desk, stored: Stored, amendment_id: UUID | None) -> Amendment:
    """One amendment of a profile; 404 if the caller neither proposed it nor owns the profile."""
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


async def accept(desk: Desk, stored: Stored, amendment: Amendment, note: str | None) -> Amendment:
    """Take the change over into the profile as it stands now, and tell the proposer; 409 if it no longer fits."""
    _require_open(amendment)
    before = stored.fields
    await _require_untouched(desk, stored, amendment)
    patch = ProposedPatch.model_validate(amendment.patch)
    try:
        content = validated(CriminalOrganizationContent, patch.merged(before))
    except Problem as refusal:
        detail = "The profile has changed since, and the amendment does not fit it any more: reject it."
        raise Problem(CONFLICT, detail=detail, errors=refusal.errors) from None
    changed = changed_fields(before, content.model_dump(mode="json", by_alias=True))
    if changed:
        await shelf.change(desk, stored, body_of(content), changed)
    return await _decide(desk, stored, amendment, AmendmentState.ACCEPTED, note)


async def reject(desk: Desk, stored: Stored, amendment: Amendment, note: str | None) -> Amendment:
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
