"""Wrapping the keys of all that is closed with a key of its own anew, under a fresh key-encryption key.

The keys themselves and what they close stay as they are, so calls go on meanwhile. Each batch is a transaction: a
rotation that is interrupted is taken up by the next, and two at once share the work. When no key is left that the
former one wraps, the former is deleted.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from psycopg import sql
from psycopg.rows import namedtuple_row

from app.core.data_keys import DataKeys, Kek, WrappedKey
from app.core.db import Connection
from app.core.ids import uuid7
from app.records.purging import Operator

BATCH: Final = 500
"""Keys that one transaction wraps anew."""

_PAUSE_SECONDS: Final = 0.2
"""Before another look at keys that somebody has just locked: calls take milliseconds."""

_ENTER: Final = sql.SQL("SELECT enter_operator(NULL, %s, %s, %s)")
_BEGIN: Final = sql.SQL("SELECT * FROM begin_person_rotation(%s, %s)")
_END: Final = sql.SQL("SELECT end_person_rotation(%s)")


@dataclass(frozen=True, slots=True)
class Ring:
    """Keys of things of one sort, as the database hands them out to be wrapped anew."""

    due: sql.SQL
    """Rows of id, record_id, wrapped, kek_id and kek_sealed, for a key-encryption key and a number of them."""
    rewrap: sql.SQL
    """Takes the key-encryption key, the ids, and the keys as it wraps them."""
    place: Callable[[UUID, UUID], bytes]
    """The place of the key of a thing, by the ids of the thing and of its record."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did."""

    kek: UUID
    """The key-encryption key that wraps everything now."""
    resumed: bool
    """Whether it went on with one that had been interrupted."""
    rewrapped: int

    def document(self) -> dict[str, Any]:
        """The rotation as JSON values."""
        return {"kek": str(self.kek), "resumed": self.resumed, "rewrapped": self.rewrapped}


async def rotate(
    connection: Connection,
    keys: DataKeys,
    rings: Sequence[Ring],
    operator: Operator,
    begun: Callable[[int], Callable[[int], None]] = lambda _total: lambda _done: None,
) -> Rotation:
    """Wrap every key anew; `begun` is told how many there are, and what it returns how many are done.

    `rings` are all there are: with one left out, what it holds is waited for. The connection is in autocommit, of the
    role interdesk_worker.

    Raises:
        DataKeyError: the keys were sealed with another master key; nothing was changed but for batches before.
    """
    drawn = keys.draw_kek()
    async with connection.transaction():
        await _enter(connection, operator)
        (start,) = await _rows(connection, _BEGIN, drawn.id, drawn.sealed)
    kek, done, tell = Kek(start.kek, bytes(start.kek_sealed)), 0, begun(start.waiting)
    while True:
        count = 0
        for ring in rings:
            async with connection.transaction():
                await _enter(connection, operator)
                count += await _batch(connection, keys, ring, kek)
        done += count
        tell(done)
        if count == 0:
            if await _ended(connection, operator, kek):
                return Rotation(kek.id, resumed=start.outcome == "resumed", rewrapped=done)
            await asyncio.sleep(_PAUSE_SECONDS)


async def _batch(connection: Connection, keys: DataKeys, ring: Ring, kek: Kek) -> int:
    ids, wrapped = [], []
    for row in await _rows(connection, ring.due, kek.id, BATCH):
        former = WrappedKey(Kek(row.kek_id, bytes(row.kek_sealed)), bytes(row.wrapped))
        ids.append(row.id)
        wrapped.append(keys.rewrap(ring.place(row.id, row.record_id), former, kek))
    if ids:
        await connection.execute(ring.rewrap, (kek.id, ids, wrapped))
    return len(ids)


async def _ended(connection: Connection, operator: Operator, kek: Kek) -> bool:
    """Delete what wraps nothing any more, unless something was entered under it while the rotation began."""
    async with connection.transaction():
        await _enter(connection, operator)
        ((waiting,),) = await _rows(connection, _END, kek.id)
    return bool(waiting == 0)


async def _enter(connection: Connection, operator: Operator) -> None:
    await connection.execute(_ENTER, (str(uuid7()), operator.officer, operator.purpose))


async def _rows(connection: Connection, statement: sql.SQL, *parameters: object) -> list[Any]:
    async with connection.cursor(row_factory=namedtuple_row) as cursor:
        await cursor.execute(statement, parameters)
        return list(await cursor.fetchall())
