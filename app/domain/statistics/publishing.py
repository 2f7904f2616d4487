"""Publishing tables over all incident reports: the worker does it once a month, the operator whenever it is wanted."""

from datetime import datetime

from psycopg import sql

from app.access.desk import Desk
from app.core.db import Connection
from app.core.ids import uuid7

_ENTER = sql.SQL("SELECT enter_operator(NULL, %s, %s, %s)")
_NOW = sql.SQL("SELECT now(), publish_statistics(now())")
_DUE = sql.SQL("SELECT publish_due_statistics()")


async def publish_due(connection: Connection) -> None:
    """Publish as of the end of the last month, if nobody did."""
    await connection.execute(_DUE)


async def publish(desk: Desk) -> None:
    """Publish as of this moment at the operator's desk."""
    await desk.rows(_NOW)


async def publish_now(connection: Connection, officer: str) -> datetime:
    """Publish as of this moment for the operator, whom the audit names; as of when it was."""
    async with connection.transaction():
        await connection.execute(_ENTER, (str(uuid7()), officer, "interdesk statistics publish"))
        cursor = await connection.execute(_NOW)
        ((as_of, _published),) = await cursor.fetchall()
    moment: datetime = as_of
    return moment
