"""`/v1/agencies/{code}/credentials`: what an agency's systems sign in with."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.access.desk import Desk
from app.audit.trail import note
from app.core.merge_patch import MEDIA_TYPE as MERGE_PATCH_TYPE
from app.domain.credentials import issuing, keeping
from app.domain.credentials.powers import power_over, require_keeper
from app.domain.credentials.shapes import (
    AuthMethod,
    Credential,
    CredentialCreate,
    CredentialPatch,
    CredentialStatus,
    IssuedCredential,
    Rotation,
)
from app.identity.roles import Permission, Role
from app.web import answers, calls
from app.web.callers import AnyCaller
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import open_cursor, seal_cursor
from app.web.preconditions import etag
from app.web.state import house

router = APIRouter(prefix="/v1/agencies/{code}/credentials", tags=["Credentials"])

NEEDS = (Permission.CREDENTIALS_MANAGE.value, Permission.CREDENTIALS_BOOTSTRAP.value)
"""An agency's administrators keep its credentials by the first, the hub's own by the second."""


class CredentialFilters(Paging):
    """What the list can be narrowed by; several filters narrow together."""

    order: Literal["updated_at", "created_at"] = Field("updated_at", description="Newest first, by this moment.")
    status: CredentialStatus | None = Field(None, description="Whether they can sign in.")
    role: Role | None = Field(None, description="Those that hold this role.")
    auth_method: AuthMethod | None = Field(None, description="How they prove themselves.")


def _path(credential: Credential) -> str:
    return f"/v1/agencies/{credential.agency}/credentials/{credential.client_id}"


def made(credential: Credential, status: int = 200) -> calls.Made:
    """A credential as what a call made."""
    location = _path(credential) if status == 201 else None  # noqa: PLR2004 - Created
    return calls.Made(
        "credential", credential.client_id, credential.version, credential.model_dump_json(), status, location
    )


def replay(desk: Desk, code: str, *, secret: bool) -> calls.Replay:
    """The kept version of a credential; where the first answer showed a secret, a repeat shows null."""

    async def render(kept: calls.Kept) -> str:
        credential = await keeping.at_version(desk, code, kept.resource_id, kept.version)
        return (issuing.with_secret(credential, None) if secret else credential).model_dump_json()

    return render


@router.get(
    "",
    summary="List credentials",
    operation_id="list_credentials",
    **operation(page_of(Credential), csv=True, etag=False, needs=NEEDS),
)
async def list_credentials(
    request: Request, desk: AnyCaller, code: str, filters: Annotated[CredentialFilters, Query()]
) -> Response:
    """List the credentials of your agency, newest change first, with when each was last used and when it expires.

    Needs `credentials:manage`. Another agency's credentials are not there, whether or not there is such an agency.
    """
    await require_keeper(desk, code)
    answers.accepts(request, answers.JSON, answers.CSV)
    home, path = house(request), request.url.path
    chosen = filters.model_dump(exclude={"limit", "cursor"}, exclude_none=True)
    place = open_cursor(home.cursors, path, chosen, filters.cursor)
    found = await keeping.page(
        desk,
        code,
        order=filters.order,
        filters=chosen,
        after=(datetime.fromisoformat(place["at"]), place["id"]) if place else None,
        limit=filters.limit + 1,
    )
    shown, cursor = found[: filters.limit], None
    if len(found) > filters.limit:
        at = getattr(shown[-1], filters.order).isoformat()
        cursor = seal_cursor(home.cursors, path, chosen, {"at": at, "id": shown[-1].client_id})
    return answers.listing_of(request, shown, cursor)


@router.post(
    "",
    summary="Issue a credential",
    operation_id="issue_credential",
    **operation(IssuedCredential, status=201, body=CredentialCreate, once=True, needs=NEEDS),
)
async def issue_credential(request: Request, desk: AnyCaller, code: str) -> Response:
    """Issue a credential. Its `client_secret` is in this answer and nowhere else, not even in a repeated call.

    With `credentials:manage`: for your own agency, with every role but `platform_admin`. With `credentials:bootstrap`:
    `platform_admin` for the hub, and for a member its first `agency_admin`. An agency that had an administrator before
    gets the next one from them, or by a recovery.
    """
    power = await power_over(desk, code)

    async def act() -> calls.Made:
        sent = await calls.read_body(request, CredentialCreate)
        return made(await issuing.issue(desk, code, power, sent), 201)

    return await calls.once(request, desk, replay(desk, code, secret=True), act)


@router.get(
    "/{client_id}",
    summary="Read a credential",
    operation_id="read_credential",
    **operation(Credential, etag=False, headers=("ETag",), needs=NEEDS),
)
async def read_credential(desk: AnyCaller, code: str, client_id: str) -> Response:
    """Read a credential of your agency: roles, expiry, networks, keys, status and last use, never a secret.

    The ETag is the version of what administrators decided; status and last use change without it, so that this call
    never answers 304. Needs `credentials:manage`.
    """
    await require_keeper(desk, code)
    credential = await keeping.fetch(desk, code, client_id)
    await note(desk, "credential.read", detail={"agency": code, "client_id": client_id})
    headers = {"ETag": etag(credential.version)}
    return Response(credential.model_dump_json(), headers=headers, media_type=answers.JSON)


@router.patch(
    "/{client_id}",
    summary="Change a credential",
    operation_id="change_credential",
    **operation(
        Credential,
        body=CredentialPatch,
        types=(MERGE_PATCH_TYPE, answers.JSON),
        match=True,
        needs=NEEDS,
        problems=("conflict",),
    ),
)
async def change_credential(request: Request, desk: AnyCaller, code: str, client_id: str) -> Response:
    """Change label, roles, expiry, networks or keys by a merge patch (RFC 7396), based on the version in If-Match.

    What is taken away counts from the next request on, also for tokens already issued. An agency keeps at least one
    administrator. Needs `credentials:manage`.
    """
    await require_keeper(desk, code)
    credential = await keeping.fetch(desk, code, client_id)
    calls.require_match(request, credential.version)
    changed = await keeping.patch(desk, credential, await calls.read_patch(request, CredentialPatch))
    return answers.model(request, changed, changed.version)


@router.post(
    "/{client_id}/rotate",
    summary="Change a credential's secret",
    operation_id="rotate_credential",
    **operation(
        IssuedCredential,
        body=Rotation,
        match=True,
        once=True,
        needs=NEEDS,
        problems=("conflict",),
    ),
)
async def rotate_credential(request: Request, desk: AnyCaller, code: str, client_id: str) -> Response:
    """Draw a new secret, shown in this answer only. The former one works beside it until its grace ends.

    Without a body the grace is an hour. After a leak send `If-Match: *`: it acts on whatever version there is.
    Needs `credentials:manage`.
    """
    await require_keeper(desk, code)
    credential = await keeping.fetch(desk, code, client_id)

    async def act() -> calls.Made:
        calls.require_match(request, credential.version)
        return made(await issuing.rotate(desk, credential, await calls.read_body(request, Rotation)))

    return await calls.once(request, desk, replay(desk, code, secret=True), act)


@router.post(
    "/{client_id}/revoke",
    summary="Revoke a credential",
    operation_id="revoke_credential",
    **operation(Credential, match=True, once=True, needs=NEEDS, problems=("conflict",)),
)
async def revoke_credential(request: Request, desk: AnyCaller, code: str, client_id: str) -> Response:
    """End a credential for good, with all its tokens, from the next request on.

    In an emergency send `If-Match: *`: it acts on whatever version there is. The agency's last administrator stays
    (409): issue another one first. Needs `credentials:manage`.
    """
    await require_keeper(desk, code)
    credential = await keeping.fetch(desk, code, client_id)

    async def act() -> calls.Made:
        calls.require_match(request, credential.version)
        return made(await keeping.revoke(desk, credential))

    return await calls.once(request, desk, replay(desk, code, secret=False), act)
