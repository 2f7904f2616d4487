"""The two ways to the database that a process holds: a pool of plain connections for reads, sessions for the rest."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from psycopg_pool import AsyncConnectionPool
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession


class Database:
    """Pools of one process, all connected as the same database role.

    `reads` holds autocommit connections for single calls that check, read and record at once; a page or a record costs
    one round trip there. `session()` is a transaction through SQLAlchemy for everything that takes several steps.
    """

    def __init__(self, conninfo: str, connections: int = 6) -> None:
        self.conninfo = conninfo.replace("postgresql+psycopg://", "postgresql://", 1)
        self.reads: AsyncConnectionPool[psycopg.AsyncConnection[tuple[object, ...]]] = AsyncConnectionPool(
            self.conninfo,
            kwargs={"autocommit": True},
            min_size=1,
            max_size=connections,
            open=False,
            check=AsyncConnectionPool.check_connection,
            timeout=10,
        )
        self.engine: AsyncEngine = create_async_engine(
            "postgresql+psycopg://",
            async_creator=self._connect,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=10,
            pool_pre_ping=True,
        )

    async def _connect(self) -> psycopg.AsyncConnection[tuple[object, ...]]:
        return await psycopg.AsyncConnection.connect(self.conninfo)

    async def open(self) -> None:
        """Connect; raises psycopg.OperationalError if the database cannot be reached within ten seconds."""
        await self.reads.open(wait=True, timeout=10)

    async def close(self) -> None:
        """Give all connections back."""
        await self.reads.close()
        await self.engine.dispose()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed at the end of the block, rolled back if it raises."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
            yield session
