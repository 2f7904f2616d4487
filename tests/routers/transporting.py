"""Transports in tests: planned, filled, frozen, boarded and handed over over HTTP."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx

from app.core import clock
from tests.conftest import Hub, Partner
from tests.routers import repatriating
from tests.routers.checking import settled

PATH = "/v1/transports"
ORGANIZER, HOST, OTHER, STRANGER = "KR-KNPA", "KH-CNP", "TH-RTP", "VN-MPS"
NOBODY: dict[str, Any] = {"names": [{"name": "예시 사람"}], "roles": [{"role": "victim", "since": "2025-07"}]}


def officer(hub: Hub, agency: str) -> Partner:
    """A system of a newly registered agency that works on requests and transports, and decides on requests."""
    return hub.partner(agency, "liaison_officer", "commander")


def plan(*participants: str, **fields: Any) -> dict[str, Any]:
    leaves = clock.now() + timedelta(days=3)
    return {
        "participants": list(participants),
        "mode": "charter",
        "carrier": "Example Air",
        "number": "XA 9001",
        "departure": {
            "place": "Phnom Penh, PNH",
            "country": "KH",
            "at": clock.rfc3339(leaves),
            "time_zone": "Asia/Phnom_Penh",
        },
        "arrival": {
            "place": "Incheon, ICN",
            "country": "KR",
            "at": clock.rfc3339(leaves + timedelta(hours=5)),
            "time_zone": "Asia/Seoul",
        },
        "seats": 10,
        **fields,
    }


async def planned(organizer: Partner, *participants: str, **fields: Any) -> str:
    """Plan a transport; its path."""
    answer = await organizer.post(PATH, plan(*participants, **fields))
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"])


async def cleared(requesting: Partner, requested: Partner, people: int = 1, **fields: Any) -> tuple[str, list[str]]:
    """A request that is cleared, and its people: the id of the request and those of the persons."""
    somebody = fields.pop("person", NOBODY)
    fields.setdefault("requested_agency", requested.agency)
    path = await repatriating.accepted(requesting, requested, **fields)
    # A few at a time: each call takes a connection of the pool.
    persons: list[str] = []
    while len(persons) < people:
        some = min(8, people - len(persons))
        persons += await asyncio.gather(*(repatriating.add_person(requesting, path, somebody) for _ in range(some)))
    await settled(requesting, requested, path)
    await repatriating.stepped(requested, path, "clear")
    return path.rpartition("/")[2], persons


async def add(
    partner: Partner, transport: str, request: str, persons: list[str], section: str | None = None, **options: Any
) -> httpx.Response:
    body = {"request": request, "persons": persons, "section": section}
    return await partner.post(f"{transport}/manifest", body, **options)


async def added(
    partner: Partner, transport: str, request: str, persons: list[str], section: str | None = None
) -> list[str]:
    """Put people on a manifest; the ids of their entries."""
    answer = await add(partner, transport, request, persons, section)
    assert answer.status_code == 200, answer.text
    return [entry["id"] for entry in answer.json()["entries"]]


async def mark(partner: Partner, transport: str, action: str, entries: list[str], **fields: Any) -> httpx.Response:
    """Board people, note that they did not come, or give the receipt for them."""
    said = {"no-show": {"reason": "Did not come."}, "hand-over": receipt()}.get(action, {})
    return await partner.post(f"{transport}/manifest/{action}", {"entries": entries, **said, **fields})


async def marked(partner: Partner, transport: str, action: str, entries: list[str]) -> dict[str, Any]:
    answer = await mark(partner, transport, action, entries)
    assert answer.status_code == 200, answer.text
    done: dict[str, Any] = answer.json()
    return done


def receipt() -> dict[str, Any]:
    return {"received_by": "Incheon airport police, reception office", "at": clock.rfc3339(clock.now())}


async def move(partner: Partner, transport: str, step: str, etag: str = "*", **options: Any) -> httpx.Response:
    body = {"reason": "The landing permit was withdrawn."} if step in ("unfreeze", "cancel") else None
    return await partner.post(f"{transport}/{step}", options.pop("json", body), etag=etag, **options)


async def moved(partner: Partner, transport: str, *steps: str) -> dict[str, Any]:
    """Take steps that must succeed; the transport after the last."""
    after: dict[str, Any] = {}
    for step in steps:
        answer = await move(partner, transport, step)
        assert answer.status_code == 200, answer.text
        after = answer.json()
    return after


async def manifest(partner: Partner, transport: str, **parameters: Any) -> dict[str, Any]:
    answer = await partner.get(f"{transport}/manifest", params={"limit": 500, **parameters})
    assert answer.status_code == 200, answer.text
    read: dict[str, Any] = answer.json()
    return read


async def state_of(partner: Partner, request: str) -> str:
    """How far a request has come."""
    return await repatriating.state(partner, f"{repatriating.PATH}/{request}")
