"""The means to let time pass for records, and the nightly job."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta

import psycopg

from app.core import clock
from app.core.database_roles import DatabaseRole
from app.core.db import Connection
from app.records import purging
from tests.conftest import Hub
from tests.events.following import place
from tests.routers.entrance import below_policies


def in_days(days: int) -> str:
    """A day so many days from today, as a body writes it."""
    return (clock.now().date() + timedelta(days=days)).isoformat()


def review_on(hub: Hub, record_id: str, day: str) -> None:
    """Let a record's review date be another, which no call may set into the past."""
    assert date.fromisoformat(day)
    below_policies(
        hub,
        "UPDATE records SET handling = handling || jsonb_build_object('review_on', %s::text) WHERE id = %s",
        day,
        record_id,
    )


@asynccontextmanager
async def worker(hub: Hub) -> AsyncIterator[Connection]:
    """A connection as the nightly job has one."""
    async with await psycopg.AsyncConnection.connect(hub.conninfo(DatabaseRole.WORKER), autocommit=True) as connection:
        yield connection


async def night(hub: Hub) -> purging.Run:
    """Let the nightly job run, and the feed follow."""
    async with worker(hub) as connection:
        report = await purging.run(connection)
    place(hub)
    return report


async def purge(hub: Hub, *record_ids: str) -> None:
    """Purge these records: their review was yesterday."""
    for record_id in record_ids:
        review_on(hub, record_id, in_days(-1))
    report = await night(hub)
    assert {str(one.id) for one in report.purged} == set(record_ids)
    assert (report.busy, report.names_left) == ([], False)
