"""The way to the database that a process holds: one pool, connected as one database role."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool

Connection = psycopg.AsyncConnection[Any]


class Database:
    """A pool of autocommit connections.

    A single call that checks, reads and records at once needs no more: it is one round trip. `transaction()` is for
    everything that takes several steps. Few connections are right: more of them make a busy server slower.
    """

    def __init__(self, conninfo: str, connections: int = 6, session: Mapping[str, str] | None = None) -> None:
        """Prepare a pool of so many connections; `session` are settings that hold on each of them."""
        self.conninfo = conninfo
        self._session = dict(session or {})
        self.pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            conninfo,
            kwargs={"autocommit": True},
            min_size=1,
            max_size=connections,
            open=False,
            timeout=10,
            configure=self._configure,
        )

    async def _configure(self, connection: Connection) -> None:
        for name, value in self._session.items():
            await connection.execute("SELECT set_config(%s, %s, false)", (name, value))

    async def open(self) -> None:
        """Connect; raises psycopg_pool.PoolTimeout if the database cannot be reached within ten seconds."""
        await self.pool.open(wait=True, timeout=10)

    async def close(self) -> None:
        """Give all connections back."""
        await self.pool.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """One transaction: committed at the end of the block, rolled back if it raises."""
        async with self.pool.connection() as connection, connection.transaction():
            yield connection
