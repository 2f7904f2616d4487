"""Sealing: committed entries become leaves of the tree, and the tree they make gets a signed checkpoint.

Batches follow one another as the entries arrived; within a batch the leaves stand in the order of their hashes, which
are random. So a place in the tree tells nothing but the batch, and not what others did between two of one's own calls.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg.rows import AsyncRowFactory, namedtuple_row

from app.audit import checkpoints, tree
from app.audit.canonical import canonical
from app.audit.merkle import leaf_hash
from app.core import clock
from app.core.crypto import MasterKey
from app.core.db import Connection

BATCH: Final = 1000
"""Entries that wait at most before they are sealed, and that are sealed at once."""

DELAY: Final = timedelta(minutes=1)
"""How long an entry waits at most, with a worker at work."""

FILL: Final = 16
"""A batch has a multiple of so many leaves; those without an entry are blind."""

_SALT_BYTES: Final = 16
_NAMED: Final[AsyncRowFactory[Any]] = namedtuple_row


class _Leaf(NamedTuple):
    leaf_hash: bytes
    salt: bytes
    entry_id: UUID | None = None
    at: datetime | None = None
    reader: str | None = None


async def seal(connection: Connection, master_key: MasterKey, *, at_once: bool = False) -> int:
    """Seal what is due, or with `at_once` everything that is committed, and say how many entries that were.

    The connection is in autocommit, of the role interdesk_worker; every batch is a transaction. Of several processes
    that seal, the database lets one in. An entry that is committed late, behind others that are sealed already, comes
    with a later batch: none is passed over.
    """
    sealed = 0
    while True:
        async with connection.transaction():
            count = await _seal_batch(connection, master_key, at_once=at_once)
        sealed += count
        if count < BATCH:
            return sealed


async def _seal_batch(connection: Connection, master_key: MasterKey, *, at_once: bool) -> int:
    async with connection.cursor(row_factory=_NAMED) as cursor:
        await cursor.execute("SELECT begin_sealing() AS size")
        begun: Any = await cursor.fetchone()
        if begun.size is None:
            return 0
        await cursor.execute("SELECT * FROM audit_to_seal(%s)", (BATCH,))
        rows = await cursor.fetchall()
    count = len({row.entry_id for row in rows})
    if not rows or not (at_once or count == BATCH or min(row.at for row in rows) <= clock.now() - DELAY):
        return 0
    await _append(connection, master_key, begun.size, _leaves(rows))
    return count


def _leaves(rows: Sequence[Any]) -> list[_Leaf]:
    """The leaves of a batch, filled up with blind ones and put in order."""
    leaves = [_Leaf(leaf_hash(canonical(row.document)), row.salt, row.entry_id, row.at, row.reader) for row in rows]
    for _ in range(-len(leaves) % FILL):
        salt = secrets.token_bytes(_SALT_BYTES)
        leaves.append(_Leaf(leaf_hash(canonical({"pad": salt.hex()})), salt))
    return sorted(leaves, key=lambda leaf: leaf.leaf_hash)


async def _append(connection: Connection, master_key: MasterKey, size: int, leaves: Sequence[_Leaf]) -> None:
    key = await checkpoints.signing_key(connection, master_key)
    kept = await tree.fetch(connection, tree.edge(size))
    hashes = tree.grown(size, [leaf.leaf_hash for leaf in leaves], kept)
    nodes = [(level, index, node) for (level, index), node in hashes.items() if level and (level, index) not in kept]
    checkpoint = checkpoints.sign(key, size + len(leaves), tree.hash_of((0, size + len(leaves)), hashes), clock.now())
    await connection.execute(
        "SELECT append_audit_leaves(%s, %s::uuid[], %s::timestamptz[], %s::text[], %s::bytea[], %s::bytea[],"
        " %s::integer[], %s::bigint[], %s::bytea[], %s, %s, %s, %s)",
        (
            size,
            [leaf.entry_id for leaf in leaves],
            [leaf.at for leaf in leaves],
            [leaf.reader for leaf in leaves],
            [leaf.salt for leaf in leaves],
            [leaf.leaf_hash for leaf in leaves],
            [level for level, _, _ in nodes],
            [index for _, index, _ in nodes],
            [node for _, _, node in nodes],
            checkpoint.root_hash,
            checkpoint.at,
            checkpoint.kid,
            checkpoint.signature,
        ),
        binary=True,
    )
