"""What a participant does with its own part: what it brings, its tasks, and leaving."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from app.access.desk import Desk
from app.access.envelope import changed_fields
from app.core import clock
from app.core.ids import uuid7
from app.core.problems import CONFLICT, FORBIDDEN, Problem, not_found
from app.core.validation import validated
from app.domain.joint_operations.plan_shapes import Phase, Resource, Task
from app.domain.joint_operations.plans import agencies_in, body_of, content_of, state_of
from app.domain.joint_operations.proposing import revise, void_approvals
from app.domain.joint_operations.shapes import (
    JointOperationContent,
    OwnResource,
    OwnTask,
    PledgeIn,
    ResourcePatch,
    TaskPatch,
)
from app.domain.joint_operations.workflow import WORKFLOW
from app.models.operation_vocabularies import JointOperationState as State
from app.models.operation_vocabularies import ResourceState
from app.records.advancing import Parties, Step, advance, hold
from app.records.shelf import Stored

_OVER: Final = (State.COMPLETED, State.CANCELLED)
_RUNNING: Final = (State.ACTIVE, *_OVER)


async def pledge(desk: Desk, stored: Stored, sent: PledgeIn) -> Stored:
    """Pledge something of the caller's agency's own, which nobody asked for; it changes the plan."""
    stored, content = await _open(desk, stored)
    _require_plan_open(stored)
    added = Resource(
        id=uuid7(),
        agency=desk.caller.agency,
        kind=sent.kind,
        quantity=sent.quantity,
        note=sent.note,
        state=ResourceState.CONFIRMED,
    )
    after = content.model_copy(update={"resources": [*content.resources, added]})
    return await _revised(desk, stored, after, "operation.pledge", "operation.resource_changed", added.id)


async def change_resource(desk: Desk, stored: Stored, resource_id: UUID | None, sent: ResourcePatch) -> Stored:
    """Say where a resource of the caller's agency is, or what it is after all, which changes the plan.

    404 for none, 403 for another agency's.
    """
    stored, content = await _open(desk, stored)
    before = _resource(content, resource_id)
    _require_own(desk, before.agency)
    said = validated(OwnResource, sent.merged(before.model_dump(mode="json", include=set(OwnResource.model_fields))))
    after = before.model_copy(update={name: getattr(said, name) for name in OwnResource.model_fields})
    if (after.kind, after.quantity, after.note) != (before.kind, before.quantity, before.note):
        _require_plan_open(stored)
    resources = [after if resource.id == before.id else resource for resource in content.resources]
    changed = content.model_copy(update={"resources": resources})
    return await _revised(desk, stored, changed, "operation.change_resource", "operation.resource_changed", before.id)


async def change_task(desk: Desk, stored: Stored, task_id: UUID | None, sent: TaskPatch) -> Stored:
    """Say that a task of the caller's agency is done, or what it is after all, which changes the plan.

    404 for none, 403 for another agency's.
    """
    stored, content = await _open(desk, stored)
    before = _task(content, task_id)
    _require_own(desk, before.agency)
    said = validated(OwnTask, sent.merged(before.model_dump(mode="json", include=set(OwnTask.model_fields))))
    after = before.model_copy(update={"title": said.title, "due_at": said.due_at, "note": said.note})
    if after != before:
        _require_plan_open(stored)
    if said.done != before.done:
        update = {"done": said.done, "done_at": clock.now() if said.done else None}
        after = after.model_copy(update={**update, "done_by": desk.caller.agency if said.done else None})
    changed = content.model_copy(update={"phases": _with_task(content.phases, after)})
    return await _revised(desk, stored, changed, "operation.change_task", "operation.task_changed", before.id)


async def leave(desk: Desk, stored: Stored, reason: str) -> None:
    """End the part of the caller's agency, which sees the operation no more unless its handling names it.

    Before the operation began, the plan is a draft again by that: it was decided on with this agency. 409 for its lead,
    who cancels it instead.
    """
    stored = await hold(desk, stored)
    agency = desk.caller.agency
    if stored.own:
        raise Problem(CONFLICT, detail="Your agency leads the operation: cancel it instead.")
    state = state_of(stored)
    row = WORKFLOW.require("leave", state)
    content, at = content_of(stored), clock.now()
    participants = [
        part.model_copy(update={"left_at": at, "left_because": reason})
        if part.agency == agency and part.left_at is None
        else part
        for part in content.participants
    ]
    after = content.model_copy(update={"participants": participants})
    returned = state in (State.PROPOSED, State.APPROVED)
    if returned:
        after, state = after.model_copy(update={"plan_hash": None}), State.DRAFT
    changed = [*changed_fields(stored.fields, after.model_dump(mode="json")), *(["state"] if returned else [])]
    if returned:
        await void_approvals(desk, stored, "participant-left")
    step = Step("operation.leave", row.event, changed, {"agency": agency})
    parties = Parties([party for party in stored.parties if party != agency], reason="Your agency left the operation.")
    await advance(desk, stored, body_of(after, state), step, parties)


async def _open(desk: Desk, stored: Stored) -> tuple[Stored, JointOperationContent]:
    """The held operation and what it says, for an agency that takes part in it; 409 once it is over."""
    stored = await hold(desk, stored)
    content = content_of(stored)
    if desk.caller.agency not in agencies_in(content):
        raise Problem(FORBIDDEN, detail="Your agency takes no part in this operation.")
    if state_of(stored) in _OVER:
        raise Problem(CONFLICT, detail=f"The operation is {state_of(stored)}: nothing of its plan changes any more.")
    return stored, content


def _require_plan_open(stored: Stored) -> None:
    """409 where what was approved is being carried out."""
    if state_of(stored) in _RUNNING:
        detail = "The operation is active: what was approved is settled. Its lead can suspend it first."
        raise Problem(CONFLICT, detail=detail)


def _require_own(desk: Desk, agency: str) -> None:
    if agency != desk.caller.agency:
        raise Problem(FORBIDDEN, detail=f"This is {agency}'s: only that agency changes it.")


def _resource(content: JointOperationContent, resource_id: UUID | None) -> Resource:
    found = [resource for resource in content.resources if resource_id is not None and resource.id == resource_id]
    if not found:
        raise not_found()
    return found[0]


def _task(content: JointOperationContent, task_id: UUID | None) -> Task:
    tasks = [task for phase in content.phases for task in phase.tasks]
    found = [task for task in tasks if task_id is not None and task.id == task_id]
    if not found:
        raise not_found()
    return found[0]


def _with_task(phases: Sequence[Phase], changed: Task) -> list[Phase]:
    return [
        phase.model_copy(update={"tasks": [changed if task.id == changed.id else task for task in phase.tasks]})
        for phase in phases
    ]


async def _revised(
    desk: Desk, stored: Stored, after: JointOperationContent, action: str, event: str, part: UUID | None
) -> Stored:
    return await revise(desk, stored, after, Step(action, event, (), {"agency": desk.caller.agency, "part": str(part)}))
