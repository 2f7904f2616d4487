"""The story's agreements: drafted and opened by one agency, signed by each party, as far as that is not done yet."""

from typing import Final

from app.access.desk import Desk
from app.core.validation import validated
from app.demo.agreed import Agreed
from app.domain.agreements import agreements, signing
from app.domain.agreements.agreements import AGREEMENTS
from app.domain.agreements.shapes import Agreement, AgreementCreate
from app.models.vocabularies import AgreementKind, AgreementState

_MANY: Final = 500


async def drafted(desk: Desk, agreed: Agreed) -> Agreement:
    """The agreement, opened to its parties; the caller is its originator."""
    agreement = await _found(desk, agreed) or await agreements.draft(desk, validated(AgreementCreate, agreed.body))
    if agreement.state is AgreementState.DRAFT:
        agreement = await signing.negotiate(desk, agreement)
    return agreement


async def sign(desk: Desk, agreement: Agreement) -> None:
    """Sign for the caller's agency, unless it has."""
    present = await AGREEMENTS.fetch(desk, agreement.id)
    if present.state is not AgreementState.IN_NEGOTIATION:
        return
    signed = {signature.agency for signature in await signing.signatures(desk, present, "", _MANY)}
    if desk.caller.agency not in signed:
        await signing.sign(desk, present, present.content_hash)


async def _found(desk: Desk, agreed: Agreed) -> Agreement | None:
    kind = AgreementKind(agreed.body["kind"])
    listed = await agreements.listed(desk, kind=kind, state=None, party=None, after=None, limit=_MANY)
    for agreement in listed:
        if (agreement.originator, agreement.title) == (agreed.agency, agreed.body["title"]):
            return agreement
    return None
