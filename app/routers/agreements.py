"""`/v1/agreements`: what agencies agree on about sharing, drafted, changed and read."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.access.desk import Desk
from app.core.codes import AgencyCode
from app.core.merge_patch import MEDIA_TYPE
from app.domain.agreements import agreements, signing
from app.domain.agreements.agreements import AGREEMENTS
from app.domain.agreements.shapes import Agreement, AgreementCreate, AgreementPatch, AgreementSignature
from app.identity.roles import Permission
from app.models.vocabularies import AgreementKind, AgreementState
from app.web import answers, calls, nouns
from app.web.callers import at_desk
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import open_cursor, place_of, seal_cursor
from app.web.state import house

router = APIRouter(prefix="/v1/agreements", tags=["Agreements"])

Reading = Annotated[Desk, at_desk(Permission.AGREEMENTS_READ)]
Writing = Annotated[Desk, at_desk(Permission.AGREEMENTS_WRITE)]

_PATCHES = (MEDIA_TYPE, answers.JSON)


class AgreementFilters(Paging):
    """What a list of agreements can be narrowed by."""

    kind: AgreementKind | None = Field(None, description="What kind of agreement.")
    state: AgreementState | None = Field(None, description="How far they have come.")
    party: AgencyCode | None = Field(None, description="Agreements of which this agency is a party too.")


@router.get(
    "",
    summary="List agreements",
    operation_id="list_agreements",
    **operation(page_of(Agreement), csv=True, etag=False),
)
async def list_agreements(request: Request, desk: Reading, filters: Annotated[AgreementFilters, Query()]) -> Response:
    """List the agreements your agency drafted or was asked to sign, newest change first."""
    cursors = house(request).cursors
    found = await agreements.listed(
        desk,
        kind=filters.kind,
        state=filters.state,
        party=filters.party,
        after=place_of(request, cursors, filters.cursor),
        limit=filters.limit + 1,
    )
    shown, more = found[: filters.limit], len(found) > filters.limit
    return await nouns.page(request, desk, AGREEMENTS, "agreement.list", shown, more=more)


@router.post(
    "",
    summary="Draft an agreement",
    operation_id="create_agreement",
    **operation(Agreement, status=201, body=AgreementCreate, once=True, problems=("unknown-reference",)),
)
async def create_agreement(request: Request, desk: Writing) -> Response:
    """Draft an agreement. Nobody but your agency knows of it until you open it with `negotiate`."""

    async def act() -> calls.Made:
        drafted = await agreements.draft(desk, await calls.read_body(request, AgreementCreate))
        return nouns.made(AGREEMENTS, drafted, 201)

    return await calls.once(request, desk, nouns.replay(desk, AGREEMENTS), act)


@router.get("/{agreement_id}", summary="Read an agreement", operation_id="read_agreement", **operation(Agreement))
async def read_agreement(request: Request, desk: Reading, agreement_id: str) -> Response:
    """Read an agreement that your agency drafted, or of which it is a party once it was opened.

    With its last day it has expired, from the next request on.
    """
    agreement = await fetch(request, desk, agreement_id)
    await AGREEMENTS.note_read(desk, "agreement.read", [agreement.id])
    return answers.model(request, agreement, agreement.version)


@router.patch(
    "/{agreement_id}",
    summary="Change an agreement",
    operation_id="change_agreement",
    **operation(Agreement, body=AgreementPatch, types=_PATCHES, match=True, problems=("conflict", "unknown-reference")),
)
async def change_agreement(request: Request, desk: Writing, agreement_id: str) -> Response:
    """Change what an agreement says that your agency drafted, until all parties have signed.

    Every change makes another content hash and voids the signatures there are; all parties are told by event. Agencies
    that it adds see the agreement at once if it is negotiated already; agencies that it leaves out see it no more.
    """
    agreement = await fetch(request, desk, agreement_id)
    agreements.require_originator(desk, agreement)
    calls.require_match(request, agreement.version)
    changed = await agreements.patch(desk, agreement, await calls.read_patch(request, AgreementPatch))
    return answers.model(request, changed, changed.version)


@router.get(
    "/{agreement_id}/signatures",
    summary="List signatures",
    operation_id="list_agreement_signatures",
    **operation(page_of(AgreementSignature), csv=True, etag=False),
)
async def list_signatures(
    request: Request, desk: Reading, agreement_id: str, paging: Annotated[Paging, Query()]
) -> Response:
    """List which parties have signed what the agreement says now, and when. Officers are their own agency's affair."""
    agreement = await fetch(request, desk, agreement_id)
    cursors, path = house(request).cursors, request.url.path
    place = open_cursor(cursors, path, {}, paging.cursor) or {"agency": ""}
    found = await signing.signatures(desk, agreement, place["agency"], paging.limit + 1)
    shown = found[: paging.limit]
    await AGREEMENTS.note_read(desk, "agreement.list_signatures", [agreement.id])
    cursor = None
    if len(found) > paging.limit:
        cursor = seal_cursor(cursors, path, {}, {"agency": shown[-1].agency})
    return answers.listing_of(request, shown, cursor)


async def fetch(request: Request, desk: Desk, agreement_id: str) -> Agreement:
    """The agreement that a path names, or 404."""
    return await nouns.fetch(request, desk, AGREEMENTS, agreement_id)
