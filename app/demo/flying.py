"""Flying the story's people home through the functions that every caller uses, as the role that the server has.

What stands there already is left as it is, so a second telling changes nothing.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from psycopg import sql

from app.access.desk import Desk
from app.core import clock
from app.core.problems import ALREADY_ON_A_MANIFEST, Problem
from app.core.validation import validated
from app.demo import agreeing
from app.demo.agreed import AGREEMENTS
from app.demo.flown import ARRIVAL, FLIGHTS, LASTS, LETTERS, ORGANIZER, PARTY, RULE, Flight, person
from app.demo.homecoming import People
from app.demo.telling import OpenDesk
from app.domain.repatriation_requests import checklist, checklist_steps, requests
from app.domain.repatriation_requests import moving as steps
from app.domain.repatriation_requests.checklist_shapes import ChecklistCompletionIn
from app.domain.repatriation_requests.shapes import RepatriationRequestCreate
from app.domain.repatriation_requests.workflow import WORKFLOW
from app.domain.transports import manifests, moving, transports
from app.domain.transports.manifest_shapes import ManifestAddition, ManifestReceiptIn
from app.domain.transports.shapes import Transport, TransportPlan
from app.domain.transports.transports import TRANSPORTS
from app.models.checklist_vocabularies import ChecklistItemState, ChecklistNeed, ChecklistStep
from app.models.transport_vocabularies import ManifestState, TransportState
from app.persons import persons
from app.persons.shapes import PersonIn
from app.records import shelf
from app.records.advancing import hold
from app.records.shelf import Stored

_FIND: Final = sql.SQL(
    "SELECT id FROM records WHERE originator = %(agency)s AND kind = %(kind)s AND external_id = %(number)s"
)
_MANY: Final = 500
_AT_ONCE: Final = 25
"""How many people a dispatcher puts on a flight with one call."""
_ABSENT: Final = "Not fit to fly, says the physician."
_OFFICE: Final = "Incheon airport police, reception office"
_EVIDENCE: Final[Mapping[ChecklistNeed, dict[str, Any]]] = {
    ChecklistNeed.NOTHING: {},
    ChecklistNeed.DOCUMENT: {"document": {"title": "List of the flight, signed by both sides"}},
    ChecklistNeed.RESULT: {"result": "no_indication"},
}

STEPS: Final = len(FLIGHTS)


@dataclass(frozen=True, slots=True)
class _Crew:
    """Who works on a flight, and on what the host's part in its requests rests."""

    open_desk: OpenDesk
    people: People
    basis: UUID


async def fly(open_desk: OpenDesk, people: People, done: Callable[[int], None] = lambda _count: None) -> None:
    """Bring each flight as far as the story goes; `open_desk` opens desks of the server's role."""
    bases = {}
    for agreed in (AGREEMENTS[0], LETTERS):
        async with open_desk(agreed.agency) as desk:
            agreement = await agreeing.drafted(desk, agreed)
        for party in agreement.parties:
            async with open_desk(party) as desk:
                await agreeing.sign(desk, agreement)
        bases[agreed.body["kind"]] = agreement.id
    for number, flight in enumerate(FLIGHTS, 1):
        await _bring(_Crew(open_desk, people, bases[flight.basis]), flight)
        done(number)


async def _bring(crew: _Crew, flight: Flight) -> None:
    async with crew.open_desk(ORGANIZER) as desk:
        transport = await _planned(desk, flight)
    if transport.state is TransportState.PLANNED:
        parties = [await _cleared(crew, flight, number) for number in range(flight.requests)]
        host_first = list(reversed(parties))
        await asyncio.gather(
            _dispatch(crew, ORGANIZER, transport, parties), _dispatch(crew, flight.host, transport, host_first)
        )
        transport = await _step(crew, transport, moving.freeze)
    if flight.until is TransportState.FROZEN:
        return
    if transport.state in (TransportState.FROZEN, TransportState.BOARDING):
        await _board(crew, flight, transport)
        transport = await _step(crew, transport, moving.depart)
    if flight.until is TransportState.DEPARTED:
        return
    if transport.state is TransportState.DEPARTED:
        transport = await _step(crew, transport, moving.arrive)
    if transport.state is TransportState.ARRIVED:
        await _receive(crew, transport)


async def _planned(desk: Desk, flight: Flight) -> Transport:
    known, _ = await transports.listed(desk, transports.Wanted(organizer=ORGANIZER), None, _MANY)
    for transport in known:
        if transport.number == flight.number:
            return transport
    leaves = (clock.now() + flight.leaves_in).replace(minute=0, second=0, microsecond=0)
    body = {
        "participants": [flight.host],
        "mode": "charter",
        "carrier": "Example Air",
        "number": flight.number,
        "departure": {**flight.place, "at": clock.rfc3339(leaves)},
        "arrival": {**ARRIVAL, "at": clock.rfc3339(leaves + LASTS)},
        "seats": flight.people + flight.escorts,
        "escorts": [{"agency": ORGANIZER, "count": flight.escorts}],
        "escort_rule": RULE,
        "permits": [
            {"type": "overflight", "country": "VN", "number": f"{flight.number} O", "state": "granted"},
            {"type": "landing", "country": "KR", "number": f"{flight.number} L", "state": "granted"},
        ],
    }
    return await transports.plan(desk, validated(TransportPlan, body))


async def _cleared(crew: _Crew, flight: Flight, number: int) -> tuple[UUID, list[UUID]]:
    """One of the flight's requests, cleared if it was not, and its people."""
    name = f"DEMO-{flight.number.replace(' ', '-')}-{number + 1}"
    async with crew.open_desk(ORGANIZER) as desk:
        found = await desk.rows(_FIND, agency=ORGANIZER, kind=requests.KIND.value, number=name)
        request = found[0].id if found else await _asked(desk, crew, flight, name, flight.first + number * PARTY)
    async with crew.open_desk(flight.host) as desk:
        stored = await shelf.fetch(desk, requests.KIND, request)
        for step in ("acknowledge", "accept"):
            if step in WORKFLOW.possible(requests.state_of(stored)):
                stored = await steps.move(desk, stored, step, None)
    for agency in (ORGANIZER, flight.host):
        async with crew.open_desk(agency) as desk:
            await _work_off(desk, request)
    async with crew.open_desk(flight.host) as desk:
        stored = await shelf.fetch(desk, requests.KIND, request)
        if "clear" in WORKFLOW.possible(requests.state_of(stored)):
            await steps.move(desk, stored, "clear", None)
        people = await persons.listed(desk, crew.people.keys, stored, None, _MANY)
    return request, [one.id for one in people.persons]


async def _asked(desk: Desk, crew: _Crew, flight: Flight, name: str, first: int) -> UUID:
    body = {
        **flight.who,
        "requested_agency": flight.host,
        "from_country": flight.place["country"],
        "to_country": ARRIVAL["country"],
        "external_id": name,
        "handling": {"tlp": "AMBER", "legal_basis": str(crew.basis)},
    }
    stored: Stored = await requests.create(desk, validated(RepatriationRequestCreate, body))
    for number in range(first, first + PARTY):
        sent = validated(PersonIn, person(number, flight.who["category"]))
        await persons.add(desk, crew.people.keys, crew.people.marks, stored, sent)
    await steps.submit(desk, await shelf.fetch(desk, requests.KIND, stored.envelope.id), None)
    return stored.envelope.id


async def _work_off(desk: Desk, request: UUID) -> None:
    """Do what of the checklist the caller's side has to do before the journey."""
    stored = await hold(desk, await shelf.fetch(desk, requests.KIND, request))
    found = await checklist.read(desk, stored, results=False)
    version, side = found.version, str(requests.side_of(desk, stored))
    for item in found.items:
        if item.state is ChecklistItemState.OPEN and item.before is ChecklistStep.CLEAR and item.side.value == side:
            sent = validated(ChecklistCompletionIn, _EVIDENCE[item.needs])
            version = await checklist_steps.complete(desk, stored, item.code, version, sent)


async def _dispatch(
    crew: _Crew, agency: str, transport: Transport, parties: Sequence[tuple[UUID, Sequence[UUID]]]
) -> None:
    """Put everybody on the flight who is not there yet: another dispatcher is at it at the same time."""
    for request, people in parties:
        for first in range(0, len(people), _AT_ONCE):
            some = people[first : first + _AT_ONCE]
            while some:
                some = await _added(crew, agency, transport, {"request": request, "persons": some})


async def _added(crew: _Crew, agency: str, transport: Transport, sent: dict[str, Any]) -> Sequence[UUID]:
    """Put people on the flight; those who are to be tried again, without who stands there already."""
    try:
        async with crew.open_desk(agency) as desk:
            await manifests.add(desk, transport, ManifestAddition(**sent))
    except Problem as problem:
        if problem.type is not ALREADY_ON_A_MANIFEST:
            raise
        there = {int(flaw.pointer.rpartition("/")[2]) for flaw in problem.errors}
        return [one for place, one in enumerate(sent["persons"]) if place not in there]
    return ()


async def _board(crew: _Crew, flight: Flight, transport: Transport) -> None:
    async with crew.open_desk(flight.host) as desk:
        wanted = manifests.Wanted(state=ManifestState.LISTED)
        listed, _ = await manifests.listed(desk, transport, wanted, None, _MANY)
        entries = [entry.id for entry in listed]
        absent, present = entries[: flight.missing], entries[flight.missing :]
        if absent:
            await manifests.stay_away(desk, transport, absent, _ABSENT)
        if present:
            await manifests.board(desk, transport, present)


async def _receive(crew: _Crew, transport: Transport) -> None:
    async with crew.open_desk(ORGANIZER) as desk:
        wanted = manifests.Wanted(state=ManifestState.BOARDED)
        listed, _ = await manifests.listed(desk, transport, wanted, None, _MANY)
        entries = [entry.id for entry in listed]
        receipt = {"received_by": _OFFICE, "at": clock.rfc3339(clock.now())}
        await manifests.hand_over(desk, transport, entries, validated(ManifestReceiptIn, receipt))


async def _step(crew: _Crew, transport: Transport, step: Callable[[Desk, Transport], Any]) -> Transport:
    async with crew.open_desk(ORGANIZER) as desk:
        moved: Transport = await step(desk, await TRANSPORTS.fetch(desk, transport.id))
    return moved
