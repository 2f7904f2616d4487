"""What a party can do alone: suspend an agreement, lift its own suspension, end the agreement for all."""

from typing import Final

from app.access.desk import Desk
from app.core.problems import CONFLICT, FORBIDDEN, PRECONDITION_FAILED, Problem
from app.domain.agreements.agreements import AGREEMENTS
from app.domain.agreements.shapes import Agreement
from app.models.vocabularies import AgreementState

_CONCLUDED: Final = (AgreementState.SIGNED, AgreementState.IN_FORCE, AgreementState.SUSPENDED)
_ENDED: Final = (AgreementState.TERMINATED, AgreementState.EXPIRED)


async def suspend(desk: Desk, agreement: Agreement, reason: str) -> Agreement:
    """Suspend an agreement: what rests on it is closed from the next request on.

    409 unless all have signed it, or if the caller's own suspension stands already.
    """
    if agreement.state not in _CONCLUDED:
        raise Problem(CONFLICT, detail=f"It is suspended once all have signed: the agreement is {agreement.state}.")
    if _suspends(desk, agreement):
        raise Problem(CONFLICT, detail="Your agency has suspended the agreement already.")
    return await _move(desk, agreement, "suspend_agreement", p_reason=reason)


def require_suspender(desk: Desk, agreement: Agreement) -> None:
    """403 for a party that would lift another's suspension: only who set it knows whether its reason is gone."""
    if agreement.state is AgreementState.SUSPENDED and not _suspends(desk, agreement):
        raise Problem(FORBIDDEN, detail="Only a party that suspended this agreement may lift its own suspension.")


async def reinstate(desk: Desk, agreement: Agreement) -> Agreement:
    """Lift the caller's own suspension; the agreement stands again when no other party's is left. 409 if none is."""
    if agreement.state is not AgreementState.SUSPENDED:
        raise Problem(CONFLICT, detail=f"Only a suspended agreement is reinstated: it is {agreement.state}.")
    return await _move(desk, agreement, "reinstate_agreement")


async def terminate(desk: Desk, agreement: Agreement, reason: str) -> Agreement:
    """End an agreement for all its parties and for good, or give up a draft or a negotiation. 409 if it has ended."""
    if agreement.state in _ENDED:
        raise Problem(CONFLICT, detail=f"The agreement has ended: it is {agreement.state}.")
    return await _move(desk, agreement, "terminate_agreement", p_reason=reason)


def _suspends(desk: Desk, agreement: Agreement) -> bool:
    return any(stop.agency == desk.caller.agency for stop in agreement.suspensions)


async def _move(desk: Desk, agreement: Agreement, function: str, **arguments: object) -> Agreement:
    row = await desk.call_one(function, p_id=agreement.id, p_expected=agreement.version, **arguments)
    if row[0] != "moved":
        raise Problem(PRECONDITION_FAILED)
    return await AGREEMENTS.fetch(desk, agreement.id)
