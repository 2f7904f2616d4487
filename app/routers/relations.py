"""`/v1/criminal-organizations/{id}/relations`: what organizations are to each other."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.access.desk import Desk
from app.core.ids import parse_uuid
from app.domain.criminal_organizations import profiles, relations
from app.domain.criminal_organizations.shapes import Relation, RelationIn
from app.identity.roles import Permission
from app.routers.parts import COVERED, note_read, page
from app.web import answers, calls
from app.web.callers import at_desk
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import place_of
from app.web.state import house

KIND = profiles.KIND
router = APIRouter(prefix=f"/v1/{KIND}/{{record_id}}/relations", tags=["Criminal organizations"])

Reading = Annotated[Desk, at_desk(Permission.PROFILES_READ)]
Writing = Annotated[Desk, at_desk(Permission.PROFILES_WRITE)]


@router.get(
    "",
    summary="List relations",
    operation_id="list_criminal_organization_relations",
    **operation(page_of(Relation), csv=True, etag=False, problems=COVERED),
)
async def list_relations(
    request: Request, desk: Reading, record_id: str, paging: Annotated[Paging, Query()]
) -> Response:
    """List relations from and to the profile, as far as you see both ends; newest first."""
    stored = await calls.fetch(request, desk, KIND, record_id)
    after = place_of(request, house(request).cursors, paging.cursor)
    found = await relations.listed(desk, stored, after, paging.limit + 1)
    await note_read(desk, "relations.list", stored)
    return page(request, found, paging.limit, "created_at")


@router.post(
    "",
    summary="State a relation",
    operation_id="state_criminal_organization_relation",
    **operation(
        Relation, status=201, body=RelationIn, once=True, problems=("unknown-reference", "retracted", "conflict")
    ),
)
async def state_relation(request: Request, desk: Writing, record_id: str) -> Response:
    """State what the organization of your profile is to that of another. Whoever does not see both sees no relation."""
    stored = await calls.fetch_own(request, desk, KIND, record_id)

    async def replay(kept: calls.Kept) -> str:
        return (await relations.one(desk, stored, parse_uuid(kept.resource_id))).model_dump_json()

    async def act() -> calls.Made:
        made = await relations.state(desk, stored, await calls.read_body(request, RelationIn))
        location = f"{request.url.path}/{made.id}"
        return calls.Made("relations", str(made.id), 1, made.model_dump_json(), 201, location)

    return await calls.once(request, desk, replay, act)


@router.get(
    "/{relation_id}",
    summary="Read a relation",
    operation_id="read_criminal_organization_relation",
    **operation(Relation, problems=COVERED),
)
async def read_relation(request: Request, desk: Reading, record_id: str, relation_id: str) -> Response:
    """Read one relation that starts at the profile."""
    stored = await calls.fetch(request, desk, KIND, record_id)
    found = await relations.one(desk, stored, parse_uuid(relation_id))
    await note_read(desk, "relations.read", stored)
    return answers.model(request, found, 1)


@router.delete(
    "/{relation_id}",
    summary="Withdraw a relation",
    operation_id="withdraw_criminal_organization_relation",
    **operation(status=204),
)
async def withdraw_relation(request: Request, desk: Writing, record_id: str, relation_id: str) -> Response:
    """Take back a relation that starts at your profile."""
    stored = await calls.fetch_own(request, desk, KIND, record_id)
    await relations.withdraw(desk, stored, parse_uuid(relation_id))
    return Response(status_code=204)
