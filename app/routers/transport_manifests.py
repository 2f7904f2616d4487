"""`/v1/transports/{id}/manifest`: who travels, put there, boarded and handed over by the sides of their requests."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.access.desk import Desk
from app.core.codes import AgencyCode
from app.core.ids import parse_uuid
from app.core.text import Line
from app.domain.transports import manifests
from app.domain.transports.manifest_shapes import (
    Manifest,
    ManifestAddition,
    ManifestChange,
    ManifestEntries,
    ManifestEntry,
    ManifestHandOvers,
    ManifestNoShows,
    ManifestReceiptIn,
    NoShowReason,
)
from app.domain.transports.shapes import Transport
from app.domain.transports.transports import TRANSPORTS
from app.models.transport_vocabularies import ManifestState
from app.routers.transports import TAG, Reading, Writing, fetch
from app.web import answers, calls
from app.web.listing import Paging
from app.web.openapi import operation
from app.web.paging import next_link, open_cursor, seal_cursor
from app.web.state import house

router = APIRouter(prefix="/v1/transports/{transport_id}/manifest", tags=[TAG])

_MARKING = ("conflict", "unknown-reference")
_BOARDING = ("already-on-a-manifest", "keep-apart")


class ManifestFilters(Paging):
    """What the people shown of a manifest can be narrowed by; the totals are always those of all of it."""

    request: UUID | None = Field(None, description="People of this repatriation request.")
    state: ManifestState | None = Field(None, description="What became of them.")
    section: Line | None = Field(None, description="People in this section.")
    agency: AgencyCode | None = Field(None, description="People whom this agency put there.")


@router.get(
    "", summary="Read a manifest", operation_id="read_manifest", **operation(Manifest, etag=False, headers=("Link",))
)
async def read_manifest(
    request: Request, desk: Reading, transport_id: str, filters: Annotated[ManifestFilters, Query()]
) -> Response:
    """Read the numbers of a manifest, the same for everybody who takes part, and your agency's own people on it.

    Your own are those of requests that your agency is a side of, whoever put them there. A manifest holds no names:
    they are read with the persons of the request, and for a purpose.
    """
    transport = await fetch(request, desk, transport_id)
    narrowing = {name: str(value) for name, value in request.query_params.items() if name not in ("cursor", "limit")}
    cursors = house(request).cursors
    place = open_cursor(cursors, request.url.path, narrowing, filters.cursor)
    wanted = manifests.Wanted(filters.request, filters.state, filters.section, filters.agency)
    after = None if place is None else UUID(place["id"])
    shown, more = await manifests.listed(desk, transport, wanted, after, filters.limit)
    cursor = None
    if more:
        cursor = seal_cursor(cursors, request.url.path, narrowing, {"id": str(shown[-1].id)})
    manifest = Manifest(
        transport_id=transport.id,
        state=transport.state,
        totals=await manifests.totals(desk, transport),
        items=list(shown),
        next_cursor=cursor,
    )
    await _note_read(desk, transport, shown)
    headers = next_link(request, house(request).settings.public_url, cursor)
    return answers.model(request, manifest, headers=headers)


@router.post(
    "",
    summary="Put people on a manifest",
    operation_id="add_to_manifest",
    **operation(
        ManifestChange,
        body=ManifestAddition,
        once=True,
        problems=(*_MARKING, "no-seats-left", "already-on-a-manifest", "keep-apart"),
    ),
)
async def add_to_manifest(request: Request, desk: Writing, transport_id: str) -> Response:
    """Put people of a cleared request on the manifest: all of those named, or none.

    Nobody stands on two manifests, nobody is put where no seat is free, and victims never sit in a section with
    suspects. Two dispatchers who call at once wait for one another. Escorts take seats too; remains take none.
    """
    transport = await fetch(request, desk, transport_id)

    async def change() -> ManifestChange:
        return await manifests.add(desk, transport, await calls.read_body(request, ManifestAddition))

    return await _once(request, desk, transport, change)


@router.get(
    "/{manifest_entry_id}",
    summary="Read an entry of a manifest",
    operation_id="read_manifest_entry",
    **operation(ManifestEntry, etag=False),
)
async def read_manifest_entry(request: Request, desk: Reading, transport_id: str, manifest_entry_id: str) -> Response:
    """Read what became of one of your agency's own people on a manifest."""
    transport, entry = await _fetch_entry(request, desk, transport_id, manifest_entry_id)
    await _note_read(desk, transport, [entry])
    return answers.model(request, entry)


@router.delete(
    "/{manifest_entry_id}",
    summary="Take somebody off a manifest",
    operation_id="remove_from_manifest",
    **operation(status=204, problems=("conflict",)),
)
async def remove_from_manifest(request: Request, desk: Writing, transport_id: str, manifest_entry_id: str) -> Response:
    """Take one of your agency's own people off a manifest that is not frozen; the seat is free at once."""
    transport, entry = await _fetch_entry(request, desk, transport_id, manifest_entry_id)
    await manifests.remove(desk, transport, entry)
    return Response(status_code=204)


@router.post(
    "/board",
    summary="Note that people boarded",
    operation_id="board_people",
    **operation(
        ManifestChange, body=ManifestEntries, once=True, problems=(*_MARKING, "already-on-a-manifest", "keep-apart")
    ),
)
async def board_people(request: Request, desk: Writing, transport_id: str) -> Response:
    """Write down that several of your agency's own people boarded; the first on a transport puts it into `boarding`.

    Who was written down as not coming may board after all, while the transport has not left.
    """
    transport = await fetch(request, desk, transport_id)

    async def change() -> ManifestChange:
        return await manifests.board(desk, transport, (await calls.read_body(request, ManifestEntries)).entries)

    return await _once(request, desk, transport, change)


@router.post(
    "/no-show",
    summary="Note that people did not come",
    operation_id="note_no_shows",
    **operation(ManifestChange, body=ManifestNoShows, once=True, problems=_MARKING),
)
async def note_no_shows(request: Request, desk: Writing, transport_id: str) -> Response:
    """Write down that several of your agency's own people did not come, or were not let on board, and why."""
    transport = await fetch(request, desk, transport_id)

    async def change() -> ManifestChange:
        sent = await calls.read_body(request, ManifestNoShows)
        return await manifests.stay_away(desk, transport, sent.entries, sent.reason)

    return await _once(request, desk, transport, change)


@router.post(
    "/hand-over",
    summary="Give the receipt for people",
    operation_id="hand_over_people",
    **operation(ManifestChange, body=ManifestHandOvers, once=True, problems=(*_MARKING, "not-your-side")),
)
async def hand_over_people(request: Request, desk: Writing, transport_id: str) -> Response:
    """Give the receipt for several people whom your agency received together after the arrival.

    Of the two sides of their requests the one in the country of arrival gives it; either, where both are there or
    neither is. Receipts for all people of a request make it `handed_over`, the last one completes the transport.
    """
    transport = await fetch(request, desk, transport_id)

    async def change() -> ManifestChange:
        sent = await calls.read_body(request, ManifestHandOvers)
        return await manifests.hand_over(desk, transport, sent.entries, sent)

    return await _once(request, desk, transport, change)


@router.post(
    "/{manifest_entry_id}/board",
    summary="Note that somebody boarded",
    operation_id="board_person",
    **operation(ManifestChange, once=True, problems=("conflict", *_BOARDING)),
)
async def board_person(request: Request, desk: Writing, transport_id: str, manifest_entry_id: str) -> Response:
    """Write down that one of your agency's own people boarded."""
    transport, entry = await _fetch_entry(request, desk, transport_id, manifest_entry_id)

    async def change() -> ManifestChange:
        return await manifests.board(desk, transport, [entry.id])

    return await _once(request, desk, transport, change)


@router.post(
    "/{manifest_entry_id}/no-show",
    summary="Note that somebody did not come",
    operation_id="note_no_show",
    **operation(ManifestChange, body=NoShowReason, once=True, problems=("conflict",)),
)
async def note_no_show(request: Request, desk: Writing, transport_id: str, manifest_entry_id: str) -> Response:
    """Write down that one of your agency's own people did not come, or was not let on board, and why."""
    transport, entry = await _fetch_entry(request, desk, transport_id, manifest_entry_id)

    async def change() -> ManifestChange:
        sent = await calls.read_body(request, NoShowReason)
        return await manifests.stay_away(desk, transport, [entry.id], sent.reason)

    return await _once(request, desk, transport, change)


@router.post(
    "/{manifest_entry_id}/hand-over",
    summary="Give the receipt for somebody",
    operation_id="hand_over_person",
    **operation(ManifestChange, body=ManifestReceiptIn, once=True, problems=("conflict", "not-your-side")),
)
async def hand_over_person(request: Request, desk: Writing, transport_id: str, manifest_entry_id: str) -> Response:
    """Give the receipt for one person whom your agency received after the arrival."""
    transport, entry = await _fetch_entry(request, desk, transport_id, manifest_entry_id)

    async def change() -> ManifestChange:
        sent = await calls.read_body(request, ManifestReceiptIn)
        return await manifests.hand_over(desk, transport, [entry.id], sent)

    return await _once(request, desk, transport, change)


async def _fetch_entry(
    request: Request, desk: Desk, transport_id: str, manifest_entry_id: str
) -> tuple[Transport, ManifestEntry]:
    transport = await fetch(request, desk, transport_id)
    return transport, await manifests.one(desk, transport, parse_uuid(manifest_entry_id))


async def _note_read(desk: Desk, transport: Transport, shown: Sequence[ManifestEntry]) -> None:
    detail = {"entries": [str(entry.id) for entry in shown]}
    await TRANSPORTS.note_read(desk, "transport.read_manifest", [transport.id], detail)


async def _once(
    request: Request, desk: Desk, transport: Transport, change: Callable[[], Awaitable[ManifestChange]]
) -> Response:
    async def again(kept: calls.Kept) -> str:
        return (await manifests.change(desk, transport.id, parse_uuid(kept.resource_id))).model_dump_json()

    async def act() -> calls.Made:
        done = await change()
        return calls.Made(manifests.CHANGES, str(done.id), 1, done.model_dump_json())

    return await calls.once(request, desk, again, act)
