"""`/v1/criminal-organizations/{id}/amendments`: changes that readers propose."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.access.desk import Desk
from app.core.ids import parse_uuid
from app.core.shapes import Shape
from app.core.text import Paragraph
from app.domain.criminal_organizations import amendments, profiles
from app.domain.criminal_organizations.shapes import Amendment, AmendmentIn
from app.identity.roles import Permission
from app.records.shelf import Stored
from app.routers.parts import COVERED, note_read, page
from app.web import answers, calls
from app.web.callers import at_desk
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import place_of
from app.web.state import house

KIND = profiles.KIND
router = APIRouter(prefix=f"/v1/{KIND}/{{record_id}}/amendments", tags=["Criminal organizations"])

Reading = Annotated[Desk, at_desk(Permission.PROFILES_READ)]
Writing = Annotated[Desk, at_desk(Permission.PROFILES_WRITE)]


class AmendmentDecision(Shape):
    """What the originator says to an amendment."""

    note: Paragraph | None = Field(default=None, description="Why it is accepted or rejected; the proposer reads it.")


@router.get(
    "",
    summary="List amendments",
    operation_id="list_criminal_organization_amendments",
    **operation(page_of(Amendment), csv=True, etag=False, problems=COVERED),
)
async def list_amendments(
    request: Request, desk: Reading, record_id: str, paging: Annotated[Paging, Query()]
) -> Response:
    """List proposed changes, newest first: to your own profile all of them, to another's those you proposed."""
    stored = await calls.fetch(request, desk, KIND, record_id)
    after = place_of(request, house(request).cursors, paging.cursor)
    found = await amendments.listed(desk, stored, after, paging.limit + 1)
    await note_read(desk, "amendments.list", stored)
    return page(request, found, paging.limit, "created_at")


@router.post(
    "",
    summary="Propose an amendment",
    operation_id="propose_criminal_organization_amendment",
    **operation(Amendment, status=201, body=AmendmentIn, once=True, problems=(*COVERED, "retracted")),
)
async def propose_amendment(request: Request, desk: Reading, record_id: str) -> Response:
    """Propose a change to a profile you may read; its originator decides."""
    stored = await calls.fetch(request, desk, KIND, record_id)

    async def act() -> calls.Made:
        made = await amendments.propose(desk, stored, await calls.read_body(request, AmendmentIn))
        return _made(made, 201, f"{request.url.path}/{made.id}")

    return await calls.once(request, desk, _replay(desk, stored), act)


@router.get(
    "/{amendment_id}",
    summary="Read an amendment",
    operation_id="read_criminal_organization_amendment",
    **operation(Amendment, problems=COVERED),
)
async def read_amendment(request: Request, desk: Reading, record_id: str, amendment_id: str) -> Response:
    """Read one proposed change."""
    stored = await calls.fetch(request, desk, KIND, record_id)
    found = await amendments.one(desk, stored, parse_uuid(amendment_id))
    await note_read(desk, "amendments.read", stored)
    return answers.model(request, found, found.version)


@router.post(
    "/{amendment_id}/accept",
    summary="Accept an amendment",
    operation_id="accept_criminal_organization_amendment",
    **operation(Amendment, body=AmendmentDecision, match=True, once=True, problems=("conflict", "retracted")),
)
async def accept_amendment(request: Request, desk: Writing, record_id: str, amendment_id: str) -> Response:
    """Take a proposed change over into your profile as it stands now, based on the amendment's ETag."""
    return await _decide(request, desk, record_id, amendment_id, amendments.accept)


@router.post(
    "/{amendment_id}/reject",
    summary="Reject an amendment",
    operation_id="reject_criminal_organization_amendment",
    **operation(Amendment, body=AmendmentDecision, match=True, once=True, problems=("conflict", "retracted")),
)
async def reject_amendment(request: Request, desk: Writing, record_id: str, amendment_id: str) -> Response:
    """Decline a proposed change, based on the amendment's ETag."""
    return await _decide(request, desk, record_id, amendment_id, amendments.reject)


async def _decide(
    request: Request,
    desk: Desk,
    record_id: str,
    amendment_id: str,
    decision: Callable[[Desk, Stored, Amendment, str | None], Awaitable[Amendment]],
) -> Response:
    stored = await calls.fetch_own(request, desk, KIND, record_id)
    amendment = await amendments.one(desk, stored, parse_uuid(amendment_id))

    async def act() -> calls.Made:
        calls.require_match(request, amendment.version)
        sent = await calls.read_body(request, AmendmentDecision)
        return _made(await decision(desk, stored, amendment, sent.note))

    return await calls.once(request, desk, _replay(desk, stored), act)


def _made(amendment: Amendment, status: int = 200, location: str | None = None) -> calls.Made:
    return calls.Made("amendments", str(amendment.id), amendment.version, amendment.model_dump_json(), status, location)


def _replay(desk: Desk, stored: Stored) -> calls.Replay:
    async def replay(kept: calls.Kept) -> str:
        found = await amendments.one(desk, stored, parse_uuid(kept.resource_id))
        return amendments.as_of(found, kept.version).model_dump_json()

    return replay
