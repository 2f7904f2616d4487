"""`/v1/joint-operations/{id}/repatriation-requests`: the people who were arrested, asked for in one call."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from app.access.desk import Desk
from app.core.validation import validated
from app.domain.joint_operations.following_up import ArrestRequestIn, arrest_request
from app.domain.joint_operations.plans import KIND
from app.domain.repatriation_requests import requests
from app.domain.repatriation_requests.shapes import RepatriationRequest, RepatriationRequestCreate
from app.identity.roles import Permission
from app.routers.joint_operations import TAG
from app.web import calls
from app.web.callers import at_desk
from app.web.openapi import operation
from app.web.replays import replay_record

router = APIRouter(prefix=f"/v1/{KIND}/{{record_id}}/repatriation-requests", tags=[TAG])

Asking = Annotated[Desk, at_desk(Permission.OPERATIONS_READ, Permission.REPATRIATIONS_WRITE)]


@router.post(
    "",
    summary="Ask for who was arrested",
    operation_id="request_joint_operation_arrests",
    **operation(
        RepatriationRequest,
        status=201,
        body=ArrestRequestIn,
        once=True,
        problems=(
            "conflict",
            "retracted",
            "acknowledgement-required",
            "no-legal-basis",
            "external-id-taken",
            "unknown-reference",
        ),
    ),
)
async def request_arrests(request: Request, desk: Asking, record_id: str) -> Response:
    """Draft a repatriation request for the suspects of one nationality whom a participant counted as arrested.

    It asks the agency that arrested them, or another you name, and is linked to the operation, which whoever reads the
    request need not know of. Enter the people under the request's `/persons`, each of whom is screened before they
    travel, and submit it. The credential needs `operations:read` and `repatriations:write`.
    """
    stored = await calls.fetch_as_party(request, desk, KIND, record_id)

    async def act() -> calls.Made:
        sent = await calls.read_body(request, ArrestRequestIn)
        made = validated(RepatriationRequestCreate, arrest_request(stored, sent))
        return calls.record_made(await requests.create(desk, made), 201)

    return await calls.once(request, desk, replay_record(desk), act)
