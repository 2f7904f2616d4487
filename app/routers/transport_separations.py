"""`/v1/transports/{id}/separations`: people who must not share a section."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.core.ids import parse_uuid
from app.domain.transports import separations
from app.domain.transports.manifest_shapes import Separation, SeparationIn
from app.domain.transports.transports import TRANSPORTS
from app.routers.parts import page
from app.routers.transports import TAG, Reading, Writing, fetch
from app.web import answers, calls
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import place_of
from app.web.state import house

router = APIRouter(prefix="/v1/transports/{transport_id}/separations", tags=[TAG])


@router.get(
    "",
    summary="List who is kept apart",
    operation_id="list_separations",
    **operation(page_of(Separation), csv=True, etag=False),
)
async def list_separations(
    request: Request, desk: Reading, transport_id: str, paging: Annotated[Paging, Query()]
) -> Response:
    """List the pairs of people who must not share a section, as far as you see both, newest first."""
    transport = await fetch(request, desk, transport_id)
    after = place_of(request, house(request).cursors, paging.cursor)
    found = await separations.listed(desk, transport, after, paging.limit + 1)
    await TRANSPORTS.note_read(desk, "transport.list_separations", [transport.id])
    return page(request, found, paging.limit, "created_at")


@router.post(
    "",
    summary="Keep two people apart",
    operation_id="add_separation",
    **operation(Separation, status=201, body=SeparationIn, once=True, problems=("unknown-reference", "conflict")),
)
async def add_separation(request: Request, desk: Writing, transport_id: str) -> Response:
    """Name two of your agency's own people who must not share a section, before or after they stand on the manifest.

    Where both sit in the same one already, the manifest is not frozen before one of them is moved. Other agencies that
    put somebody beside them are refused without being told of whom.
    """
    transport = await fetch(request, desk, transport_id)

    async def replay(kept: calls.Kept) -> str:
        return (await separations.one(desk, transport.id, parse_uuid(kept.resource_id))).model_dump_json()

    async def act() -> calls.Made:
        made = await separations.add(desk, transport, await calls.read_body(request, SeparationIn))
        location = f"{request.url.path}/{made.id}"
        return calls.Made(separations.NOUN, str(made.id), 1, made.model_dump_json(), 201, location)

    return await calls.once(request, desk, replay, act)


@router.get(
    "/{separation_id}",
    summary="Read who is kept apart",
    operation_id="read_separation",
    **operation(Separation),
)
async def read_separation(request: Request, desk: Reading, transport_id: str, separation_id: str) -> Response:
    """Read one pair of people who must not share a section, if you see both."""
    transport = await fetch(request, desk, transport_id)
    found = await separations.one(desk, transport.id, parse_uuid(separation_id))
    await TRANSPORTS.note_read(desk, "transport.read_separation", [transport.id])
    return answers.model(request, found, 1)


@router.delete(
    "/{separation_id}",
    summary="Keep two people apart no more",
    operation_id="remove_separation",
    **operation(status=204),
)
async def remove_separation(request: Request, desk: Writing, transport_id: str, separation_id: str) -> Response:
    """Take back what your agency named: these two may share a section again."""
    transport = await fetch(request, desk, transport_id)
    await separations.remove(desk, transport, await separations.one(desk, transport.id, parse_uuid(separation_id)))
    return Response(status_code=204)
