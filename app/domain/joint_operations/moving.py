"""Running an operation: begun, interrupted, resumed, ended or given up by its lead."""

from app.access.desk import Desk
from app.core import clock
from app.core.problems import CONFLICT, NOT_APPROVED, Problem
from app.domain.joint_operations import deconfliction
from app.domain.joint_operations.approving import tally
from app.domain.joint_operations.plans import body_of, content_of, plan_hash, state_of
from app.domain.joint_operations.shapes import JointOperationContent
from app.domain.joint_operations.workflow import WORKFLOW
from app.records.advancing import Step, advance, hold
from app.records.shelf import Stored


async def activate(desk: Desk, stored: Stored) -> Stored:
    """Begin an operation; 409 without its approvals on the plan as it stands, or with a serious conflict open."""
    return await _begun(desk, stored, "activate")


async def resume(desk: Desk, stored: Stored) -> Stored:
    """Go on with a suspended operation, under the conditions under which it began."""
    return await _begun(desk, stored, "resume")


async def suspend(desk: Desk, stored: Stored, reason: str) -> Stored:
    """Interrupt an operation that is under way."""
    return await _moved(desk, await hold(desk, stored), "suspend", reason)


async def complete(desk: Desk, stored: Stored) -> Stored:
    """Say that an operation is over."""
    return await _moved(desk, await hold(desk, stored), "complete")


async def cancel(desk: Desk, stored: Stored, reason: str) -> Stored:
    """Give an operation up, in whatever state it is before its end."""
    return await _moved(desk, await hold(desk, stored), "cancel", reason)


async def _begun(desk: Desk, stored: Stored, action: str) -> Stored:
    stored = await hold(desk, stored)
    WORKFLOW.require(action, state_of(stored))
    content = content_of(stored)
    await _require_approved(desk, stored, content)
    await deconfliction.require_clear(desk, stored)
    if content.window is not None and content.window.ends_at <= clock.now():
        raise Problem(CONFLICT, detail="The plan's window is over: set a later one, and propose the plan again.")
    return await _moved(desk, stored, action)


async def _require_approved(desk: Desk, stored: Stored, content: JointOperationContent) -> None:
    """409 unless as many as the rule asks for have approved this very plan.

    The hash is computed again, of what stands there now: nothing that found a way around the table begins.
    """
    counted = await tally(desk, stored, content)
    if not counted.met or content.plan_hash != plan_hash(stored.envelope.id, content):
        detail = f"{counted.approved} of {counted.needed} approvals that the plan needs are on it as it stands."
        raise Problem(NOT_APPROVED, detail=detail)


async def _moved(desk: Desk, stored: Stored, action: str, reason: str | None = None) -> Stored:
    """Take a step of the table in a held operation."""
    state = state_of(stored)
    row = WORKFLOW.require(action, state)
    before = content_of(stored)
    after = before.model_copy(update={"state_reason": reason})
    changed = ["state"] if after == before else ["state", "state_reason"]
    step = Step(f"operation.{action}", row.event, changed)
    return await advance(desk, stored, body_of(after, row.leads_to(state)), step)
