"""Keys of persons are wrapped anew while calls go on, in batches, by whoever takes the work up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest

from app.attachments.sealing import ATTACHMENTS
from app.core.crypto import MasterKey
from app.core.data_keys import DataKeyError, DataKeys
from app.core.database_roles import DatabaseRole
from app.core.db import Connection
from app.persons.sealing import PERSONS
from app.records import rotation
from app.records.purging import Operator
from app.records.rotation import rotate
from tests.conftest import Hub, Partner
from tests.events.following import until
from tests.persons.people import KIM, PURPOSE, ROLES, enter, read, record_of

OPERATOR = Operator("root (alex)", "interdesk keys rotate-persons")
RINGS = (PERSONS, ATTACHMENTS)


@asynccontextmanager
async def worker(hub: Hub) -> AsyncIterator[Connection]:
    conninfo = hub.conninfo(DatabaseRole.WORKER)
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
        yield connection


@pytest.fixture
async def korea(hub: Hub) -> Partner:
    return hub.partner("KR-KNPA", *ROLES)


async def several(korea: Partner, count: int) -> str:
    record = await record_of(korea)
    for number in range(count):
        await enter(korea, record, note=str(number))
    return f"{record}/persons"


async def notes(korea: Partner, persons: str) -> list[str]:
    answer = await read(korea, persons)
    assert answer.status_code == 200, answer.text
    return [person["note"] for person in answer.json()["items"]]


def keks(hub: Hub) -> list[tuple[object, ...]]:
    return hub.look("SELECT id FROM person_keks ORDER BY created_at")


def keys_of(hub: Hub) -> DataKeys:
    return DataKeys(hub.app.state.house.master_key)


async def test_every_key_is_wrapped_anew_and_the_former_destroyed(
    hub: Hub, korea: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "BATCH", 2)
    persons = await several(korea, 5)
    ((former,),) = keks(hub)
    before = dict(hub.look("SELECT person_id, wrapped FROM person_keys"))
    sealed = hub.look("SELECT id, sealed FROM persons ORDER BY id")
    told: list[int] = []

    async with worker(hub) as connection:
        done = await rotate(connection, keys_of(hub), RINGS, OPERATOR, lambda total: told.append(-total) or told.append)

    assert (done.rewrapped, done.resumed) == (5, False)
    assert told == [-5, 2, 4, 5, 5]
    assert keks(hub) == [(done.kek,)]
    assert done.kek != former
    after = dict(hub.look("SELECT person_id, wrapped FROM person_keys"))
    assert after.keys() == before.keys()
    assert not set(after.values()) & set(before.values())
    assert hub.look("SELECT id, sealed FROM persons ORDER BY id") == sealed
    assert await notes(korea, persons) == ["4", "3", "2", "1", "0"]
    await enter(korea, persons.removesuffix("/persons"))
    assert hub.look("SELECT DISTINCT kek_id FROM person_keys") == [(done.kek,)]
    entries = hub.look(
        "SELECT agency, client_id, officer, purpose, action, detail FROM audit_entries"
        " WHERE action LIKE 'person_keys.%%' ORDER BY at"
    )
    who = ("HUB", "operator", OPERATOR.officer, OPERATOR.purpose)
    assert entries == [
        (*who, "person_keys.rotate", {"kek": str(done.kek), "outcome": "begun", "waiting": 5}),
        (*who, "person_keys.rotated", {"kek": str(done.kek)}),
    ]


async def test_a_rotation_that_broke_off_is_taken_up(hub: Hub, korea: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "BATCH", 2)
    persons = await several(korea, 5)

    def break_off(done: int) -> None:
        if done == 4:
            raise ConnectionAbortedError

    async with worker(hub) as connection:
        with pytest.raises(ConnectionAbortedError):
            await rotate(connection, keys_of(hub), RINGS, OPERATOR, lambda _total: break_off)
    assert len(keks(hub)) == 2
    # In between both keys are there, and everybody is read and entered.
    assert len(await notes(korea, persons)) == 5
    await enter(korea, persons.removesuffix("/persons"), note="5")

    async with worker(hub) as connection:
        done = await rotate(connection, keys_of(hub), RINGS, OPERATOR)
    assert (done.rewrapped, done.resumed) == (1, True)
    assert keks(hub) == [(done.kek,)]
    assert len(await notes(korea, persons)) == 6


async def test_two_at_once_share_the_work(hub: Hub, korea: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "BATCH", 1)
    persons = await several(korea, 8)

    async def one() -> rotation.Rotation:
        async with worker(hub) as connection:
            return await rotate(connection, keys_of(hub), RINGS, OPERATOR)

    done = await asyncio.gather(one(), one(), one())
    assert len(keks(hub)) == 1
    assert sum(each.rewrapped for each in done) >= 8
    assert len(await notes(korea, persons)) == 8


async def test_calls_go_on_meanwhile(hub: Hub, korea: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "BATCH", 1)
    persons = await several(korea, 4)
    record = persons.removesuffix("/persons")
    ended = asyncio.Event()

    async def work() -> int:
        entered = 0
        while not ended.is_set():
            made = await korea.post(persons, {**KIM, "note": "new"}, headers=PURPOSE)
            assert made.status_code == 201, made.text
            changed = await korea.patch(made.headers["Location"], {"note": "newer"}, '"1"', headers=PURPOSE)
            assert changed.status_code == 200, changed.text
            assert (await read(korea, persons)).status_code == 200
            entered += 1
        return entered

    working = [asyncio.create_task(work()) for _ in range(2)]
    for _ in range(3):
        async with worker(hub) as connection:
            await rotate(connection, keys_of(hub), RINGS, OPERATOR)
    ended.set()
    entered = sum(await asyncio.gather(*working))
    assert entered > 0
    assert len(keks(hub)) == 1
    assert len((await read(korea, f"{record}/persons", params={"limit": 500})).json()["items"]) == 4 + entered


async def test_one_that_waits_for_somebody_entering_a_person_takes_that_one_too(hub: Hub, korea: Partner) -> None:
    await several(korea, 1)
    async with (
        worker(hub) as connection,
        await psycopg.AsyncConnection.connect(hub.conninfo(DatabaseRole.OWNER)) as slow,
    ):
        # Somebody who has read the present key, and enters a person after the rotation has wrapped all others.
        await slow.execute("SET ROLE interdesk_engine")
        await slow.execute("SELECT id FROM person_keks FOR KEY SHARE")
        rotating = asyncio.create_task(rotate(connection, keys_of(hub), RINGS, OPERATOR))

        async def waits() -> bool:
            return bool(hub.look("SELECT FROM pg_locks WHERE NOT granted"))

        await until(waits)
        await slow.execute(
            "INSERT INTO persons SELECT gen_random_uuid(), record_id, agency, 1, sealed, created_at, updated_at"
            " FROM persons"
        )
        await slow.execute(
            "INSERT INTO person_keys SELECT p.id, k.id, 'unwrappable' FROM persons p, person_keks k"
            " WHERE NOT EXISTS (SELECT FROM person_keys o WHERE o.person_id = p.id) ORDER BY k.created_at LIMIT 1"
        )
        await slow.commit()
        with pytest.raises(DataKeyError):
            await rotating
    # Its key was met, and so nothing was deleted that it needs.
    assert len(keks(hub)) == 2


async def test_another_master_key_changes_nothing(hub: Hub, korea: Partner) -> None:
    persons = await several(korea, 2)
    before = hub.look("SELECT person_id, wrapped FROM person_keys ORDER BY 1")
    async with worker(hub) as connection:
        with pytest.raises(DataKeyError):
            await rotate(connection, DataKeys(MasterKey(bytes(range(32)))), RINGS, OPERATOR)
    assert hub.look("SELECT person_id, wrapped FROM person_keys ORDER BY 1") == before
    assert len(await notes(korea, persons)) == 2


async def test_only_the_operator_rotates(hub: Hub, korea: Partner) -> None:
    await several(korea, 1)
    statements = (
        "SELECT begin_person_rotation(gen_random_uuid(), '')",
        "SELECT end_person_rotation(gen_random_uuid())",
        "SELECT adopt_person_keys('{}', '{}', '{}', '{}', '{}', '{}')",
    )
    with psycopg.connect(hub.conninfo(DatabaseRole.WORKER), autocommit=True) as connection:
        for statement in statements:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
        assert connection.execute("SELECT * FROM person_keys_to_rewrap(gen_random_uuid(), 10)").fetchall() == []
    with psycopg.connect(hub.conninfo(DatabaseRole.API), autocommit=True) as connection:
        for statement in statements:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
