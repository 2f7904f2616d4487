"""A deportation by transport while an extradition is pending: stopped as far as a side of it sees both."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.conftest import Hub, Partner
from tests.persons.people import KIM
from tests.routers import repatriating
from tests.routers.checking import act, item
from tests.routers.repatriating import SUSPECT, add_person, submitted
from tests.routers.transporting import added, cleared, mark, marked, move, moved, officer, planned, state_of

CODE = "no_extradition_pending"
ESCORTS = [{"agency": "KH-CNP", "count": 2}]
WAIVED = {"reason": "Japan knows, and agrees."}


@dataclass
class Case:
    """Kim is cleared to be deported by Cambodia to Korea, and stands on a transport."""

    hub: Hub
    korea: Partner
    cambodia: Partner
    request: str
    persons: list[str]
    transport: str
    entries: list[str]

    @property
    def path(self) -> str:
        return f"{repatriating.PATH}/{self.request}"

    async def wanted(self, by: Partner, of: str) -> None:
        """Somebody asks for his extradition."""
        extradition = {**SUSPECT, "legal_act": "extradition", "requested_agency": of, "to_country": by.agency[:2]}
        path = await submitted(by, **extradition)
        await add_person(by, path, KIM)


@pytest.fixture
async def case(hub: Hub) -> Case:
    korea, cambodia = officer(hub, "KR-KNPA"), officer(hub, "KH-CNP")
    request, persons = await cleared(korea, cambodia, person=KIM, **SUSPECT)
    transport = await planned(korea, cambodia.agency, escorts=ESCORTS)
    entries = await added(cambodia, transport, request, persons)
    return Case(hub, korea, cambodia, request, persons, transport, entries)


def refusals(answer: Any) -> list[str]:
    assert answer.status_code == 409, answer.text
    return [flaw["code"] for flaw in answer.json()["errors"]]


async def test_a_deportation_does_not_travel_against_an_extradition_that_both_sides_see(case: Case) -> None:
    await case.wanted(case.korea, "KH-CNP")
    assert refusals(await move(case.korea, case.transport, "freeze")) == ["request-not-cleared"]
    assert (await act(case.cambodia, case.path, CODE, "waive", WAIVED)).status_code == 200
    await moved(case.korea, case.transport, "freeze")
    await marked(case.cambodia, case.transport, "board", case.entries)
    await moved(case.korea, case.transport, "depart")
    assert await state_of(case.korea, case.request) == "in_transit"


async def test_an_extradition_asked_for_on_the_day_itself_stops_boarding_and_departure(case: Case) -> None:
    japan = officer(case.hub, "JP-NPA")
    await moved(case.korea, case.transport, "freeze")
    await case.wanted(japan, "KH-CNP")
    for partner in (case.korea, case.cambodia):
        assert refusals(await mark(partner, case.transport, "board", case.entries)) == ["not-cleared"]
    assert (await act(case.cambodia, case.path, CODE, "waive", WAIVED)).status_code == 200
    await marked(case.cambodia, case.transport, "board", case.entries)
    await case.wanted(officer(case.hub, "SG-SPF"), "KH-CNP")
    assert refusals(await move(case.korea, case.transport, "depart")) == ["request-not-cleared"]


async def test_who_sees_the_deportation_alone_is_told_no_more_than_that_it_is_not_cleared(case: Case) -> None:
    await act(case.cambodia, case.path, CODE, "reopen", {"reason": "Asked again."})
    reopened = await move(case.korea, case.transport, "freeze")
    await act(case.cambodia, case.path, CODE, "complete")
    before = await item(case.korea, case.path, CODE)
    await case.wanted(officer(case.hub, "JP-NPA"), "KH-CNP")
    refused = await move(case.korea, case.transport, "freeze")
    assert refused.json()["errors"] == reopened.json()["errors"]
    assert refused.json()["detail"] == reopened.json()["detail"]
    assert await item(case.korea, case.path, CODE) == before


async def test_what_the_requesting_side_alone_sees_stops_its_own_calls_and_no_others(case: Case) -> None:
    case.hub.register("KH-GDI")
    await case.wanted(case.korea, "KH-GDI")
    assert refusals(await move(case.korea, case.transport, "freeze")) == ["request-not-cleared"]
    hosted = await planned(case.cambodia, case.korea.agency, escorts=ESCORTS)
    await moved(case.korea, case.transport, "cancel")
    entries = await added(case.cambodia, hosted, case.request, case.persons)
    await moved(case.cambodia, hosted, "freeze")
    assert refusals(await mark(case.korea, hosted, "board", entries)) == ["not-cleared"]
    await marked(case.cambodia, hosted, "board", entries)
    await moved(case.cambodia, hosted, "depart")


async def test_where_neither_side_sees_both_nothing_is_different(case: Case) -> None:
    case.hub.register("KH-GDI")
    await case.wanted(officer(case.hub, "JP-NPA"), "KH-GDI")
    await moved(case.korea, case.transport, "freeze")
    await marked(case.korea, case.transport, "board", case.entries)
    await moved(case.korea, case.transport, "depart")
