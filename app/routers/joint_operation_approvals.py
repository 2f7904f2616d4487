"""`/v1/joint-operations/{id}/approvals`: what the participants decide on a plan, and how that is proved."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.access.desk import Desk
from app.core import clock
from app.core.ids import parse_uuid
from app.domain.joint_operations import approving
from app.domain.joint_operations.plans import KIND, canonical_plan, content_of, plan_hash
from app.domain.joint_operations.shapes import CanonicalPlan, DecisionIn, OperationApproval
from app.identity.roles import Permission
from app.routers.joint_operations import TAG
from app.routers.parts import COVERED, note_read, page
from app.web import answers, calls
from app.web.callers import at_desk
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import place_of
from app.web.state import house

router = APIRouter(prefix=f"/v1/{KIND}/{{record_id}}", tags=[TAG])

Reading = Annotated[Desk, at_desk(Permission.OPERATIONS_READ)]
Deciding = Annotated[Desk, at_desk(Permission.OPERATIONS_APPROVE)]


@router.get(
    "/approvals",
    summary="List decisions on the plan",
    operation_id="list_joint_operation_approvals",
    **operation(page_of(OperationApproval), csv=True, etag=False, problems=COVERED),
)
async def list_approvals(
    request: Request, desk: Reading, record_id: str, paging: Annotated[Paging, Query()]
) -> Response:
    """List who decided what on which plan, newest first, void decisions too. For the lead and those who take part.

    Each carries the hub's signed statement of it: together with `/plan` they prove who approved what, to anybody who
    has the hub's keys.
    """
    stored = await calls.fetch_as_party(request, desk, KIND, record_id)
    after = place_of(request, house(request).cursors, paging.cursor)
    found = await approving.listed(desk, stored, after, paging.limit + 1)
    await note_read(desk, "approvals.list", stored)
    return page(request, found, paging.limit, "at", "id")


@router.post(
    "/approvals",
    summary="Decide on a plan",
    operation_id="decide_on_joint_operation",
    **operation(OperationApproval, status=201, body=DecisionIn, once=True, problems=("conflict", "retracted")),
)
async def decide(request: Request, desk: Deciding, record_id: str) -> Response:
    """Approve or reject a plan for your agency, named by its `plan_hash`: 409 if it says something else by now.

    It takes no If-Match: the hash is what it is bound to, and participants can decide at the same moment. With the last
    approval that the rule asks for the operation is `approved`; a rejection that puts the rule out of reach makes it a
    draft again. An agency decides once on a plan.
    """
    stored = await calls.fetch_as_party(request, desk, KIND, record_id)

    async def replay(kept: calls.Kept) -> str:
        return (await approving.one(desk, stored, parse_uuid(kept.resource_id))).model_dump_json()

    async def act() -> calls.Made:
        sent = await calls.read_body(request, DecisionIn)
        home = house(request)
        key = home.keys.signing_key(clock.now())
        made = await approving.decide(desk, stored, sent, key, home.settings.public_url)
        return calls.Made("approvals", str(made.id), 1, made.model_dump_json(), 201, f"{request.url.path}/{made.id}")

    return await calls.once(request, desk, replay, act)


@router.get(
    "/approvals/{approval_id}",
    summary="Read a decision",
    operation_id="read_joint_operation_approval",
    **operation(OperationApproval, problems=COVERED),
)
async def read_approval(request: Request, desk: Reading, record_id: str, approval_id: str) -> Response:
    """Read one agency's decision on a plan, with the hub's signed statement of it."""
    stored = await calls.fetch_as_party(request, desk, KIND, record_id)
    found = await approving.one(desk, stored, parse_uuid(approval_id))
    await note_read(desk, "approvals.read", stored)
    return answers.model(request, found, 1 if found.voided_at is None else 2)


@router.get(
    "/plan",
    summary="Read the plan as it is hashed",
    operation_id="read_joint_operation_plan",
    **operation(CanonicalPlan, problems=COVERED),
)
async def read_plan(request: Request, desk: Reading, record_id: str) -> Response:
    """Read the canonical form (RFC 8785) of what the plan says now, and its hash: what an approval is bound to."""
    stored = await calls.fetch_as_party(request, desk, KIND, record_id)
    content = content_of(stored)
    await note_read(desk, "plan.read", stored)
    operation_id = stored.envelope.id
    shown = CanonicalPlan(plan_hash=plan_hash(operation_id, content), canonical=canonical_plan(operation_id, content))
    return answers.model(request, shown, stored.envelope.version)
