"""Five hundred invented people fly home, once however often the story is told, and each side finds its own."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest

from app.access.desk import Desk, open_desk
from app.core.database_roles import DatabaseRole
from app.core.db import Database
from app.demo import flying, story, telling
from app.demo.desks import visit
from app.demo.flown import FLIGHTS
from app.demo.homecoming import People
from app.demo.telling import OpenDesk
from tests.conftest import Hub

TABLES = ("records", "persons", "transports", "transport_versions", "manifest_entries", "agreements", "events")


@pytest.fixture
async def server_desk(hub: Hub) -> AsyncIterator[OpenDesk]:
    """Desks of the role that the server has, for credentials like those of the demo."""
    database = Database(hub.conninfo(DatabaseRole.API), 4, {"interdesk.legal_basis": "required"})
    await database.open()
    clients: dict[str | None, str] = {}

    def desk(agency: str | None) -> AbstractAsyncContextManager[Desk]:
        assert agency is not None
        if agency not in clients:
            clients[agency] = hub.credential(agency, "liaison_officer", "commander")
        return open_desk(database, visit(clients[agency]))

    yield desk
    await database.close()


def counts(hub: Hub) -> dict[str, int]:
    return {table: len(hub.look(f"SELECT FROM {table}")) for table in TABLES}


async def test_five_hundred_fly_home_once(hub: Hub, open_desk: OpenDesk, server_desk: OpenDesk, people: People) -> None:
    await telling.tell(open_desk, people)
    await flying.fly(server_desk, people)
    before = counts(hub)

    await flying.fly(server_desk, people)

    assert counts(hub) == before
    assert (before["persons"] - 1, before["manifest_entries"], before["transports"]) == (500, 500, len(FLIGHTS))
    officers = {agency["code"]: hub.caller(agency["code"], "liaison_officer") for agency in story.AGENCIES}
    seen = {}
    for code, officer in officers.items():
        flights = (await officer.get("/v1/transports")).json()["items"]
        shown = [(await officer.get(f"/v1/transports/{one['id']}/manifest?limit=500")).json() for one in flights]
        seen[code] = (sorted(one["state"] for one in flights), sum(len(one["items"]) for one in shown))
    assert seen == {
        "KR-KNPA": (["completed", "departed", "frozen"], 500),
        "KH-CNP": (["completed", "departed"], 300),
        "TH-RTP": (["frozen"], 200),
        "INTERPOL": ([], 0),
        "ASEANAPOL": ([], 0),
    }
    states: dict[str, int] = {}
    for request in (await officers["KR-KNPA"].get("/v1/repatriation-requests")).json()["items"]:
        states[request["state"]] = states.get(request["state"], 0) + 1
    # Two of one request were not fit to fly.
    assert states == {"handed_over": 2, "cleared": 1, "in_transit": 3, "scheduled": 4, "accepted": 1}


@pytest.mark.parametrize("step", [9, 30])
async def test_a_flight_that_was_cut_off_is_taken_up_again(
    hub: Hub, open_desk: OpenDesk, server_desk: OpenDesk, people: People, step: int
) -> None:
    await telling.tell(open_desk, people)
    opened = 0

    def failing(agency: str | None) -> AbstractAsyncContextManager[Desk]:
        nonlocal opened
        opened += 1
        if opened > step:
            raise ConnectionError
        return server_desk(agency)

    with pytest.raises(ConnectionError):
        await flying.fly(failing, people)
    await flying.fly(server_desk, people)

    found = counts(hub)
    assert (found["persons"] - 1, found["manifest_entries"], found["transports"]) == (500, 500, len(FLIGHTS))
