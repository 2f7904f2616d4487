"""Deciding on a plan: each agency on the hash of what it read, until the plan's rule is met or out of reach."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import sql

from app.access.desk import Desk
from app.core import clock
from app.core.ids import uuid7
from app.core.places import Place
from app.core.problems import CONFLICT, FORBIDDEN, Problem
from app.domain.joint_operations import teams
from app.domain.joint_operations.plans import approvers, body_of, content_of, state_of
from app.domain.joint_operations.proposing import void_approvals
from app.domain.joint_operations.shapes import DecisionIn, JointOperationContent, OperationApproval
from app.identity.keys import SigningKey
from app.identity.tokens import sign_statement
from app.models.operation_vocabularies import ApprovalDecision, ApprovalRule
from app.models.operation_vocabularies import JointOperationState as State
from app.records import contributions
from app.records.advancing import Step, advance, hold
from app.records.shelf import Stored

_TABLE: Final = "operation_approvals"
_COLUMNS: Final = "id, agency, decision, plan_hash, reason, statement, created_at, voided_at"
STATEMENT_TYPE: Final = "interdesk-approval+jwt"
"""The `typ` of a signed decision, so that it can be taken for nothing else."""
_STANDING: Final = sql.SQL(
    "SELECT agency, decision FROM operation_approvals"
    " WHERE record_id = %(record)s AND voided_at IS NULL AND plan_hash = %(hash)s"
)


class Tally(NamedTuple):
    """How a plan stands under its rule."""

    approved: int
    rejected: int
    asked: int
    needed: int

    @property
    def met(self) -> bool:
        """Whether enough have approved."""
        return self.needed > 0 and self.approved >= self.needed

    @property
    def unreachable(self) -> bool:
        """Whether too many have rejected for that ever to be."""
        return self.asked - self.rejected < self.needed


async def tally(desk: Desk, stored: Stored, content: JointOperationContent) -> Tally:
    """Count the decisions on the plan as it stands, of those who are asked and take part still."""
    asked = set(approvers(content))
    rows = await desk.rows(_STANDING, record=stored.envelope.id, hash=content.plan_hash)
    decided = [row.decision for row in rows if row.agency in asked]
    needed = len(asked) if content.approval.rule is ApprovalRule.ALL else content.approval.quorum or 0
    return Tally(
        decided.count(ApprovalDecision.APPROVE),
        decided.count(ApprovalDecision.REJECT),
        len(asked),
        min(needed, len(asked)),
    )


async def decide(desk: Desk, stored: Stored, sent: DecisionIn, key: SigningKey, issuer: str) -> OperationApproval:
    """Record what the caller's agency decides on the plan, signed by the hub; the plan moves if that settles it.

    403 for a participant that is not asked; 409 if the plan is another one by now, is not proposed, or the agency has
    decided.
    """
    stored = await hold(desk, stored, same_version=False)
    content = content_of(stored)
    if desk.caller.agency not in approvers(content):
        raise Problem(FORBIDDEN, detail="The plan does not ask your agency for its approval.")
    if state_of(stored) is not State.PROPOSED:
        raise Problem(CONFLICT, detail=f"It is {state_of(stored)}: only a plan that is proposed is decided on.")
    if sent.plan_hash != content.plan_hash:
        raise Problem(CONFLICT, detail="The plan says something else than what this hash is of. Read it again.")
    await teams.require_unchanged(desk, stored)
    approval_id, at = uuid7(), clock.now()
    row = await desk.call_one(
        "decide_on_operation",
        p_id=approval_id,
        p_record=stored.envelope.id,
        p_decision=sent.decision.value,
        p_plan_hash=sent.plan_hash,
        p_reason=sent.reason,
        p_statement=_statement(key, issuer, stored, sent, desk.caller.agency, approval_id, at),
        p_at=at,
    )
    if row[0] != "decided":
        raise Problem(CONFLICT, detail="Your agency has decided on this plan already.")
    await _settle(desk, stored, content)
    return await one(desk, stored, approval_id)


def _statement(
    key: SigningKey, issuer: str, stored: Stored, sent: DecisionIn, agency: str, approval_id: UUID, at: datetime
) -> str:
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": agency,
        "jti": str(approval_id),
        "iat": int(at.timestamp()),
        "operation": str(stored.envelope.id),
        "reference": stored.envelope.reference,
        "version": stored.envelope.version,
        "plan_hash": sent.plan_hash,
        "decision": sent.decision.value,
        "reason": sent.reason,
    }
    return sign_statement(key, STATEMENT_TYPE, claims)


async def _settle(desk: Desk, stored: Stored, content: JointOperationContent) -> None:
    """Move the plan if the decisions on it settle it."""
    counted = await tally(desk, stored, content)
    if counted.met:
        step = Step("operation.approve", "operation.approved", ["state"], {"plan_hash": content.plan_hash})
        await advance(desk, stored, body_of(content, State.APPROVED), step)
    elif counted.unreachable:
        after = content.model_copy(update={"plan_hash": None})
        step = Step("operation.reject", "operation.rejected", ["plan_hash", "state"], {"plan_hash": content.plan_hash})
        made = await advance(desk, stored, body_of(after, State.DRAFT), step)
        await void_approvals(desk, made, "rejected")


async def listed(desk: Desk, stored: Stored, after: Place | None, limit: int) -> Sequence[OperationApproval]:
    """Decisions on the operation's plans, newest first, void ones too."""
    rows = await contributions.page(desk, _TABLE, stored.envelope.id, after, limit, columns=_COLUMNS)
    return [_approval(row) for row in rows]


async def one(desk: Desk, stored: Stored, approval_id: UUID | None) -> OperationApproval:
    """One decision; 404 if there is none."""
    return _approval(await contributions.one(desk, _TABLE, stored.envelope.id, approval_id, columns=_COLUMNS))


def _approval(row: Any) -> OperationApproval:  # noqa: ANN401 - a row of _COLUMNS
    return OperationApproval(
        id=row.id,
        agency=row.agency,
        decision=row.decision,
        plan_hash=row.plan_hash,
        reason=row.reason,
        at=row.created_at,
        voided_at=row.voided_at,
        statement=row.statement,
    )
