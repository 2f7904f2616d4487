"""Bringing a list in: repeatable, adding only, and never over what the agency wrote."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from app.access.desk import Desk, open_operator_desk
from app.access.handling import HandlingIn
from app.core.database_roles import DatabaseRole
from app.core.db import Database
from app.exchange import imports, ofac
from app.exchange.imports import Outcome
from tests.conftest import Hub, Partner
from tests.exchange.test_ofac import item, listing

PATH = "/v1/criminal-organizations"

OpenDesk = Callable[[], AbstractAsyncContextManager[Desk]]


@pytest.fixture
async def korea(hub: Hub) -> Partner:
    return hub.partner("KR-KNPA")


@pytest.fixture
async def open_desk(hub: Hub, korea: Partner) -> AsyncIterator[OpenDesk]:
    database = Database(hub.conninfo(DatabaseRole.WORKER), 2)
    await database.open()
    yield lambda: open_operator_desk(database, korea.agency, officer="tester", purpose="test", request_id="test")
    await database.close()


async def bring_in(open_desk: OpenDesk, *items: dict[str, Any], **handling: Any) -> Outcome:
    return await imports.bring_in(open_desk, ofac.read(listing(*items)), HandlingIn.model_validate(handling))


async def profiles(partner: Partner) -> dict[str, dict[str, Any]]:
    answer = await partner.get(PATH)
    return {profile["external_id"]: profile for profile in answer.json()["items"]}


LANTERN = item(
    1,
    "LANTERN TRADING",
    aliases=[{"name": "LANTERN LLC"}],
    locations=[{"city": "Kampot", "country": "KH"}],
    identifiers=[{"type": "url", "value": "www.lantern.example"}],
    linked_to=["HARBOUR GROUP"],
)
HARBOUR = item(2, "HARBOUR GROUP")


async def test_the_first_run_creates_and_the_second_changes_nothing(korea: Partner, open_desk: OpenDesk) -> None:
    first = await bring_in(open_desk, LANTERN, HARBOUR)
    before = await profiles(korea)
    second = await bring_in(open_desk, LANTERN, HARBOUR)

    assert (first.read, first.created, first.relations_created) == (2, 2, 1)
    assert (first.aliases, first.places, first.identifiers) == (1, 1, 1)
    assert (second.created, second.changed, second.unchanged, second.relations_unchanged) == (0, 0, 2, 1)
    assert await profiles(korea) == before
    (relation,) = (await korea.get(f"{PATH}/{before['LIST-1']['id']}/relations")).json()["items"]
    assert (relation["type"], relation["target"]) == ("related_to", before["LIST-2"]["id"])


async def test_profiles_are_red_and_the_agencys_own_unless_told_otherwise(
    hub: Hub, korea: Partner, open_desk: OpenDesk
) -> None:
    cambodia = hub.partner("KH-CNP")

    await bring_in(open_desk, LANTERN)
    await bring_in(open_desk, HARBOUR, tlp="GREEN", audience={"community": True})

    assert (await profiles(korea))["LIST-1"]["handling"]["tlp"] == "RED"
    assert set(await profiles(cambodia)) == {"LIST-2"}


async def test_a_later_edition_adds_and_leaves_what_the_agency_wrote(korea: Partner, open_desk: OpenDesk) -> None:
    await bring_in(open_desk, LANTERN)
    (profile,) = (await profiles(korea)).values()
    own = {"name": "Lantern", "aliases": [{"name": "등불"}], "summary": "Ours.", "threat_level": "high"}
    answer = await korea.patch(f"{PATH}/{profile['id']}", own, etag='"1"')
    assert answer.status_code == 200

    later = {**LANTERN, "aliases": [{"name": "LANTERN LLC"}, {"name": "LAMP HOUSE"}]}
    outcome = await bring_in(open_desk, later)

    changed = (await profiles(korea))["LIST-1"]
    assert outcome.changed == 1
    assert (changed["name"], changed["summary"], changed["threat_level"]) == ("Lantern", "Ours.", "high")
    assert [alias["name"] for alias in changed["aliases"]] == ["등불", "LANTERN TRADING", "LANTERN LLC", "LAMP HOUSE"]
    assert len(changed["locations"]) == len(changed["identifiers"]) == 1


async def test_what_was_retracted_stays_so(korea: Partner, open_desk: OpenDesk) -> None:
    await bring_in(open_desk, LANTERN, HARBOUR)
    harbour = (await profiles(korea))["LIST-2"]
    await korea.post(f"{PATH}/{harbour['id']}/retract", headers={"If-Match": '"1"'})

    outcome = await bring_in(open_desk, LANTERN, HARBOUR)

    assert (outcome.retracted, outcome.unchanged) == (1, 1)
    assert outcome.unresolved == ["LANTERN TRADING → HARBOUR GROUP"]


async def test_a_link_to_a_name_that_is_not_there_is_told(open_desk: OpenDesk) -> None:
    outcome = await bring_in(open_desk, LANTERN)

    assert outcome.unresolved == ["LANTERN TRADING → HARBOUR GROUP"]


async def test_batches_are_committed_one_by_one(
    korea: Partner, open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "BATCH", 2)
    done: list[int] = []
    seen: list[int] = []

    def desk() -> AbstractAsyncContextManager[Desk]:
        seen.append(len(done))
        return open_desk()

    items = [item(number, f"ORGANIZATION {number}") for number in range(5)]
    await imports.bring_in(desk, ofac.read(listing(*items)), HandlingIn(), done.append)

    assert done == [2, 4, 5]
    assert seen == [0, 1, 2, 3]
    assert len(await profiles(korea)) == 5


async def test_the_run_stands_in_the_audit(hub: Hub, open_desk: OpenDesk) -> None:
    await bring_in(open_desk, HARBOUR)

    ((agency, client, officer, created),) = hub.look(
        "SELECT agency, client_id, officer, detail ->> 'created' FROM audit_entries WHERE action = 'import.run'"
    )
    assert (agency, client, officer, created) == ("KR-KNPA", "operator", "tester", "1")
