"""Agreements as they are drafted and changed: by their originator, seen by nobody else until it opens them."""

from collections.abc import Sequence
from typing import Any, Final

from psycopg import sql
from psycopg.types.json import Jsonb

from app.access import nouns
from app.access.desk import Desk
from app.access.nouns import Noun
from app.core.ids import uuid7
from app.core.places import NEWEST, Place
from app.core.problems import CONFLICT, FORBIDDEN, PRECONDITION_FAILED, Flaw, Problem, invalid
from app.core.validation import validated
from app.domain.agreements.shapes import (
    Agreement,
    AgreementContent,
    AgreementCreate,
    AgreementPatch,
    content_hash,
    content_of,
)
from app.models.vocabularies import AgreementKind, AgreementState
from app.records.references import unknown_reference

_CODE: Final = "AG"
_CHANGEABLE: Final = (AgreementState.DRAFT, AgreementState.IN_NEGOTIATION)

_OWN: Final = [name for name in Agreement.model_fields if name != "parties"]
_COLUMNS = sql.SQL(", ").join(sql.Identifier("n", name) for name in _OWN)
# An agreement expires with its last day, whether or not anybody has written it down yet.
_PRESENT = sql.SQL(
    "SELECT {}, ARRAY(SELECT p.agency FROM agreement_parties p WHERE p.agreement_id = a.id) AS parties"
    " FROM agreements a CROSS JOIN LATERAL agreement_now(a) AS n "
).format(_COLUMNS)
_ONE = _PRESENT + sql.SQL("WHERE a.id = %(id)s")
# Named here too, the caller's own are found by an index, and no policy is asked about every agreement of the hub.
_PAGE = _PRESENT + sql.SQL(
    "WHERE a.id IN (SELECT m.agreement_id FROM agreement_parties m WHERE m.agency = %(own)s)"
    " AND (n.updated_at, n.id) < (%(at)s, %(last)s)"
    " AND (%(kind)s::text IS NULL OR n.kind = %(kind)s)"
    " AND (%(state)s::text IS NULL OR n.state = %(state)s)"
    " AND (%(party)s::text IS NULL"
    " OR EXISTS (SELECT FROM agreement_parties p WHERE p.agreement_id = a.id AND p.agency = %(party)s))"
    " ORDER BY n.updated_at DESC, n.id DESC LIMIT %(limit)s"
)
_VERSION = sql.SQL(
    "SELECT {}, n.parties FROM agreement_versions n WHERE n.id = %(id)s AND n.version = %(version)s"
).format(_COLUMNS)


def _agreement(row: Any) -> Agreement:  # noqa: ANN401 - a row of Agreement's fields
    return Agreement.model_validate(row._asdict())


AGREEMENTS: Final = Noun("agreements", _ONE, _VERSION, _agreement)


async def listed(
    desk: Desk,
    *,
    kind: AgreementKind | None,
    state: AgreementState | None,
    party: str | None,
    after: Place | None,
    limit: int,
) -> Sequence[Agreement]:
    """The agreements the caller may know of, newest change first."""
    at, last = after or NEWEST
    rows = await desk.rows(
        _PAGE, own=desk.caller.agency, kind=kind, state=state, party=party, at=at, last=last, limit=limit
    )
    return [_agreement(row) for row in rows]


async def draft(desk: Desk, sent: AgreementCreate) -> Agreement:
    """Draft an agreement of the caller's agency; 422 for parties that are no agencies, or without the caller's."""
    content = content_of(sent)
    await _check_parties(desk, sent, desk.caller.agency)
    agreement_id = uuid7()
    said = {"p_content": Jsonb(content), "p_hash": content_hash(content)}
    await nouns.number(desk, "create_agreement", "created", _CODE, p_id=agreement_id, **said)
    return await AGREEMENTS.fetch(desk, agreement_id)


def require_originator(desk: Desk, agreement: Agreement) -> None:
    """403 for a party that tries what only the originator may."""
    if agreement.originator != desk.caller.agency:
        raise Problem(FORBIDDEN, detail="Only the agency that drafted this agreement may do this.")


async def patch(desk: Desk, agreement: Agreement, sent: AgreementPatch) -> Agreement:
    """Apply a merge patch; the agreement as it stands if nothing differs. A change voids every signature.

    422 if the whole would not be right, 409 once all have signed or the agreement has ended.
    """
    before = content_of(agreement)
    content = validated(AgreementContent, sent.merged(before))
    await _check_parties(desk, content, agreement.originator)
    if agreement.state not in _CHANGEABLE:
        raise Problem(CONFLICT, detail=f"What it says is settled: the agreement is {agreement.state}.")
    after = content_of(content)
    if after == before:
        return agreement
    row = await desk.call_one(
        "change_agreement",
        p_id=agreement.id,
        p_expected=agreement.version,
        p_content=Jsonb(after),
        p_hash=content_hash(after),
    )
    if row[0] != "changed":
        raise Problem(PRECONDITION_FAILED)
    return await AGREEMENTS.fetch(desk, agreement.id)


async def _check_parties(desk: Desk, content: AgreementContent, originator: str) -> None:
    if originator not in content.parties:
        detail = f"Name {originator} too: who drafts an agreement is one of its parties."
        raise invalid(Flaw("/parties", "originator-missing", detail))
    row = await desk.call_one("unknown_in_audience", p_agencies=content.parties, p_groups=[])
    if row.agencies:
        raise unknown_reference(*(f"/parties/{content.parties.index(agency)}" for agency in row.agencies))
