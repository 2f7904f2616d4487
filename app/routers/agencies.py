"""`/v1/agencies`: the directory, and the hub's decisions about who takes part."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.access.desk import Desk
from app.audit.trail import note
from app.core.codes import Country, Language
from app.core.dates import UtcDateTime
from app.core.merge_patch import MEDIA_TYPE as MERGE_PATCH_TYPE
from app.core.problems import FORBIDDEN, Problem
from app.domain.agencies import directory, standing
from app.domain.agencies.shapes import Agency, AgencyCreate, AgencyPatch, AgencyStatus
from app.identity.roles import Permission
from app.models.vocabularies import AgencyKind
from app.web import answers, calls
from app.web.callers import AnyCaller, at_desk
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import open_cursor, seal_cursor
from app.web.state import house

PATH = "/v1/agencies"
router = APIRouter(prefix=PATH, tags=["Agencies"])

Reading = Annotated[Desk, at_desk(Permission.DIRECTORY_READ)]
Managing = Annotated[Desk, at_desk(Permission.AGENCIES_MANAGE)]


class AgencyFilters(Paging):
    """What the directory can be narrowed by; several filters narrow together."""

    order: Literal["updated_at", "created_at"] = Field("updated_at", description="Newest first, by this moment.")
    kind: AgencyKind | None = Field(None, description="What they are.")
    country: Country | None = Field(None, description="Whose they are.")
    language: Language | None = Field(None, description="What their duty desk reads.")
    status: AgencyStatus | None = Field(None, description="Whether they take part.")
    updated_after: UtcDateTime | None = Field(None, description="Changed after this moment.")


def _made(agency: Agency, status: int = 200) -> calls.Made:
    location = f"{PATH}/{agency.code}" if status == 201 else None  # noqa: PLR2004 - Created
    return calls.Made("agency", agency.code, agency.version, agency.model_dump_json(), status, location)


def _replay(desk: Desk) -> calls.Replay:
    async def replay(kept: calls.Kept) -> str:
        return (await directory.at_version(desk, kept.resource_id, kept.version)).model_dump_json()

    return replay


@router.get(
    "",
    summary="List agencies",
    operation_id="list_agencies",
    **operation(page_of(Agency), csv=True, etag=False),
)
async def list_agencies(request: Request, desk: Reading, filters: Annotated[AgencyFilters, Query()]) -> Response:
    """List the agencies that take part, newest change first. The hub's own agency is not among them."""
    answers.accepts(request, answers.JSON, answers.CSV)
    home = house(request)
    chosen = filters.model_dump(exclude={"limit", "cursor"}, exclude_none=True)
    place = open_cursor(home.cursors, PATH, chosen, filters.cursor)
    found = await directory.page(
        desk,
        order=filters.order,
        filters=chosen,
        after=(datetime.fromisoformat(place["at"]), place["code"]) if place else None,
        limit=filters.limit + 1,
    )
    shown, cursor = found[: filters.limit], None
    if len(found) > filters.limit:
        last = shown[-1]
        cursor = seal_cursor(
            home.cursors, PATH, chosen, {"at": getattr(last, filters.order).isoformat(), "code": last.code}
        )
    return answers.listing_of(request, shown, cursor)


@router.post(
    "",
    summary="Admit an agency",
    operation_id="create_agency",
    **operation(Agency, status=201, body=AgencyCreate, once=True, problems=("conflict",)),
)
async def create_agency(request: Request, desk: Managing) -> Response:
    """Admit an agency to the hub. It takes part once its first administrator's credential has been issued.

    The code is its name in every audience, reference and event from now on; it cannot be changed or used again.
    """

    async def act() -> calls.Made:
        return _made(await directory.create(desk, await calls.read_body(request, AgencyCreate)), 201)

    return await calls.once(request, desk, _replay(desk), act)


@router.get("/{code}", summary="Read an agency", operation_id="read_agency", **operation(Agency))
async def read_agency(request: Request, desk: Reading, code: str) -> Response:
    """Read an agency's entry: what it is, what its duty desk reads, and where it answers around the clock."""
    agency = await directory.fetch(desk, code)
    await note(desk, "agency.read", detail={"agency": code})
    return answers.model(request, agency, agency.version)


@router.patch(
    "/{code}",
    summary="Change an agency",
    operation_id="change_agency",
    **operation(
        Agency,
        body=AgencyPatch,
        types=(MERGE_PATCH_TYPE, answers.JSON),
        match=True,
        needs=(Permission.AGENCIES_MANAGE.value, Permission.CREDENTIALS_MANAGE.value),
    ),
)
async def change_agency(request: Request, desk: AnyCaller, code: str) -> Response:
    """Change an agency's entry by a merge patch (RFC 7396), based on the version named in If-Match.

    Needs `agencies:manage`; or `credentials:manage` for the agency's own administrators, who keep its names, languages,
    time zone and contact. What it is and whose it is, the hub decides.
    """
    if not desk.caller.permissions & {Permission.AGENCIES_MANAGE, Permission.CREDENTIALS_MANAGE}:
        raise Problem(FORBIDDEN, detail="This call needs the permission agencies:manage or credentials:manage.")
    agency = await directory.fetch(desk, code)
    directory.require_keeper(desk, agency)
    calls.require_match(request, agency.version)
    changed = await directory.patch(desk, agency, await calls.read_patch(request, AgencyPatch))
    return answers.model(request, changed, changed.version)


async def _move(request: Request, desk: Desk, code: str, move: Callable[[Desk, Agency], Awaitable[Agency]]) -> Response:
    """Do what ends or restores an agency's access, based on the version named in If-Match."""
    agency = await directory.fetch(desk, code)

    async def act() -> calls.Made:
        calls.require_match(request, agency.version)
        return _made(await move(desk, agency))

    return await calls.once(request, desk, _replay(desk), act)


@router.post(
    "/{code}/suspend",
    summary="Suspend an agency",
    operation_id="suspend_agency",
    **operation(Agency, match=True, once=True, problems=("conflict",)),
)
async def suspend_agency(request: Request, desk: Managing, code: str) -> Response:
    """Keep an agency out from the next request on: its credentials cannot sign in, and its tokens end.

    Its records, and what was shared with it, stay as they are. A pending recovery is cancelled, since its
    administrators could not. In an emergency send `If-Match: *`: it acts on whatever version there is.
    """
    return await _move(request, desk, code, standing.suspend)


@router.post(
    "/{code}/reinstate",
    summary="Reinstate an agency",
    operation_id="reinstate_agency",
    **operation(Agency, match=True, once=True, problems=("conflict",)),
)
async def reinstate_agency(request: Request, desk: Managing, code: str) -> Response:
    """Let a suspended agency in again. Its credentials sign in anew; tokens from before stay ended.

    `If-Match: *` acts on whatever version there is.
    """
    return await _move(request, desk, code, standing.reinstate)


@router.post(
    "/{code}/revoke-all",
    summary="End all tokens of an agency",
    operation_id="revoke_agency_tokens",
    **operation(Agency, match=True, once=True),
)
async def revoke_agency_tokens(request: Request, desk: Managing, code: str) -> Response:
    """End every token of an agency from the next request on; its credentials stay and can sign in again at once.

    A pending recovery is cancelled, so that nobody can keep an agency's administrators busy while it comes due.
    In an emergency send `If-Match: *`: it acts on whatever version there is.
    """
    return await _move(request, desk, code, standing.revoke_all)
