"""Gain and loss of sight when a membership begins, changes or ends.

What an agency sees changes with the membership itself, in the same moment. That it is told of each record, by
`record.shared` and `record.lost`, is left to the worker: a group may share a hundred thousand of them.
"""

from typing import Any, Final

import psycopg

BATCH: Final = 500
"""Records that are announced in one transaction."""


async def tell_changes(connection: psycopg.AsyncConnection[Any], batch: int = BATCH) -> int:
    """Work off all changes of sight that wait, and say in how many transactions.

    The connection is in autocommit, of the role interdesk_worker. Each transaction keeps its events together with the
    place it reached, so that whoever goes on after a crash neither leaves out a record nor repeats one; and processes
    that do this at once take different agencies.
    """
    batches = 0
    while True:
        cursor = await connection.execute("SELECT tell_sight_changes(%s)", (batch,))
        row = await cursor.fetchone()
        if row is None or not row[0]:
            return batches
        batches += 1
