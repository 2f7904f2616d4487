"""Plans: drafted and changed by the lead, settled by the hub, and known by their hash."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from app.access.desk import Desk
from app.access.envelope import changed_fields
from app.audit.canonical import canonical
from app.core.ids import uuid7
from app.core.problems import CONFLICT, Flaw, Problem, invalid
from app.core.shapes import distinct
from app.core.validation import validated
from app.domain.joint_operations.plan_shapes import Participant, Phase, Resource, Task
from app.domain.joint_operations.shapes import (
    JointOperationContent,
    JointOperationPatch,
    JointOperationPlan,
    OwnJointOperation,
)
from app.domain.joint_operations.workflow import LIVE
from app.models.operation_vocabularies import JointOperationState, ParticipantRole, ResourceState
from app.models.vocabularies import RecordKind
from app.records.references import check_each
from app.records.shelf import Body, Stored

KIND: Final = RecordKind.JOINT_OPERATIONS

SUBSTANTIVE: Final = (
    "objective",
    "crime_types",
    "participants",
    "approval",
    "window",
    "area",
    "targets",
    "phases",
    "resources",
    "risk",
    "medical_plan",
    "victim_support_plan",
    "legal_grounds",
)
"""What a plan's hash is of. What an operation is called, and how far its tasks and resources are, is not decided on."""

_LIVE_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "participants": frozenset({"left_at", "left_because", "group"}),
    "tasks": frozenset({"done", "done_at", "done_by"}),
    "resources": frozenset({"state"}),
}


def content_of(stored: Stored) -> JointOperationContent:
    """The operation as it stands."""
    return JointOperationContent.model_validate(stored.fields)


def plan_fields(content: JointOperationPlan) -> dict[str, Any]:
    """The plan of an operation as its lead writes it, without what came of it."""
    return {name: getattr(content, name) for name in JointOperationPlan.model_fields}


def plan_values(stored: Stored) -> dict[str, Any]:
    """The plan of an operation as it stands, as JSON values."""
    return {name: value for name, value in stored.fields.items() if name in JointOperationPlan.model_fields}


def state_of(stored: Stored) -> JointOperationState:
    """How far the operation has come."""
    return JointOperationState(stored.envelope.state)


def require_over(stored: Stored) -> None:
    """409 for an operation that others count on: it is cancelled before it is taken back."""
    if stored.life in LIVE:
        raise Problem(CONFLICT, detail=f"The operation is {stored.life}: cancel it first.")


def body_of(content: JointOperationContent, state: JointOperationState) -> Body:
    """What the shelf keeps of an operation."""
    facets = [f"state:{state}", *(f"crime_type:{crime}" for crime in content.crime_types)]
    if content.area is not None and content.area.country is not None:
        facets.append(f"country:{content.area.country}")
    facets += [f"participant:{agency}" for agency in agencies_in(content)]
    names = distinct([content.title, *([content.codename] if content.codename else [])])
    return Body(content, facets, names, state.value)


def agencies_in(plan: JointOperationPlan) -> list[str]:
    """The agencies that take part, without those that have left."""
    return [part.agency for part in plan.participants if part.agency is not None and part.left_at is None]


def approvers(plan: JointOperationPlan) -> list[str]:
    """The agencies that are asked to approve the plan."""
    return [
        part.agency
        for part in plan.participants
        if part.agency is not None and part.left_at is None and part.approval_required
    ]


def canonical_plan(operation: UUID, plan: JointOperationPlan) -> str:
    """The text that the plan's hash is of: what is decided on, and which operation's it is.

    Whoever has left a draft is no part of it. In a plan that was proposed it stays: the others decided on it so.
    """
    fields = plan.model_dump(mode="json", include=set(SUBSTANTIVE))
    proposed = isinstance(plan, JointOperationContent) and plan.plan_hash is not None
    fields["participants"] = [
        _without(part, "participants") for part in fields["participants"] if proposed or part["left_at"] is None
    ]
    fields["resources"] = [_without(resource, "resources") for resource in fields["resources"]]
    for phase in fields["phases"]:
        phase["tasks"] = [_without(task, "tasks") for task in phase["tasks"]]
    return canonical({"operation": str(operation), **fields}).decode()


def _without(part: dict[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name not in _LIVE_FIELDS[field]}


def plan_hash(operation: UUID, plan: JointOperationPlan) -> str:
    """SHA-256, in hex, of the plan's canonical form."""
    return sha256(canonical_plan(operation, plan).encode()).hexdigest()


def differs(operation: UUID, before: JointOperationPlan, after: JointOperationPlan) -> bool:
    """Whether what is decided on has changed."""
    return canonical_plan(operation, before) != canonical_plan(operation, after)


def patched(stored: Stored, sent: JointOperationPatch) -> tuple[JointOperationContent, str | None, list[str]]:
    """The operation with a merge patch applied, its originator's own number, and the fields that differ.

    422 if the whole would not be right.
    """
    content = content_of(stored)
    before = {
        "external_id": stored.envelope.external_id,
        **content.model_dump(mode="json", include=set(JointOperationPlan.model_fields)),
    }
    after = validated(OwnJointOperation, sent.merged(before))
    settled = settle(content, after, stored.envelope.originator)
    merged = content.model_copy(update=plan_fields(settled))
    fields = {"external_id": after.external_id, **merged.model_dump(mode="json")}
    return merged, after.external_id, changed_fields({**stored.fields, "external_id": before["external_id"]}, fields)


def settle(before: JointOperationContent | None, after: JointOperationPlan, lead: str) -> JointOperationPlan:
    """A plan as it was sent, with what the hub adds and what is not the lead's to say taken from the plan before.

    The lead stands among the participants; tasks and resources have ids; done is what its agency said is done, and a
    pledge stands as long as what was pledged is the same. 422 for a lead that is not the caller.
    """
    known_parts = {part.agency: part for part in before.participants} if before else {}
    known_tasks = {task.id: task for phase in before.phases for task in phase.tasks} if before else {}
    known_resources = {resource.id: resource for resource in before.resources} if before else {}
    participants = [_settled_part(known_parts.get(part.agency), part) for part in after.participants]
    if lead not in [part.agency for part in participants]:
        participants.insert(0, Participant(agency=lead, role=ParticipantRole.LEAD))
    flaws = [
        Flaw(f"/participants/{number}/role", "lead-elsewhere", f"{lead} drafted the plan and leads, nobody else.")
        for number, part in enumerate(participants)
        if (part.role is ParticipantRole.LEAD) != (part.agency == lead)
    ]
    if flaws:
        raise invalid(*flaws)
    phases = [
        phase.model_copy(update={"tasks": [_settled_task(known_tasks.get(task.id), task) for task in phase.tasks]})
        for phase in after.phases
    ]
    _check_tasks(phases)
    resources = [_settled_resource(known_resources.get(resource.id), resource) for resource in after.resources]
    return after.model_copy(update={"participants": participants, "phases": phases, "resources": resources})


def _settled_part(before: Participant | None, after: Participant) -> Participant:
    left = (None, None) if before is None else (before.left_at, before.left_because)
    return after.model_copy(update={"left_at": left[0], "left_because": left[1]})


def _settled_task(before: Task | None, after: Task) -> Task:
    if before is None:
        return after.model_copy(update={"id": uuid7(), "done": False, "done_at": None, "done_by": None})
    return after.model_copy(update={"done": before.done, "done_at": before.done_at, "done_by": before.done_by})


def _settled_resource(before: Resource | None, after: Resource) -> Resource:
    if before is None:
        return after.model_copy(update={"id": uuid7(), "state": ResourceState.REQUESTED})
    same = (before.agency, before.kind, before.quantity) == (after.agency, after.kind, after.quantity)
    return after.model_copy(update={"state": before.state if same else ResourceState.REQUESTED})


def _check_tasks(phases: Sequence[Phase]) -> None:
    seen: set[UUID | None] = set()
    for number, phase in enumerate(phases):
        for place, task in enumerate(phase.tasks):
            if task.id in seen:
                raise invalid(Flaw(f"/phases/{number}/tasks/{place}/id", "repeated", "This task stands there already."))
            seen.add(task.id)


async def check_plan(desk: Desk, plan: JointOperationPlan) -> None:
    """422 for agencies that are none, and for work given to agencies that take no part."""
    named = {f"/participants/{n}/agency": part.agency for n, part in enumerate(plan.participants)}
    await check_each(desk, {pointer: agency for pointer, agency in named.items() if agency is not None})
    if any(part.group is not None for part in plan.participants):
        return  # whom a team brings along is known when the plan is proposed
    refuse_strangers(plan)


def refuse_strangers(plan: JointOperationPlan) -> None:
    """422 for tasks and resources of agencies that take no part."""
    taking_part = set(agencies_in(plan))
    detail = "Name an agency that takes part, or make it a participant."
    flaws = [
        Flaw(f"/phases/{number}/tasks/{place}/agency", "takes-no-part", detail)
        for number, phase in enumerate(plan.phases)
        for place, task in enumerate(phase.tasks)
        if task.agency not in taking_part and not task.done
    ]
    flaws += [
        Flaw(f"/resources/{number}/agency", "takes-no-part", detail)
        for number, resource in enumerate(plan.resources)
        if resource.agency not in taking_part and resource.state is not ResourceState.RELEASED
    ]
    if flaws:
        raise invalid(*flaws)
