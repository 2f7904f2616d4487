"""A desk: one caller's transaction, from the check of its credential to the commit."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection, sql
from psycopg.rows import AsyncRowFactory, namedtuple_row
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.db import Database
from app.core.problems import FORBIDDEN, UNAUTHORIZED, Problem
from app.identity.callers import Caller, Visit
from app.identity.roles import Permission

_NAMED: AsyncRowFactory[Any] = namedtuple_row


@dataclass(frozen=True, slots=True)
class Desk:
    """A transaction in which the database knows the caller; what it reads and writes is under the caller's policies."""

    session: AsyncSession
    connection: AsyncConnection[Any]
    caller: Caller

    async def call(self, function: str, **arguments: object) -> list[Any]:
        """Call a function of the database by name; its rows as named tuples."""
        statement = sql.SQL("SELECT * FROM {}({})").format(
            sql.Identifier(function),
            sql.SQL(", ").join(
                sql.SQL("{} => {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in arguments
            ),
        )
        async with self.connection.cursor(row_factory=_NAMED) as cursor:
            await cursor.execute(statement, arguments)
            return await cursor.fetchall()

    async def call_one(self, function: str, **arguments: object) -> Any:  # noqa: ANN401 - a row of the function's columns
        """The only row of a function that returns exactly one."""
        (row,) = await self.call(function, **arguments)
        return row

    async def rows(self, statement: sql.SQL | sql.Composed, **arguments: object) -> list[Any]:
        """Rows of a query, as named tuples."""
        async with self.connection.cursor(row_factory=_NAMED) as cursor:
            await cursor.execute(statement, arguments)
            return await cursor.fetchall()


def refuse_entry(outcome: str) -> Problem:
    """The answer to a caller that may not enter; why is for the audit alone."""
    return Problem(UNAUTHORIZED, reason=outcome)


def refuse_permission(permission: Permission) -> Problem:
    """The answer to a caller whose token lacks a permission."""
    return Problem(FORBIDDEN, detail=f"This call needs the permission {permission}.")


@asynccontextmanager
async def open_desk(database: Database, visit: Visit) -> AsyncIterator[Desk]:
    """Open a transaction and make the visitor its caller, before any content is read.

    Raises Problem 401 when the credential, agency, token or network no longer holds.
    """
    async with database.session() as session:
        connection = (await (await session.connection()).get_raw_connection()).driver_connection
        assert connection is not None  # noqa: S101 - SQLAlchemy's types allow None before connecting only
        claims = visit.claims
        async with connection.cursor(row_factory=_NAMED) as cursor:
            await cursor.execute(
                "SELECT * FROM enter(%s, %s, %s, %s, %s, %s, %s)",
                (
                    claims.client_id,
                    claims.jti,
                    claims.issued_at,
                    visit.peer,
                    visit.request_id,
                    visit.officer,
                    visit.purpose,
                ),
            )
            entry = await cursor.fetchone()
        if entry.outcome != "ok":
            raise refuse_entry(entry.outcome)
        yield Desk(session, connection, Caller.of(visit, entry.agency, entry.roles))


@asynccontextmanager
async def open_operator_desk(
    database: Database, agency: str | None, *, officer: str, purpose: str, request_id: str
) -> AsyncIterator[Desk]:
    """Open a transaction for the operator at the host's command line, for one agency or for the hub.

    The database role must be interdesk_worker. Raises Problem 401 when the agency is unknown or suspended.
    """
    async with database.session() as session:
        connection = (await (await session.connection()).get_raw_connection()).driver_connection
        assert connection is not None  # noqa: S101 - as above
        async with connection.cursor(row_factory=_NAMED) as cursor:
            await cursor.execute("SELECT * FROM enter_operator(%s, %s, %s, %s)", (agency, request_id, officer, purpose))
            entry = await cursor.fetchone()
        if entry.outcome != "ok":
            raise refuse_entry(entry.outcome)
        permissions = frozenset(Permission) if agency else frozenset()
        yield Desk(session, connection, Caller(agency or "HUB", "operator", permissions, ("operator",)))
