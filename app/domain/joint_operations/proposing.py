"""Proposing a plan: what it must hold, its hash, its participants; and returning it to a draft when it changes."""

from typing import Any, Final

from app.access.desk import Desk
from app.access.envelope import changed_fields
from app.core import clock
from app.core.problems import CONFLICT, Flaw, Problem, invalid
from app.domain.joint_operations import deconfliction, teams
from app.domain.joint_operations.plans import (
    agencies_in,
    approvers,
    body_of,
    content_of,
    differs,
    patched,
    plan_hash,
    plan_values,
    refuse_strangers,
    state_of,
)
from app.domain.joint_operations.shapes import JointOperationContent, JointOperationPatch, JointOperationPlan
from app.domain.joint_operations.workflow import WORKFLOW
from app.models.operation_vocabularies import ApprovalRule
from app.models.operation_vocabularies import JointOperationState as State
from app.records import shelf
from app.records.advancing import Parties, Step, advance, hold
from app.records.amendments import Amendable
from app.records.shelf import Stored

_RETURNABLE: Final = WORKFLOW.row("return").sources
_SETTLED: Final = (State.ACTIVE, State.COMPLETED, State.CANCELLED)


async def patch(desk: Desk, stored: Stored, sent: JointOperationPatch) -> Stored:
    """Apply the lead's merge patch; the operation as it stands if nothing differs.

    A substantive change of a plan that was proposed returns it to a draft. 409 for one of a plan that is carried out,
    or that is over.
    """
    stored = await hold(desk, stored)
    before = content_of(stored)
    after, external_id, changed = patched(stored, sent)
    if not changed:
        return stored
    shelf.require_current(stored)
    await teams.check_plan(desk, after)
    state = state_of(stored)
    substantive = differs(stored.envelope.id, before, after)
    if substantive and state in _SETTLED:
        detail = f"It is {state}: what was approved is settled."
        raise Problem(CONFLICT, detail=f"{detail} Suspend it first." if state is State.ACTIVE else detail)
    returned = substantive and state in _RETURNABLE
    if returned:
        after, state = after.model_copy(update={"plan_hash": None, "state_reason": None}), State.DRAFT
        changed = changed_fields(stored.fields, after.model_dump(mode="json"))
        changed = [*changed, *(["external_id"] if external_id != stored.envelope.external_id else []), "state"]
    made = await shelf.change(desk, stored.numbered(external_id), body_of(after, state), changed)
    if returned:
        await void_approvals(desk, made, "lead-changed-plan")
    return made


async def take_over(desk: Desk, stored: Stored, change: dict[str, Any]) -> None:
    """Apply a merge patch that somebody proposed, as if the lead had sent it."""
    await patch(desk, stored, JointOperationPatch.model_validate(change))


AMENDABLE = Amendable(JointOperationPlan, plan_values, take_over)


async def revise(desk: Desk, stored: Stored, after: JointOperationContent, step: Step) -> Stored:
    """Put what a participant changed in place, in a held operation; a substantive change returns it to a draft."""
    before, state = content_of(stored), state_of(stored)
    returned = state in _RETURNABLE and differs(stored.envelope.id, before, after)
    if returned:
        after, state = after.model_copy(update={"plan_hash": None, "state_reason": None}), State.DRAFT
    changed = changed_fields(stored.fields, after.model_dump(mode="json"))
    if not changed:
        return stored
    made = await advance(
        desk,
        stored,
        body_of(after, state),
        Step(step.action, step.event, [*changed, *(["state"] if returned else [])], step.detail),
    )
    if returned:
        await void_approvals(desk, made, "participant-changed-plan")
    return made


async def void_approvals(desk: Desk, stored: Stored, cause: str) -> None:
    """Void the decisions on the plan as it was, and tell everybody who sees the operation."""
    await desk.call("void_approvals", p_record=stored.envelope.id, p_cause=cause)


async def propose(desk: Desk, stored: Stored) -> Stored:
    """Freeze the plan under its hash and open it to its participants, who decide on it from now on.

    422 for what a plan needs and this one lacks, or for a participant whom no legal basis covers; 409 if it is
    proposed already just as it stands.
    """
    stored = await hold(desk, stored)
    WORKFLOW.require("propose", state_of(stored))
    content = _without_who_left(await teams.expanded(desk, stored, content_of(stored)))
    _require_whole(content, stored)
    refuse_strangers(content)
    digest = plan_hash(stored.envelope.id, content)
    if digest == content.plan_hash and set(agencies_in(content)) == {stored.envelope.originator, *stored.parties}:
        raise Problem(CONFLICT, detail="The plan is proposed already, just as it stands.")
    after = content.model_copy(update={"plan_hash": digest})
    if content.plan_hash is not None:
        await void_approvals(desk, stored, "proposed-again")
    agencies = agencies_in(after)
    pointers = {part.agency: f"/participants/{n}/agency" for n, part in enumerate(after.participants) if part.agency}
    changed = [*changed_fields(stored.fields, after.model_dump(mode="json")), "state"]
    made = await advance(
        desk,
        stored,
        body_of(after, State.PROPOSED),
        Step("operation.propose", "operation.proposed", changed, {"plan_hash": digest}),
        Parties(agencies, pointers, "Your agency takes no part in the operation any more."),
    )
    await teams.keep(desk, made, content_of(stored))
    await deconfliction.refresh(desk, made)
    return made


def _without_who_left(content: JointOperationContent) -> JointOperationContent:
    """The plan without those who left before it is proposed; versions keep that they took part."""
    staying = [part for part in content.participants if part.left_at is None]
    return content.model_copy(update={"participants": staying})


def _require_whole(plan: JointOperationContent, stored: Stored) -> None:
    """422 for everything that a plan needs before anybody can decide on it."""
    flaws = []
    if plan.objective is None:
        flaws.append(Flaw("/objective", "missing", "Say what the operation is to achieve."))
    if plan.window is None:
        flaws.append(Flaw("/window", "missing", "Say when it takes place."))
    elif plan.window.ends_at <= clock.now():
        flaws.append(Flaw("/window/ends_at", "window-past", "The window is over: set a later one."))
    if plan.area is None or not plan.area.drawn:
        flaws.append(Flaw("/area", "missing", "Say where: a center with a radius_m, or a polygon."))
    if len(agencies_in(plan)) < 2:  # noqa: PLR2004 - joint takes two
        flaws.append(Flaw("/participants", "missing", "Name at least one other agency that takes part."))
    asked = len(approvers(plan))
    if asked == 0:
        flaws.append(Flaw("/participants", "nobody-approves", "Ask at least one participant for its approval."))
    elif plan.approval.rule is ApprovalRule.QUORUM and (plan.approval.quorum or 0) > asked:
        flaws.append(Flaw("/approval/quorum", "quorum-too-high", f"Only {asked} are asked for their approval."))
    excluded = stored.envelope.handling.audience.excluded
    flaws += [
        Flaw(
            f"/participants/{number}/agency", "agency-excluded", "The handling excludes this agency; change that first."
        )
        for number, part in enumerate(plan.participants)
        if part.agency in excluded and part.left_at is None
    ]
    if flaws:
        raise invalid(*flaws)
