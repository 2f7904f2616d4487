"""`/v1/transports/{id}/{step}`: the organizer freezes the manifest, departs, arrives or cancels."""

from fastapi import APIRouter, Request, Response

from app.domain.transports import moving
from app.domain.transports.shapes import Transport, TransportReason
from app.domain.transports.transports import TRANSPORTS
from app.routers.transports import TAG, Writing, fetch_own
from app.web import calls, nouns
from app.web.openapi import operation

router = APIRouter(prefix="/v1/transports/{transport_id}", tags=[TAG])


@router.post(
    "/freeze",
    summary="Freeze the manifest",
    operation_id="freeze_transport",
    **operation(Transport, match=True, once=True, problems=("conflict", "transport-not-ready")),
)
async def freeze_transport(request: Request, desk: Writing, transport_id: str) -> Response:
    """Close the manifest of a transport that your agency organizes.

    Refused with everything that is missing: permits that are not granted, or not for the day of departure; escorts;
    people whose requests are not cleared any more; two in one section who must be kept apart; anybody at all. A request
    all of whose people stand on frozen manifests is `scheduled` by it.
    """
    transport = await fetch_own(request, desk, transport_id)

    async def move() -> Transport:
        return await moving.freeze(desk, transport)

    return await nouns.move(request, desk, TRANSPORTS, transport, move)


@router.post(
    "/unfreeze",
    summary="Open the manifest again",
    operation_id="unfreeze_transport",
    **operation(Transport, body=TransportReason, match=True, once=True, problems=("conflict",)),
)
async def unfreeze_transport(request: Request, desk: Writing, transport_id: str) -> Response:
    """Open a frozen manifest again, before anybody has boarded. The requests of its people are `cleared` again."""
    transport = await fetch_own(request, desk, transport_id)

    async def move() -> Transport:
        return await moving.unfreeze(desk, transport, (await calls.read_body(request, TransportReason)).reason)

    return await nouns.move(request, desk, TRANSPORTS, transport, move)


@router.post(
    "/depart",
    summary="Note the departure",
    operation_id="depart_transport",
    **operation(Transport, match=True, once=True, problems=("conflict", "transport-not-ready")),
)
async def depart_transport(request: Request, desk: Writing, transport_id: str) -> Response:
    """Note that the transport has left.

    Refused while somebody has neither boarded nor is known not to come, while nobody has boarded, and while a permit is
    missing. A request whose people are on their way is `in_transit`; one of whose people somebody did not come is
    `cleared` again, and that person can be put on another transport.
    """
    transport = await fetch_own(request, desk, transport_id)

    async def move() -> Transport:
        return await moving.depart(desk, transport)

    return await nouns.move(request, desk, TRANSPORTS, transport, move)


@router.post(
    "/arrive",
    summary="Note the arrival",
    operation_id="arrive_transport",
    **operation(Transport, match=True, once=True, problems=("conflict",)),
)
async def arrive_transport(request: Request, desk: Writing, transport_id: str) -> Response:
    """Note that the transport has arrived: from now on its people are handed over, with a receipt for each."""
    transport = await fetch_own(request, desk, transport_id)

    async def move() -> Transport:
        return await moving.arrive(desk, transport)

    return await nouns.move(request, desk, TRANSPORTS, transport, move)


@router.post(
    "/cancel",
    summary="Cancel a transport",
    operation_id="cancel_transport",
    **operation(Transport, body=TransportReason, match=True, once=True, problems=("conflict",)),
)
async def cancel_transport(request: Request, desk: Writing, transport_id: str) -> Response:
    """Cancel a transport before it departs, for good. Its people are free for another one, their requests `cleared`."""
    transport = await fetch_own(request, desk, transport_id)

    async def move() -> Transport:
        return await moving.cancel(desk, transport, (await calls.read_body(request, TransportReason)).reason)

    return await nouns.move(request, desk, TRANSPORTS, transport, move)
