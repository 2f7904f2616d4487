"""`/v1/agencies/{code}/recovery`: the way back for an agency whose administrators lost their credentials."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.access.desk import Desk
from app.core.ids import parse_uuid
from app.core.problems import FORBIDDEN, Problem
from app.domain.credentials import recovery
from app.domain.credentials.powers import Power, power_over
from app.domain.credentials.shapes import IssuedCredential, Recovery, RecoveryRequest
from app.identity.roles import Permission
from app.routers.credentials import NEEDS, made, replay
from app.web import answers, calls
from app.web.callers import AnyCaller
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import next_place, place_of
from app.web.state import house

router = APIRouter(prefix="/v1/agencies/{code}/recovery", tags=["Credentials"])

HUB_NEEDS = (Permission.CREDENTIALS_BOOTSTRAP.value,)


def _made(found: Recovery, status: int = 200) -> calls.Made:
    location = f"/v1/agencies/{found.agency}/recovery" if status == 201 else None  # noqa: PLR2004 - Created
    return calls.Made("recovery", str(found.id), found.version, found.model_dump_json(), status, location)


def _replay(desk: Desk, code: str) -> calls.Replay:
    async def render(kept: calls.Kept) -> str:
        found = await recovery.fetch(desk, code, parse_uuid(kept.resource_id))
        return (recovery.as_requested(found) if kept.version == 1 else found).model_dump_json()

    return render


async def _require_hub(desk: Desk, code: str) -> None:
    if await power_over(desk, code) is not Power.BOOTSTRAP:
        raise Problem(FORBIDDEN, detail="A recovery is asked for and completed by the hub, for a member.")


@router.get(
    "",
    summary="List recoveries",
    operation_id="list_recoveries",
    **operation(page_of(Recovery), csv=True, etag=False, needs=NEEDS),
)
async def list_recoveries(request: Request, desk: AnyCaller, code: str, paging: Annotated[Paging, Query()]) -> Response:
    """List an agency's recoveries, newest first: for its own administrators, and for the hub's.

    Needs `credentials:manage` (your own agency) or `credentials:bootstrap`.
    """
    await power_over(desk, code)
    cursors = house(request).cursors
    found = await recovery.page(desk, code, place_of(request, cursors, paging.cursor), paging.limit + 1)
    shown, cursor = found[: paging.limit], None
    if len(found) > paging.limit:
        cursor = next_place(request, cursors, shown[-1].requested_at, shown[-1].id)
    return answers.listing_of(request, shown, cursor)


@router.post(
    "",
    summary="Ask for a recovery",
    operation_id="request_recovery",
    **operation(Recovery, status=201, body=RecoveryRequest, once=True, needs=HUB_NEEDS, problems=("conflict",)),
)
async def request_recovery(request: Request, desk: AnyCaller, code: str) -> Response:
    """Ask for a new administrator's credential of an agency that lost all of its own. It takes effect after 24 hours.

    The agency is told at once by the event `recovery.requested`, and any of its administrators can cancel until it is
    completed. Suspending the agency, or ending all its tokens, cancels it too. Needs `credentials:bootstrap`.
    """
    await _require_hub(desk, code)

    async def act() -> calls.Made:
        return _made(await recovery.request(desk, code, await calls.read_body(request, RecoveryRequest)), 201)

    return await calls.once(request, desk, _replay(desk, code), act)


@router.post(
    "/{recovery_id}/cancel",
    summary="Cancel a recovery",
    operation_id="cancel_recovery",
    **operation(Recovery, match=True, once=True, needs=NEEDS, problems=("conflict",)),
)
async def cancel_recovery(request: Request, desk: AnyCaller, code: str, recovery_id: str) -> Response:
    """End a recovery before it is completed: any administrator of the agency can, and so can the hub.

    If-Match names its `version` in quotes, as the list shows it; `If-Match: *` acts on whatever version there is.
    Needs `credentials:manage` (your own agency) or `credentials:bootstrap`.
    """
    await power_over(desk, code)
    found = await recovery.fetch(desk, code, parse_uuid(recovery_id))

    async def act() -> calls.Made:
        calls.require_match(request, found.version)
        return _made(await recovery.cancel(desk, found))

    return await calls.once(request, desk, _replay(desk, code), act)


@router.post(
    "/{recovery_id}/complete",
    summary="Complete a recovery",
    operation_id="complete_recovery",
    **operation(IssuedCredential, status=201, match=True, once=True, needs=HUB_NEEDS, problems=("conflict",)),
)
async def complete_recovery(request: Request, desk: AnyCaller, code: str, recovery_id: str) -> Response:
    """Issue the `agency_admin` credential of a recovery that nobody cancelled in 24 hours; its secret is shown once.

    The agency is told by the event `recovery.completed`. If-Match names the recovery's `version` in quotes, as the list
    shows it. Needs `credentials:bootstrap`.
    """
    await _require_hub(desk, code)
    found = await recovery.fetch(desk, code, parse_uuid(recovery_id))

    async def act() -> calls.Made:
        calls.require_match(request, found.version)
        return made(await recovery.complete(desk, found), 201)

    return await calls.once(request, desk, replay(desk, code, secret=True), act)
