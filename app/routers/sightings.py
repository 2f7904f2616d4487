"""`/v1/criminal-organizations/{id}/sightings`: observations that corroborate or contradict a profile."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.access.desk import Desk
from app.core.ids import parse_uuid
from app.domain.criminal_organizations import profiles, sightings
from app.domain.criminal_organizations.shapes import Sighting, SightingIn
from app.identity.roles import Permission
from app.routers.parts import COVERED, note_read, page
from app.web import answers, calls
from app.web.callers import at_desk
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import place_of
from app.web.state import house

KIND = profiles.KIND
router = APIRouter(prefix=f"/v1/{KIND}/{{record_id}}/sightings", tags=["Criminal organizations"])

Reading = Annotated[Desk, at_desk(Permission.PROFILES_READ)]


@router.get(
    "",
    summary="List sightings",
    operation_id="list_criminal_organization_sightings",
    **operation(page_of(Sighting), csv=True, etag=False, problems=COVERED),
)
async def list_sightings(
    request: Request, desk: Reading, record_id: str, paging: Annotated[Paging, Query()]
) -> Response:
    """List observations, newest first: of your own profile all of them, of another's those you recorded."""
    stored = await calls.fetch(request, desk, KIND, record_id)
    after = place_of(request, house(request).cursors, paging.cursor)
    found = await sightings.listed(desk, stored, after, paging.limit + 1)
    await note_read(desk, "sightings.list", stored)
    return page(request, found, paging.limit, "created_at")


@router.post(
    "",
    summary="Record a sighting",
    operation_id="record_criminal_organization_sighting",
    **operation(Sighting, status=201, body=SightingIn, once=True, problems=(*COVERED, "retracted")),
)
async def record_sighting(request: Request, desk: Reading, record_id: str) -> Response:
    """Record what you observed yourself, for or against a profile you may read; its originator is told."""
    stored = await calls.fetch(request, desk, KIND, record_id)

    async def replay(kept: calls.Kept) -> str:
        return (await sightings.one(desk, stored, parse_uuid(kept.resource_id))).model_dump_json()

    async def act() -> calls.Made:
        made = await sightings.add(desk, stored, await calls.read_body(request, SightingIn))
        location = f"{request.url.path}/{made.id}"
        return calls.Made("sightings", str(made.id), 1, made.model_dump_json(), 201, location)

    return await calls.once(request, desk, replay, act)


@router.get(
    "/{sighting_id}",
    summary="Read a sighting",
    operation_id="read_criminal_organization_sighting",
    **operation(Sighting, problems=COVERED),
)
async def read_sighting(request: Request, desk: Reading, record_id: str, sighting_id: str) -> Response:
    """Read one observation."""
    stored = await calls.fetch(request, desk, KIND, record_id)
    found = await sightings.one(desk, stored, parse_uuid(sighting_id))
    await note_read(desk, "sightings.read", stored)
    return answers.model(request, found, 1)
