"""`/v1/transports`: transports as they are planned, changed and read."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.access.desk import Desk
from app.core.codes import AgencyCode
from app.core.dates import UtcDateTime
from app.core.merge_patch import MEDIA_TYPE
from app.core.text import Line
from app.domain.transports import transports
from app.domain.transports.shapes import Transport, TransportPatch, TransportPlan
from app.domain.transports.transports import TRANSPORTS, Wanted
from app.identity.roles import Permission
from app.models.transport_vocabularies import TransportMode, TransportState
from app.web import answers, calls, nouns
from app.web.callers import at_desk
from app.web.listing import Paging
from app.web.openapi import operation, page_of
from app.web.paging import place_of
from app.web.state import house

TAG = "Transports"
router = APIRouter(prefix="/v1/transports", tags=[TAG])

Reading = Annotated[Desk, at_desk(Permission.TRANSPORTS_READ)]
Writing = Annotated[Desk, at_desk(Permission.TRANSPORTS_WRITE)]

PATCHES = (MEDIA_TYPE, answers.JSON)
"""Media types of a patch."""


class TransportFilters(Paging):
    """What a list of transports can be narrowed by; several filters narrow together."""

    mode: TransportMode | None = Field(None, description="How they travel.")
    state: TransportState | None = Field(None, description="How far they have come.")
    organizer: AgencyCode | None = Field(None, description="Transports that this agency organizes.")
    participant: AgencyCode | None = Field(None, description="Transports that this agency organizes or takes part in.")
    since: UtcDateTime | None = Field(None, alias="from", description="Transports that arrive after this moment.")
    until: UtcDateTime | None = Field(None, alias="to", description="Transports that depart before this moment.")
    request: UUID | None = Field(
        None, description="Transports with people of this repatriation request, if its people are yours."
    )
    reference: Line | None = Field(None, description="The transport with this reference.")


@router.get(
    "", summary="List transports", operation_id="list_transports", **operation(page_of(Transport), csv=True, etag=False)
)
async def list_transports(request: Request, desk: Reading, filters: Annotated[TransportFilters, Query()]) -> Response:
    """List the transports that your agency organizes or takes part in, newest change first."""
    wanted = Wanted(
        filters.mode,
        filters.state,
        filters.organizer,
        filters.participant,
        filters.since,
        filters.until,
        filters.request,
        filters.reference,
    )
    after = place_of(request, house(request).cursors, filters.cursor)
    shown, more = await transports.listed(desk, wanted, after, filters.limit)
    return await nouns.page(request, desk, TRANSPORTS, "transport.list", shown, more=more)


@router.post(
    "",
    summary="Plan a transport",
    operation_id="plan_transport",
    **operation(Transport, status=201, body=TransportPlan, once=True, problems=("unknown-reference",)),
)
async def plan_transport(request: Request, desk: Writing) -> Response:
    """Plan a transport, which your agency organizes. Those who take part see it, and are told by `transport.planned`.

    People are put on its `/manifest` by the agencies on either side of their requests.
    """

    async def act() -> calls.Made:
        planned = await transports.plan(desk, await calls.read_body(request, TransportPlan))
        return nouns.made(TRANSPORTS, planned, 201)

    return await calls.once(request, desk, nouns.replay(desk, TRANSPORTS), act)


@router.get("/{transport_id}", summary="Read a transport", operation_id="read_transport", **operation(Transport))
async def read_transport(request: Request, desk: Reading, transport_id: str) -> Response:
    """Read a transport that your agency organizes or takes part in; who is on it stands in its `/manifest`."""
    transport = await fetch(request, desk, transport_id)
    await TRANSPORTS.note_read(desk, "transport.read", [transport.id])
    return answers.model(request, transport, transport.version)


@router.patch(
    "/{transport_id}",
    summary="Change a transport",
    operation_id="change_transport",
    **operation(
        Transport,
        body=TransportPatch,
        types=PATCHES,
        match=True,
        problems=("conflict", "unknown-reference", "no-seats-left"),
    ),
)
async def change_transport(request: Request, desk: Writing, transport_id: str) -> Response:
    """Change a transport that your agency organizes.

    While it is planned everything can be changed, as far as everybody on the manifest still has a seat. Once the
    manifest is frozen `carrier`, `number`, `departure`, `arrival`, `permits` and `note` can; after departure `arrival`
    and `note`; after arrival `note` alone.
    """
    transport = await fetch_own(request, desk, transport_id)
    calls.require_match(request, transport.version)
    changed = await transports.patch(desk, transport, await calls.read_patch(request, TransportPatch))
    return answers.model(request, changed, changed.version)


async def fetch(request: Request, desk: Desk, transport_id: str) -> Transport:
    """The transport that a path names, or 404."""
    return await nouns.fetch(request, desk, TRANSPORTS, transport_id)


async def fetch_own(request: Request, desk: Desk, transport_id: str) -> Transport:
    """The transport that a path names, for its organizer; 404 for whom it is hidden from, 403 for who takes part."""
    transport = await fetch(request, desk, transport_id)
    transports.require_organizer(desk, transport)
    return transport
