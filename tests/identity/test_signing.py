"""Signing keys in the database: founded once, rotated without breaking a token, known to running servers."""

import asyncio
import logging
import secrets
from datetime import datetime, timedelta

import pytest

from app.access.desk import open_operator_desk
from app.core import clock
from app.core.clock import rfc3339
from app.core.crypto import MasterKey
from app.core.database_roles import DatabaseRole
from app.core.db import Database
from app.identity import signing
from app.identity.keys import PUBLISH_LEAD, RETIRE_AFTER, SigningKeyError
from app.identity.signing import KeyKeeper, rotate
from tests.conftest import Hub, Partner
from tests.routers.entrance import below_policies, issue


@pytest.fixture
def master_key(hub: Hub) -> MasterKey:
    key: MasterKey = hub.app.state.house.master_key
    return key


async def rotated(hub: Hub, *, compromised: bool = False) -> str:
    database = Database(hub.conninfo(DatabaseRole.WORKER), 2)
    await database.open()
    try:
        async with open_operator_desk(database, None, officer="root", purpose="leak", request_id="cli") as desk:
            return (await rotate(desk.connection, hub.app.state.house.master_key, compromised=compromised)).kid
    finally:
        await database.close()


async def test_two_servers_that_start_at_once_agree_on_the_first_key(hub: Hub) -> None:
    house = hub.app.state.house
    keepers = await asyncio.gather(*(KeyKeeper.open(house.database, house.master_key) for _ in range(3)))
    (row,) = hub.look("SELECT kid, sealed_private_key FROM signing_keys")
    assert {keeper.ring.signing_key(clock.now()).kid for keeper in keepers} == {row[0]}
    assert b"PRIVATE KEY" not in bytes(row[1])


async def test_the_audit_tells_the_moment_as_the_api_writes_it(hub: Hub) -> None:
    await rotated(hub)
    statement = "SELECT detail ->> 'others_retire_at', agency, client_id, officer, purpose FROM audit_entries"
    ((moment, *who),) = hub.look(f"{statement} WHERE action = 'signing_key.rotate'")
    assert who == ["HUB", "operator", "root", "leak"]
    assert rfc3339(datetime.fromisoformat(moment)) == moment


async def test_another_master_key_does_not_open_the_keys(hub: Hub) -> None:
    with pytest.raises(SigningKeyError):
        await KeyKeeper.open(hub.app.state.house.database, MasterKey(secrets.token_bytes(32)))


async def test_a_rotation_breaks_no_token_and_the_new_key_signs_once_everybody_knows_it(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = issue(hub, hub.register("KR-KNPA"), "auditor")
    keeper, before = hub.app.state.house.key_keeper, await key.sign_in()
    below_policies(hub, "UPDATE signing_keys SET created_at = created_at - interval '1 hour'")
    old = keeper.ring.signing_key(clock.now()).kid
    kid = await rotated(hub)

    await keeper.look()

    now = clock.now()
    assert keeper.ring.signing_key(now).kid == old
    assert keeper.ring.signing_key(now + PUBLISH_LEAD).kid == kid
    assert [each["kid"] for each in (await hub.client.get("/.well-known/jwks.json")).json()["keys"]] == [kid, old]
    assert (await before.get("/v1/me")).status_code == 200
    assert (await (await key.sign_in()).get("/v1/me")).status_code == 200
    monkeypatch.setattr(clock, "now", lambda: now + RETIRE_AFTER + timedelta(seconds=5))
    assert [each["kid"] for each in (await hub.client.get("/.well-known/jwks.json")).json()["keys"]] == [kid]
    assert hub.look("SELECT agency, client_id FROM audit_entries WHERE action = 'signing_key.rotate'") == [
        ("HUB", "operator")
    ]


async def test_after_a_compromise_old_tokens_end_and_a_server_learns_the_new_key_from_the_first_token(
    hub: Hub, master_key: MasterKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = issue(hub, hub.register("KR-KNPA"), "auditor")
    house, stolen = hub.app.state.house, await key.sign_in()
    await rotated(hub, compromised=True)
    other = await KeyKeeper.open(house.database, master_key)
    monkeypatch.setattr(signing, "SHORTEST_RELOAD", timedelta(0))

    known, house.key_keeper.ring = house.key_keeper.ring, other.ring
    fresh = await key.sign_in()
    house.key_keeper.ring = known

    assert (await fresh.get("/v1/me")).status_code == 200, "an unknown key makes the server look"
    assert (await stolen.get("/v1/me")).status_code == 401


async def test_invented_key_names_do_not_make_a_server_look_each_time(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = hub.app.state.house.key_keeper
    looks = 0

    async def look() -> None:
        nonlocal looks
        looks += 1

    monkeypatch.setattr(keeper, "look", look)
    token = Partner(hub, "", "", hub.token("idc_abcdefghijklmnopqrstuvwxyz", "auditor"))
    for _ in range(20):
        assert (await token.get("/v1/me")).status_code == 401, "a known key, an unknown client"
        assert not await keeper.learns("invented")
    assert looks == 0, "the keys were loaded less than five seconds ago"


async def test_keys_that_cannot_be_loaded_leave_the_known_ones_in_use(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    house = hub.app.state.house
    keeper = await KeyKeeper.open(house.database, house.master_key)
    ring = keeper.ring
    await keeper.look()
    assert keeper.ring is ring, "nothing changed, so verified tokens stay remembered"
    await rotated(hub)
    below_policies(hub, "UPDATE signing_keys SET sealed_private_key = 'damaged' WHERE retires_at IS NULL")
    with caplog.at_level(logging.ERROR):
        await keeper.look()
    assert keeper.ring is ring
    assert "could not be loaded" in caplog.text


async def test_a_server_looks_by_itself(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    house = hub.app.state.house
    keeper = await KeyKeeper.open(house.database, house.master_key)
    looked = asyncio.Event()

    async def look() -> None:
        looked.set()

    monkeypatch.setattr(signing, "RELOAD", timedelta(milliseconds=1))
    monkeypatch.setattr(keeper, "look", look)
    async with keeper.at_work():
        await asyncio.wait_for(looked.wait(), 5)
