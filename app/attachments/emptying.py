"""Deleting from the store what was removed, purged, or uploaded and never attached."""

from typing import Final
from uuid import UUID

import structlog
from psycopg import sql

from app.core.db import Connection
from app.core.stores import Store, StoreError

BATCH: Final = 20
"""What one transaction deletes; it is open as long as the store takes."""

_FIRST: Final = UUID(int=0)
_NEXT: Final = sql.SQL("SELECT id FROM attachments_to_discard(%s, %s)")
_DONE: Final = sql.SQL("SELECT forget_discarded(%s)")

log = structlog.get_logger("interdesk.worker")


async def empty_trash(connection: Connection, store: Store) -> int:
    """Delete what is due, and say how much; what the store does not delete waits for the next run.

    The connection is in autocommit, of the role interdesk_worker. Whoever does this at once takes other parts of it.
    """
    count, last = 0, _FIRST
    while True:
        async with connection.transaction():
            cursor = await connection.execute(_NEXT, (last, BATCH))
            due: list[UUID] = [row[0] for row in await cursor.fetchall()]
            gone = [name for name in due if await _deleted(store, name)]
            await connection.execute(_DONE, (gone,))
        count += len(gone)
        if len(due) < BATCH:
            return count
        last = due[-1]


async def _deleted(store: Store, name: UUID) -> bool:
    try:
        await store.delete(name)
    except StoreError as error:
        log.warning("attachment not deleted from the store", attachment=str(name), reason=str(error))
        return False
    return True
