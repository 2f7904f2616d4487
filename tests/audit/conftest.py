"""Means to seal the trail of a test's hub, and to do to its tables what only an operator could."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg

from app.audit.sealing import seal
from app.core.database_roles import DatabaseRole
from app.core.db import Connection
from tests.conftest import Hub

TABLES = ("audit_entries", "audit_leaves", "audit_nodes", "audit_checkpoints", "audit_sealing", "audit_keys")


@asynccontextmanager
async def worker(hub: Hub) -> AsyncIterator[Connection]:
    """A connection as a job has one."""
    conninfo = hub.conninfo(DatabaseRole.WORKER)
    async with await psycopg.AsyncConnection[Any].connect(conninfo, autocommit=True) as connection:
        yield connection


async def seal_now(hub: Hub) -> int:
    """Seal everything that is committed, as the worker would within a minute."""
    async with worker(hub) as connection:
        return await seal(connection, hub.app.state.house.master_key, at_once=True)


def change(hub: Hub, *statements: str) -> int:
    """Change the tables below every policy, as whoever holds the owner's password can; returns rows of the last."""
    with psycopg.connect(hub.conninfo(DatabaseRole.OWNER)) as connection:
        for table in TABLES:
            connection.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")  # type: ignore[call-overload]
        for statement in statements:
            count = connection.execute(statement).rowcount  # type: ignore[call-overload]
        for table in TABLES:
            connection.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")  # type: ignore[call-overload]
    return count
