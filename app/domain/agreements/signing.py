"""From negotiation to force: the originator opens an agreement, each party signs it, and its days do the rest."""

from collections.abc import Sequence
from typing import Any, Final

import psycopg

from app.access.desk import Desk
from app.core.problems import CONFLICT, PRECONDITION_FAILED, Problem
from app.domain.agreements.agreements import AGREEMENTS
from app.domain.agreements.shapes import Agreement, AgreementSignature
from app.models.vocabularies import AgreementState

_NOT_SIGNED: Final = {
    "signed-already": "Your agency has signed what the agreement says now.",
    "over": "The agreement's last day has passed: its originator must set a later one.",
    "full": "An agency stands in as many groups and agreements together as one can.",
}


async def negotiate(desk: Desk, agreement: Agreement) -> Agreement:
    """Open a draft to its parties; 409 if that is done already."""
    if agreement.state is not AgreementState.DRAFT:
        raise Problem(CONFLICT, detail=f"Only a draft is opened: the agreement is {agreement.state}.")
    row = await desk.call_one("open_agreement", p_id=agreement.id, p_expected=agreement.version)
    if row[0] != "opened":
        raise Problem(PRECONDITION_FAILED)
    return await AGREEMENTS.fetch(desk, agreement.id)


async def sign(desk: Desk, agreement: Agreement, content_hash: str) -> Agreement:
    """Sign what the agreement says, named by its hash. With the last signature it is signed, or in force at once.

    409 if it says something else, is not negotiated, is signed by the caller already, is over before it began, or if
    the caller's agency can hold no further place.
    """
    if agreement.state is not AgreementState.IN_NEGOTIATION:
        raise Problem(CONFLICT, detail=f"It is signed while it is negotiated: the agreement is {agreement.state}.")
    if content_hash != agreement.content_hash:
        raise Problem(CONFLICT, detail="The agreement says something else than what this hash is of. Read it again.")
    row = await desk.call_one(
        "sign_agreement", p_id=agreement.id, p_expected=agreement.version, p_hash=agreement.content_hash
    )
    outcome: str = row[0]
    if outcome in _NOT_SIGNED:
        raise Problem(CONFLICT, detail=_NOT_SIGNED[outcome])
    if outcome != "signed":
        raise Problem(PRECONDITION_FAILED)
    return await AGREEMENTS.fetch(desk, agreement.id)


async def signatures(desk: Desk, agreement: Agreement, after: str, limit: int) -> Sequence[AgreementSignature]:
    """The signatures on what the agreement says, by the parties' codes, after the code `after`."""
    rows = await desk.call("agreement_signatures", p_id=agreement.id, p_after=after, p_limit=limit)
    return [AgreementSignature.model_validate(row._asdict()) for row in rows]


async def keep_days(connection: psycopg.AsyncConnection[Any]) -> int:
    """Put in force whose first day has come, write down that others have expired, and say how many there were.

    The connection is in autocommit, of the role interdesk_worker: each agreement is a transaction of its own.
    """
    moved = 0
    while True:
        cursor = await connection.execute("SELECT move_due_agreement()")
        row = await cursor.fetchone()
        if row is None or not row[0]:
            return moved
        moved += 1
