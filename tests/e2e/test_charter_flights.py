"""Five hundred people on three charter flights out of two countries, with dispatchers of four agencies at work at once:
nobody twice, nobody lost, never over the seats, and each agency with its own people before it."""

import asyncio
import random
from dataclasses import dataclass
from typing import Any

import pytest

from tests.conftest import Hub, Partner
from tests.routers import repatriating
from tests.routers.transporting import (
    HOST,
    ORGANIZER,
    OTHER,
    add,
    cleared,
    manifest,
    marked,
    moved,
    officer,
    planned,
    state_of,
)

MINISTRY = "KR-MOFA"
SUSPECTS = {"category": "suspect", "legal_act": "deportation"}
# Seats in front for suspects, in the rear for victims, and escorts: as many seats as there are people, and no more.
FLIGHTS = (("KH", 120, 80, 24), ("KH", 100, 70, 20), ("TH", 80, 50, 16))
SECTIONS = {"suspect": "front", "victim": "rear"}


@dataclass
class Party:
    """The people of one request, and the two agencies that both set about putting them on flights."""

    request: str
    category: str
    people: list[str]
    sides: tuple[Partner, Partner]


async def _parties(hub: Hub) -> list[Party]:
    korea, ministry = officer(hub, ORGANIZER), officer(hub, MINISTRY)
    cambodia, thailand = officer(hub, HOST), officer(hub, OTHER)
    parties = []
    for _ in range(6):
        request, people = await cleared(korea, cambodia, 50, **SUSPECTS)
        parties.append(Party(request, "suspect", people, (korea, cambodia)))
    for _ in range(4):
        request, people = await cleared(ministry, thailand, 50, from_country="TH")
        parties.append(Party(request, "victim", people, (ministry, thailand)))
    return parties


async def _flight(organizer: Partner, country: str, front: int, rear: int, escorts: int) -> str:
    sections = [{"name": "front", "seats": front}, {"name": "rear", "seats": rear}]
    return await planned(
        organizer,
        MINISTRY,
        HOST,
        OTHER,
        seats=front + rear + escorts,
        sections=sections,
        escorts=[{"agency": ORGANIZER, "count": escorts}],
        escort_rule={"suspects_per_escort": 5},
        permits=[{"type": "landing", "country": "KR", "state": "granted"}],
        note=f"Out of {country}.",
    )


class Dispatcher:
    """Puts its agency's people on flights, some at a time, as if it were alone."""

    def __init__(self, partner: Partner, seed: int) -> None:
        self.partner = partner
        self._random = random.Random(seed)  # noqa: S311 - an order of work, no secret
        self.refused: dict[str, int] = {}

    async def work(self, parties: list[Party], flights: list[str]) -> None:
        for party in self._random.sample(parties, len(parties)):
            people = self._random.sample(party.people, len(party.people))
            while people:
                some, people = people[:20], people[20:]
                await self._place(party, some, self._random.sample(flights, len(flights)))

    async def _place(self, party: Party, people: list[str], flights: list[str]) -> None:
        for flight in flights:
            some = people
            while some:
                answer = await add(self.partner, flight, party.request, some, SECTIONS[party.category])
                if answer.status_code == 200:
                    people = [person for person in people if person not in some]
                    some = people
                    continue
                assert answer.status_code == 409, answer.text
                said = answer.json()
                problem = said["type"].rpartition("/")[2]
                self.refused[problem] = self.refused.get(problem, 0) + 1
                if problem == "already-on-a-manifest":
                    gone = {some[int(flaw["pointer"].rpartition("/")[2])] for flaw in said["errors"]}
                    people = [person for person in people if person not in gone]
                    some = [person for person in some if person not in gone]
                else:
                    assert problem == "no-seats-left", answer.text
                    some = some[: len(some) // 2]
            if not people:
                return
        pytest.fail(f"no seat for {len(people)}")


def _agencies(parties: list[Party]) -> dict[str, Partner]:
    return {side.agency: side for party in parties for side in party.sides}


def _own(parties: list[Party], agency: str) -> set[str]:
    return {person for party in parties for person in party.people if agency in {s.agency for s in party.sides}}


async def _seen(partner: Partner, flights: list[str]) -> list[dict[str, Any]]:
    return [item for flight in flights for item in (await manifest(partner, flight))["items"]]


async def _check_manifests(parties: list[Party], flights: list[str]) -> None:
    """Everybody once, in a section of its kind, shown to both sides of its request alone; the same totals for all."""
    agencies = _agencies(parties)
    totals = {}
    for code, partner in agencies.items():
        items = await _seen(partner, flights)
        people = [item["person"] for item in items]
        assert len(people) == len(set(people))
        assert set(people) == _own(parties, code)
        assert {(item["category"], item["section"]) for item in items} <= set(SECTIONS.items())
        totals[code] = [(await manifest(partner, flight, limit=1))["totals"] for flight in flights]
    assert all(numbers == totals[ORGANIZER] for numbers in totals.values())
    for (_, front, rear, escorts), numbers in zip(FLIGHTS, totals[ORGANIZER], strict=True):
        assert (numbers["taken"], numbers["free"]) == (front + rear + escorts, 0)
        assert [section["taken"] for section in numbers["by_section"]] == [front, rear]
    assert sum(part["people"] for numbers in totals[ORGANIZER] for part in numbers["by_agency"]) == 500


async def _board(parties: list[Party], flights: list[str]) -> set[str]:
    """Each requested side brings its people to the gate; the requests of those who did not come."""
    missing = set()
    for code in (HOST, OTHER):
        partner = _agencies(parties)[code]
        for number, flight in enumerate(flights):
            items = (await manifest(partner, flight))["items"]
            absent = items[:2] if number == 0 else []
            missing |= {item["request"] for item in absent}
            if absent:
                await marked(partner, flight, "no-show", [item["id"] for item in absent])
            await marked(partner, flight, "board", [item["id"] for item in items[len(absent) :]])
    return missing


async def test_five_hundred_come_home_on_three_flights(hub: Hub) -> None:
    parties = await _parties(hub)
    agencies = _agencies(parties)
    organizer = agencies[ORGANIZER]
    flights = [await _flight(organizer, *flight) for flight in FLIGHTS]
    assert sum(len(party.people) for party in parties) == 500

    dispatchers = [Dispatcher(partner, number) for number, partner in enumerate(agencies.values())]
    work = [
        dispatcher.work([party for party in parties if dispatcher.partner in party.sides], flights)
        for dispatcher in dispatchers
    ]
    await asyncio.gather(*work)

    await _check_manifests(parties, flights)
    # They were in each other's way, or nothing was shown.
    assert sum(dispatcher.refused.get("already-on-a-manifest", 0) for dispatcher in dispatchers) > 0
    assert sum(dispatcher.refused.get("no-seats-left", 0) for dispatcher in dispatchers) > 0
    for flight in flights:
        await moved(organizer, flight, "freeze")
    assert {await state_of(party.sides[0], party.request) for party in parties} == {"scheduled"}

    missing = await _board(parties, flights)
    for flight in flights:
        await moved(organizer, flight, "depart")
    under_way = {party.request: await state_of(party.sides[1], party.request) for party in parties}
    assert {request for request, state in under_way.items() if state == "cleared"} == missing
    assert set(under_way.values()) == {"in_transit", "cleared"}

    for flight in flights:
        await moved(organizer, flight, "arrive")
        for code in (ORGANIZER, MINISTRY):
            items = (await manifest(agencies[code], flight, state="boarded"))["items"]
            await marked(agencies[code], flight, "hand-over", [item["id"] for item in items])
        assert (await organizer.get(flight)).json()["state"] == "completed"
    for party in parties:
        assert await state_of(party.sides[0], party.request) == (
            "cleared" if party.request in missing else "handed_over"
        )
    handed_over = [item for code in (ORGANIZER, MINISTRY) for item in await _seen(agencies[code], flights)]
    assert sum(item["state"] == "handed_over" for item in handed_over) == 500 - 4
    assert len(missing) >= 2
    stranger = hub.partner("VN-MPS", "liaison_officer")
    assert (await stranger.get(flights[0])).status_code == 404
    answer = await stranger.get(f"{repatriating.PATH}/{parties[0].request}")
    assert answer.status_code == 404
