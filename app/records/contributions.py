"""What a record's readers add to it.

It is shown to the originator and to whoever added it: a third agency would learn from it who else sees the record.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.errors import InsufficientPrivilege
from psycopg.types.json import Jsonb

from app.access.desk import Desk
from app.core.places import NEWEST, Place
from app.core.problems import not_found
from app.records.shelf import Stored


async def insert(desk: Desk, table: str, stored: Stored, values: dict[str, Any]) -> None:
    """Add a row to a table that hangs on records; 404 if the record was taken from the caller's sight meanwhile."""
    names = ["record_id", *values]
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.SQL(", ").join(map(sql.Placeholder, names)),
    )
    try:
        async with desk.connection.cursor() as cursor:
            await cursor.execute(statement, {"record_id": stored.envelope.id, **values})
    except InsufficientPrivilege:
        raise not_found() from None


async def page(
    desk: Desk, table: str, record_id: UUID, after: Place | None, limit: int, *, columns: str = "*"
) -> Sequence[Any]:
    """Rows of the table that hang on a record, newest first, as far as the caller may see them."""
    at, last = after or NEWEST
    statement = sql.SQL(
        "SELECT {} FROM {} WHERE record_id = %(record)s AND (created_at, id) < (%(at)s, %(last)s)"
        " ORDER BY created_at DESC, id DESC LIMIT %(limit)s"
    ).format(_columns(columns), sql.Identifier(table))
    return await desk.rows(statement, record=record_id, at=at, last=last, limit=limit)


async def one(desk: Desk, table: str, record_id: UUID, row_id: UUID | None, *, columns: str = "*") -> Any:  # noqa: ANN401 - a row of the table
    """One row, by record and id together; 404 if there is none the caller may see."""
    statement = sql.SQL("SELECT {} FROM {} WHERE record_id = %(record)s AND id = %(id)s").format(
        _columns(columns), sql.Identifier(table)
    )
    rows = await desk.rows(statement, record=record_id, id=row_id)
    if not rows:
        raise not_found()
    return rows[0]


def _columns(names: str) -> sql.Composable:
    if names == "*":
        return sql.SQL(names)
    return sql.SQL(", ").join(map(sql.Identifier, names.split(", ")))


async def tell(
    desk: Desk, stored: Stored, action: str, event: str, told: Sequence[str], detail: dict[str, Any]
) -> None:
    """Write the audit entry and the event of a contribution, for the agencies named."""
    await desk.call(
        "note_change",
        p_record=stored.envelope.id,
        p_action=action,
        p_event=event,
        p_told=sorted(set(told)),
        p_detail=Jsonb(detail),
    )
