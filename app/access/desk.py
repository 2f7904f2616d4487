"""A desk: one caller's transaction, from the check of its credential to the commit."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from psycopg import sql
from psycopg.rows import AsyncRowFactory, namedtuple_row

from app.core.db import Connection, Database
from app.core.problems import FORBIDDEN, UNAUTHORIZED, Problem
from app.identity.callers import Caller, Visit
from app.identity.roles import Permission

_NAMED: AsyncRowFactory[Any] = namedtuple_row


@dataclass(frozen=True, slots=True)
class Desk:
    """A transaction in which the database knows the caller; what it reads and writes is under the caller's policies."""

    connection: Connection
    caller: Caller

    async def call(self, function: str, **arguments: object) -> list[Any]:
        """Call a function of the database by name; its rows as named tuples."""
        async with self.connection.cursor(row_factory=_NAMED) as cursor:
            await cursor.execute(_call(function, tuple(arguments)), tuple(arguments.values()))
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


@lru_cache(maxsize=512)
def _call(function: str, names: tuple[str, ...]) -> bytes:
    """The text of a call with named arguments; composed once for each call site."""
    arguments = sql.SQL(", ").join(
        sql.SQL("{} => {}").format(sql.Identifier(name), sql.Placeholder()) for name in names
    )
    return sql.SQL("SELECT * FROM {}({})").format(sql.Identifier(function), arguments).as_bytes()


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
    claims = visit.claims
    async with database.transaction() as connection:
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
            (entry,) = await cursor.fetchall()
        if entry.outcome != "ok":
            raise refuse_entry(entry.outcome)
        yield Desk(connection, Caller.of(visit, entry.agency, entry.roles))


@asynccontextmanager
async def open_operator_desk(
    database: Database, agency: str | None, *, officer: str, purpose: str, request_id: str
) -> AsyncIterator[Desk]:
    """Open a transaction for the operator at the host's command line, for one agency or for the hub.

    The database role must be interdesk_worker. Raises Problem 401 when the agency is unknown or suspended.
    """
    async with database.transaction() as connection:
        async with connection.cursor(row_factory=_NAMED) as cursor:
            await cursor.execute("SELECT * FROM enter_operator(%s, %s, %s, %s)", (agency, request_id, officer, purpose))
            (entry,) = await cursor.fetchall()
        if entry.outcome != "ok":
            raise refuse_entry(entry.outcome)
        permissions = frozenset(Permission) if agency else frozenset()
        yield Desk(connection, Caller(agency or "HUB", "operator", permissions, ("operator",)))
