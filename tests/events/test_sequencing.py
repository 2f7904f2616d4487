"""Positions: no event is passed over, whatever order writers commit in."""

import asyncio
import random
from contextlib import AsyncExitStack
from uuid import uuid4

import psycopg
import pytest

from app.core.database_roles import DatabaseRole
from app.worker import running_worker
from tests.conftest import Hub
from tests.events.following import Follower, place, until

WRITERS = 8
_ANNOUNCE = "SELECT announce('record.shared', NULL, NULL, %s, NULL, ARRAY['KR-KNPA'], '{}')"


class Writer:
    """A transaction that announces, and is held open until somebody decides how it ends."""

    def __init__(self, connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
        self._connection = connection
        self._said: list[str] = []

    async def announce(self) -> None:
        name = str(uuid4())
        await self._connection.execute(_ANNOUNCE, (name,))
        self._said.append(name)

    async def end(self, *, commit: bool) -> list[str]:
        """What it said, if that counts."""
        await (self._connection.commit() if commit else self._connection.rollback())
        said, self._said = self._said, []
        return said if commit else []


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_reader_misses_nothing_while_eight_writers_commit_out_of_order(hub: Hub, seed: int) -> None:
    """A random walk: at every step a writer writes or ends, the sequencer runs, or the reader reads."""
    walk = random.Random(seed)  # noqa: S311 - a repeatable choice
    reader = Follower(hub.partner("KR-KNPA"), limit=7)
    committed: list[str] = []
    async with AsyncExitStack() as stack:
        conninfo = hub.conninfo(DatabaseRole.WORKER)
        connections = [await psycopg.AsyncConnection.connect(conninfo) for _ in range(WRITERS)]
        for connection in connections:
            await stack.enter_async_context(connection)
        writers = [Writer(connection) for connection in connections]
        for _ in range(400):
            writer = walk.choice(writers)
            step = walk.random()
            if step < 0.45:
                await writer.announce()
            elif step < 0.75:
                committed += await writer.end(commit=walk.random() < 0.85)
            elif step < 0.87:
                place(hub)
            else:
                await reader.step()
        for writer in writers:
            committed += await writer.end(commit=True)
    place(hub)
    await reader.follow()

    seen = [event["subject"] for event in reader.events]
    assert len(seen) == len(set(seen))
    assert sorted(seen) == sorted(committed)
    ((in_order,),) = hub.look("SELECT array_agg(reference ORDER BY position) FROM events WHERE type = 'record.shared'")
    assert seen == in_order


async def test_a_slow_writer_holds_nobody_up(hub: Hub) -> None:
    reader = Follower(hub.partner("KR-KNPA"))
    conninfo = hub.conninfo(DatabaseRole.WORKER)
    async with await psycopg.AsyncConnection.connect(conninfo) as slow:
        await slow.execute(_ANNOUNCE, ("slow",))
        hub.operator(_ANNOUNCE, "fast")
        place(hub)
        first = await reader.follow()
    place(hub)
    second = await reader.follow()

    assert (first, second) == ([("record.shared", "fast")], [("record.shared", "slow")])


async def test_what_follows_from_something_comes_after_it(hub: Hub) -> None:
    """A long transaction takes a record back that a short one had shared meanwhile: the loss must come last."""
    reader = Follower(hub.partner("KR-KNPA"))
    conninfo = hub.conninfo(DatabaseRole.WORKER)
    async with (
        await psycopg.AsyncConnection.connect(conninfo) as long,
        await psycopg.AsyncConnection.connect(conninfo) as third,
    ):
        await long.execute("SELECT pg_current_xact_id()")
        hub.operator(_ANNOUNCE, "one")
        await third.execute(_ANNOUNCE, ("other",))
        await long.execute(_ANNOUNCE, ("two",))
        await long.commit()
        place(hub)
    place(hub)

    assert [subject for _, subject in await reader.follow()] == ["one", "two", "other"]


async def test_two_sequencers_give_no_position_twice(hub: Hub) -> None:
    hub.register("KR-KNPA")
    conninfo = hub.conninfo(DatabaseRole.WORKER)
    async with AsyncExitStack() as stack:
        connections = [
            await stack.enter_async_context(await psycopg.AsyncConnection.connect(conninfo, autocommit=True))
            for _ in range(4)
        ]

        async def announce_and_place(connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
            for number in range(50):
                await connection.execute(_ANNOUNCE, (str(number),))
                await connection.execute("SELECT sequence_events()")

        await asyncio.gather(*map(announce_and_place, connections))
    place(hub)

    ((events, positions, gaps),) = hub.look(
        "SELECT count(*), count(DISTINCT position), max(position) - min(position) + 1 - count(*) FROM events"
        " WHERE type = 'record.shared'"
    )
    assert (events, positions, gaps) == (200, 200, 0)


async def test_under_real_load_every_change_is_told_once_and_soon(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    reader = Follower(cambodia, limit=5)

    async def work() -> list[tuple[str, str, int]]:
        done = []
        for _ in range(5):
            created = await korea.profile(share=["KH-CNP"])
            path = f"/v1/criminal-organizations/{created['id']}"
            await korea.patch(path, {"status": "active"}, etag='"1"')
            done += [("record.shared", created["reference"], 1), ("record.updated", created["reference"], 2)]
        return done

    async with running_worker(hub.conninfo(DatabaseRole.WORKER)):
        writers = [asyncio.create_task(work()) for _ in range(WRITERS)]

        async def all_seen() -> bool:
            await reader.step()
            return len(reader.events) >= WRITERS * 10

        await until(all_seen, 30)
        expected = [item for written in await asyncio.gather(*writers) for item in written]
        await reader.follow()

    seen = [
        (event["type"].removeprefix("interdesk."), event["subject"], event["data"]["version"])
        for event in reader.events
    ]
    assert sorted(seen) == sorted(expected)
    for reference in {subject for _, subject, _ in expected}:
        assert [version for _, subject, version in seen if subject == reference] == [1, 2]
