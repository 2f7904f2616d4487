"""`/v1/agreements`: what agencies agree on about sharing, drafted, changed and read."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.access.desk import Desk
from app.core.codes import AgencyCode
from app.core.ids import parse_uuid
from app.core.merge_patch import MEDIA_TYPE
from app.core.problems import not_found
from app.domain.agreements import agreements, signing
from app.domain.agreements.shapes import Agreement, AgreementCreate, AgreementPatch, AgreementSignature
from app.identity.roles import Permission
from app.models.vocabularies import AgreementKind, AgreementState
from app.web import answers, calls
from app.web.callers import at_desk
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import next_place, open_cursor, place_of, seal_cursor
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
    shown = found[: filters.limit]
    await agreements.note_read(desk, "agreement.list", [agreement.id for agreement in shown])
    cursor = None
    if len(found) > filters.limit:
        cursor = next_place(request, cursors, shown[-1].updated_at, shown[-1].id)
    return answers.listing_of(request, shown, cursor)


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
        return made(drafted, 201, f"/v1/agreements/{drafted.id}")

    return await calls.once(request, desk, replay(desk), act)


@router.get("/{agreement_id}", summary="Read an agreement", operation_id="read_agreement", **operation(Agreement))
async def read_agreement(request: Request, desk: Reading, agreement_id: str) -> Response:
    """Read an agreement that your agency drafted, or of which it is a party once it was opened.

    With its last day it has expired, from the next request on.
    """
    agreement = await fetch(request, desk, agreement_id)
    await agreements.note_read(desk, "agreement.read", [agreement.id])
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
    await agreements.note_read(desk, "agreement.list_signatures", [agreement.id])
    cursor = None
    if len(found) > paging.limit:
        cursor = seal_cursor(cursors, path, {}, {"agency": shown[-1].agency})
    return answers.listing_of(request, shown, cursor)


async def fetch(request: Request, desk: Desk, agreement_id: str) -> Agreement:
    """The agreement that a path names, or 404; its id goes into the audit of whatever is refused from here on."""
    parsed = parse_uuid(agreement_id)
    request.state.subject = (agreements.NOUN, parsed)
    return await agreements.fetch(desk, parsed)


def made(agreement: Agreement, status: int = 200, location: str | None = None) -> calls.Made:
    """An agreement as what a call made or moved."""
    body = agreement.model_dump_json()
    return calls.Made(agreements.NOUN, str(agreement.id), agreement.version, body, status, location)


def replay(desk: Desk) -> calls.Replay:
    """Answers a repeated call with the version of the agreement that the first one came to."""

    async def answer(kept: calls.Kept) -> str:
        parsed = parse_uuid(kept.resource_id)
        if parsed is None:
            raise not_found()
        return (await agreements.version(desk, parsed, kept.version)).model_dump_json()

    return answer
