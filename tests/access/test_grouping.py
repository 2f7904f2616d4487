"""Calls that share a transaction: each gets its own row, and one that fails takes no other with it."""

import asyncio
import select
from collections.abc import AsyncIterator

import psycopg
import pytest

from app.access.grouping import Grouped
from app.core.database_roles import DatabaseRole
from app.core.db import Database
from tests.conftest import Cluster

DIVIDE = (
    "SELECT 12 / (x ->> 'by')::integer AS share, pg_current_xact_id()::text AS xact"
    " FROM json_array_elements(%s::json) AS x"
)


@pytest.fixture
async def pool(cluster: Cluster, database: str) -> AsyncIterator[Database]:
    opened = Database(cluster.conninfo(DatabaseRole.API, database))
    await opened.open()
    try:
        yield opened
    finally:
        await opened.close()


async def test_everybody_gets_the_answer_to_its_own_request(pool: Database) -> None:
    grouped = Grouped(pool, DIVIDE, largest=8, repeatable=False)
    rows = await asyncio.gather(*(grouped.ask({"by": by}) for by in (1, 2, 3, 4, 6) * 20))
    assert [row.share for row in rows] == [12, 6, 4, 3, 2] * 20
    transactions = [row.xact for row in rows]
    assert len(transactions) / 8 <= len(set(transactions)) < len(transactions)


async def test_what_the_database_refuses_is_refused_alone(pool: Database) -> None:
    grouped = Grouped(pool, DIVIDE, largest=100, repeatable=False)
    answers = await asyncio.gather(*(grouped.ask({"by": by}) for by in (1, 0, 2, 0, 3)), return_exceptions=True)
    assert [getattr(answer, "share", type(answer)) for answer in answers] == [
        12,
        psycopg.errors.DivisionByZero,
        6,
        psycopg.errors.DivisionByZero,
        4,
    ]


@pytest.mark.parametrize("repeatable", [True, False])
async def test_a_lost_connection_is_tried_again_only_where_nothing_can_happen_twice(
    pool: Database, *, repeatable: bool
) -> None:
    grouped = Grouped(pool, DIVIDE, largest=8, repeatable=repeatable)
    async with pool.pool.connection() as connection:
        await connection.execute("SET idle_session_timeout = '1ms'")
    select.select([connection.pgconn.socket], [], [], 5)  # what the server says when it leaves
    if repeatable:
        assert (await grouped.ask({"by": 3})).share == 4
    else:
        with pytest.raises(psycopg.OperationalError):
            await grouped.ask({"by": 3})


async def test_whoever_stops_waiting_spoils_nothing(pool: Database) -> None:
    grouped = Grouped(pool, DIVIDE, largest=8, repeatable=False)
    tasks = [asyncio.ensure_future(grouped.ask({"by": 4})) for _ in range(6)]
    await asyncio.sleep(0)
    tasks[2].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [getattr(answer, "share", None) for answer in answers] == [3, 3, None, 3, 3, 3]
