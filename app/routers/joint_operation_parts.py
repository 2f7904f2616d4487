"""`/v1/joint-operations/{id}/resources` and `/tasks`: what each participant brings and does, as it says itself."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from app.access.desk import Desk
from app.core.ids import parse_uuid
from app.core.merge_patch import MEDIA_TYPE as MERGE_PATCH
from app.domain.joint_operations import taking_part
from app.domain.joint_operations.plans import KIND
from app.domain.joint_operations.shapes import PledgeIn, ResourcePatch, TaskPatch
from app.identity.roles import Permission
from app.routers.joint_operations import TAG, JointOperationRead
from app.web import answers, calls
from app.web.callers import at_desk
from app.web.openapi import operation
from app.web.replays import replay_record

router = APIRouter(prefix=f"/v1/{KIND}/{{record_id}}", tags=[TAG])

Writing = Annotated[Desk, at_desk(Permission.OPERATIONS_WRITE)]

_PATCHED = ("conflict", "retracted", "acknowledgement-required")


@router.post(
    "/resources",
    summary="Pledge a resource",
    operation_id="pledge_joint_operation_resource",
    **operation(JointOperationRead, status=201, body=PledgeIn, match=True, once=True, problems=_PATCHED),
)
async def pledge_resource(request: Request, desk: Writing, record_id: str) -> Response:
    """Bring something that nobody asked your agency for. It changes the plan: decisions given on it are void by that.

    The answer is the whole operation.
    """
    stored = await calls.fetch_as_party(request, desk, KIND, record_id)

    async def act() -> calls.Made:
        calls.require_match(request, stored.envelope.version)
        sent = await calls.read_body(request, PledgeIn)
        return calls.record_made(await taking_part.pledge(desk, stored, sent), 201)

    return await calls.once(request, desk, replay_record(desk), act)


@router.patch(
    "/resources/{resource_id}",
    summary="Confirm or move a resource",
    operation_id="change_joint_operation_resource",
    **operation(
        JointOperationRead, body=ResourcePatch, types=(MERGE_PATCH, answers.JSON), match=True, problems=_PATCHED
    ),
)
async def change_resource(request: Request, desk: Writing, record_id: str, resource_id: str) -> Response:
    """Say of a resource of your agency that it is pledged (`confirmed`), in place or released; nobody else can.

    Another kind, quantity or note is another plan: decisions given on it are void by that.
    """
    stored = await calls.fetch_as_party(request, desk, KIND, record_id)
    calls.require_match(request, stored.envelope.version)
    sent = await calls.read_patch(request, ResourcePatch)
    made = await taking_part.change_resource(desk, stored, parse_uuid(resource_id), sent)
    return answers.document(request, made.text, made.envelope.version)


@router.patch(
    "/tasks/{task_id}",
    summary="Change a task of your own",
    operation_id="change_joint_operation_task",
    **operation(JointOperationRead, body=TaskPatch, types=(MERGE_PATCH, answers.JSON), match=True, problems=_PATCHED),
)
async def change_task(request: Request, desk: Writing, record_id: str, task_id: str) -> Response:
    """Say of a task of your agency that it is done, or not after all; nobody else can.

    Another title, note or day is another plan: decisions given on it are void by that.
    """
    stored = await calls.fetch_as_party(request, desk, KIND, record_id)
    calls.require_match(request, stored.envelope.version)
    sent = await calls.read_patch(request, TaskPatch)
    made = await taking_part.change_task(desk, stored, parse_uuid(task_id), sent)
    return answers.document(request, made.text, made.envelope.version)
