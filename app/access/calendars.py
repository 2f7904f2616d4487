"""The door for calendar programs: a secret in the address stands for a credential, and opens what that one may read."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from psycopg.rows import AsyncRowFactory, namedtuple_row

from app.access.desk import Desk
from app.core.db import Database
from app.core.problems import NOT_FOUND, Problem
from app.identity.callers import Caller
from app.identity.roles import Permission, roles_granting
from app.identity.secrets import hash_secret

_NAMED: AsyncRowFactory[Any] = namedtuple_row
_ENTER = "SELECT * FROM enter_calendar(%s, %s, %s, %s)"


@asynccontextmanager
async def open_calendar_desk(
    database: Database, secret: str, *, peer: str | None, request_id: str
) -> AsyncIterator[Desk]:
    """Open a transaction and make the credential behind a calendar's address its caller, for reading meetings alone.

    Raises Problem 404, the same for a secret that never was and for a credential that may not enter any more.
    """
    roles = sorted(roles_granting(Permission.MEETINGS_READ))
    async with database.transaction() as connection:
        async with connection.cursor(row_factory=_NAMED) as cursor:
            await cursor.execute(_ENTER, (hash_secret(secret), roles, peer, request_id))
            (entry,) = await cursor.fetchall()
        if entry.outcome != "ok":
            raise Problem(NOT_FOUND, reason=f"calendar: {entry.outcome}")
        caller = Caller(entry.agency, entry.client_id, frozenset({Permission.MEETINGS_READ}), tuple(entry.roles))
        yield Desk(connection, caller)
