"""The sequencer: every event that is committed gets its final position in the feed, within a tenth of a second.

It asks instead of being woken. A notification in every writer's transaction would make all commits of the database
queue behind one lock, while ten questions a second cost a thousandth of one core.
"""

import asyncio
from typing import Any, Final

import psycopg

INTERVAL: Final = 0.1
"""Seconds between two looks at what is waiting."""

_BATCH: Final = 5000
"""How many events `sequence_events()` places at most; as many mean that there may be more."""


async def sequence(connection: psycopg.AsyncConnection[Any]) -> int:
    """Place all events that wait now, and say how many there were.

    Any number of processes may do so at once: the database lets one of them in and answers the others with 0.
    """
    placed = 0
    while True:
        cursor = await connection.execute("SELECT sequence_events()")
        row = await cursor.fetchone()
        count = int(row[0]) if row else 0
        placed += count
        if count < _BATCH:
            return placed


async def keep_sequencing(conninfo: str, interval: float = INTERVAL) -> None:
    """Place events until cancelled, as the role interdesk_worker.

    Raises psycopg.OperationalError when the database goes away.
    """
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
        while True:
            await sequence(connection)
            await asyncio.sleep(interval)
