"""Databases of the bench: one for every size, loaded once and kept, and a copy of it that a run may change."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import psycopg
from psycopg import sql

from app.core.database_roles import DatabaseRole, database_privileges
from bench.processes import cpu_seconds, parent

MAINTENANCE = "postgres"
RUN = "bench_run"

Connection = psycopg.Connection[tuple[Any, ...]]


class Cluster(Protocol):
    """A running PostgreSQL that knows Interdesk's roles."""

    def conninfo(self, role: DatabaseRole, database: str) -> str:
        """How to connect as this role to this database."""


def connect(cluster: Cluster, database: str, role: DatabaseRole = DatabaseRole.OWNER) -> Connection:
    """A connection that commits every statement."""
    return psycopg.connect(cluster.conninfo(role, database), autocommit=True)


def pristine(size: int) -> str:
    """The database that holds `size` profiles and is never run on."""
    return f"bench_{size}"


def create(cluster: Cluster, database: str, template: str | None = None) -> None:
    """Make a database anew, empty or as a copy."""
    drop(cluster, database)
    options = sql.SQL(" TEMPLATE {} STRATEGY = file_copy").format(sql.Identifier(template)) if template else sql.SQL("")
    with connect(cluster, MAINTENANCE) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)) + options)
        connection.execute(database_privileges(database).encode())


def drop(cluster: Cluster, database: str) -> None:
    """Remove a database that nobody is connected to; nothing happens when there is none."""
    with connect(cluster, MAINTENANCE) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(database)))


@contextmanager
def run_copy(cluster: Cluster, size: int) -> Iterator[str]:
    """A copy of the loaded database, gone afterwards, so that what one run creates does not slow the next."""
    create(cluster, RUN, template=pristine(size))
    try:
        yield RUN
    finally:
        drop(cluster, RUN)


def server_cpu_seconds(connection: Connection) -> float:
    """CPU time that PostgreSQL has used, all its processes together; it must run on this machine."""
    return cpu_seconds(parent(connection.info.backend_pid))


def server_version(connection: Connection) -> str:
    """PostgreSQL's version, as it says it."""
    row = connection.execute("SHOW server_version").fetchone()
    return str(row[0]) if row else "unknown"


def exists(cluster: Cluster, database: str) -> bool:
    """Whether there is such a database."""
    with connect(cluster, MAINTENANCE) as connection:
        return connection.execute("SELECT FROM pg_database WHERE datname = %s", [database]).fetchone() is not None
