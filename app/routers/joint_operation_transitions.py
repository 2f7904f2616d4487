"""`/v1/joint-operations/{id}/…`: the steps of an operation's course, as its workflow has them."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Request, Response

from app.access.desk import Desk
from app.domain.joint_operations import moving, proposing, taking_part
from app.domain.joint_operations.plans import KIND
from app.domain.joint_operations.shapes import JointOperation, ReasonIn
from app.identity.roles import Permission
from app.records import shelf
from app.records.shelf import Stored
from app.routers.joint_operations import TAG
from app.web import calls
from app.web.callers import at_desk
from app.web.openapi import operation
from app.web.replays import replay_record

router = APIRouter(prefix=f"/v1/{KIND}/{{record_id}}", tags=[TAG])

Leading = Annotated[Desk, at_desk(Permission.OPERATIONS_WRITE)]
Deciding = Annotated[Desk, at_desk(Permission.OPERATIONS_APPROVE)]

_MOVED = operation(JointOperation, match=True, once=True, problems=("conflict", "retracted"))
_MOVED_FOR_A_REASON = operation(
    JointOperation, body=ReasonIn, match=True, once=True, problems=("conflict", "retracted")
)
_BEGUN = operation(
    JointOperation, match=True, once=True, problems=("conflict", "not-approved", "conflict-open", "retracted")
)


@router.post(
    "/propose",
    summary="Propose a plan",
    operation_id="propose_joint_operation",
    **operation(
        JointOperation,
        match=True,
        once=True,
        problems=(
            "conflict",
            "retracted",
            "invalid-body",
            "no-legal-basis",
            "unknown-reference",
            "deconfliction-limit",
        ),
    ),
)
async def propose_operation(request: Request, desk: Leading, record_id: str) -> Response:
    """Freeze the plan under its `plan_hash` and open it to its participants; those who are asked decide on it now.

    The plan needs an objective, a window that is not over, an area, another participant and somebody who is asked;
    what is missing is named with a pointer into the plan. Every participant needs a legal basis like any reader: the
    agreement that the handling names. A joint team is replaced by its members of this moment. Whoever stood in an
    earlier proposal and takes part no more loses sight of the operation. From now on it is kept out of the way of every
    other live operation: whoever leads one that collides with it is told, as you are, and finds a conflict.
    """

    async def move(stored: Stored) -> Stored:
        return await proposing.propose(desk, stored)

    return await _once(request, desk, record_id, move)


@router.post("/activate", summary="Begin an operation", operation_id="activate_joint_operation", **_BEGUN)
async def activate_operation(request: Request, desk: Leading, record_id: str) -> Response:
    """Begin an operation: with its approvals on the plan as it stands, in its window, and no serious conflict open."""

    async def move(stored: Stored) -> Stored:
        return await moving.activate(desk, stored)

    return await _once(request, desk, record_id, move)


@router.post(
    "/suspend", summary="Interrupt an operation", operation_id="suspend_joint_operation", **_MOVED_FOR_A_REASON
)
async def suspend_operation(request: Request, desk: Leading, record_id: str) -> Response:
    """Interrupt an operation that is under way, for a reason that everybody who sees it is told."""

    async def move(stored: Stored) -> Stored:
        sent = await calls.read_body(request, ReasonIn)
        return await moving.suspend(desk, stored, sent.reason)

    return await _once(request, desk, record_id, move)


@router.post("/resume", summary="Go on with an operation", operation_id="resume_joint_operation", **_BEGUN)
async def resume_operation(request: Request, desk: Leading, record_id: str) -> Response:
    """Go on with a suspended operation, under the conditions under which it began."""

    async def move(stored: Stored) -> Stored:
        return await moving.resume(desk, stored)

    return await _once(request, desk, record_id, move)


@router.post("/complete", summary="End an operation", operation_id="complete_joint_operation", **_MOVED)
async def complete_operation(request: Request, desk: Leading, record_id: str) -> Response:
    """Say that an operation is over. Its participants add what came of it, and what they learned."""

    async def move(stored: Stored) -> Stored:
        return await moving.complete(desk, stored)

    return await _once(request, desk, record_id, move)


@router.post("/cancel", summary="Give an operation up", operation_id="cancel_joint_operation", **_MOVED_FOR_A_REASON)
async def cancel_operation(request: Request, desk: Leading, record_id: str) -> Response:
    """Give an operation up, in whatever state it is before its end, for a reason that everybody who sees it is told."""

    async def move(stored: Stored) -> Stored:
        sent = await calls.read_body(request, ReasonIn)
        return await moving.cancel(desk, stored, sent.reason)

    return await _once(request, desk, record_id, move)


@router.post(
    "/leave",
    summary="Leave an operation",
    operation_id="leave_joint_operation",
    **operation(status=204, body=ReasonIn, match=True, once=True, problems=("conflict", "retracted")),
)
async def leave_operation(request: Request, desk: Deciding, record_id: str) -> Response:
    """End your agency's part in an operation, which it does not see any more unless its handling names you.

    What was proposed or approved becomes a draft again: it was decided on with your agency. An operation that is under
    way goes on without you. You are asked what you did with your copies, like any recipient who loses sight.
    """
    stored = await calls.fetch(request, desk, KIND, record_id)
    shelf.require_party(stored)

    async def act() -> calls.Made:
        calls.require_match(request, stored.envelope.version)
        sent = await calls.read_body(request, ReasonIn)
        await taking_part.leave(desk, stored, sent.reason)
        return calls.Made(KIND.value, str(stored.envelope.id), stored.envelope.version, "", 204)

    return await calls.once(request, desk, None, act)


async def _once(request: Request, desk: Desk, record_id: str, move: Callable[[Stored], Awaitable[Stored]]) -> Response:
    """A step of the lead's, unless a call with this Idempotency-Key took it already."""
    stored = await calls.fetch_own(request, desk, KIND, record_id)

    async def act() -> calls.Made:
        calls.require_match(request, stored.envelope.version)
        return calls.record_made(await move(stored))

    return await calls.once(request, desk, replay_record(desk), act)
