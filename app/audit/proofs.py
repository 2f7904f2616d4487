"""Proofs: that a leaf stands in the tree of a checkpoint, and that one checkpoint's tree continues another's."""

from collections.abc import Sequence
from typing import Any, Final

import structlog
from psycopg.rows import AsyncRowFactory, tuple_row

from app.audit.canonical import canonical
from app.audit.checkpoints import Checkpoint
from app.audit.merkle import consistency, inclusion, leaf_hash, proves_inclusion
from app.audit.tree import fetch_hashes
from app.core.db import Connection

log = structlog.get_logger("interdesk.audit")

_ROWS: Final[AsyncRowFactory[Any]] = tuple_row

Leaf = tuple[int, dict[str, Any] | None]
"""Index and document of a leaf; the document is None where the entry is gone from the trail."""


async def fetch_checkpoints(
    connection: Connection, *, at_least: int | None = None, below: int | None = None, limit: int = 1
) -> list[Checkpoint]:
    """Checkpoints between two sizes of the tree, the newest first, as far as the caller may see any."""
    async with connection.cursor(row_factory=_ROWS) as cursor:
        await cursor.execute("SELECT * FROM audit_checkpoints_page(%s, %s, %s)", (at_least, below, limit))
        return [Checkpoint(*row) for row in await cursor.fetchall()]


async def prove_leaves(connection: Connection, leaves: Sequence[Leaf], checkpoint: Checkpoint) -> list[dict[str, Any]]:
    """Each leaf with its inclusion proof.

    What the trail holds now is answered also where it is not what was sealed: the proof then fails at whoever checks
    it, which is what it is for. The log of the hub says so too.
    """
    ranges = [inclusion(index, checkpoint.tree_size) for index, _ in leaves]
    paths = await fetch_hashes(connection, ranges)
    for (index, document), path in zip(leaves, paths, strict=True):
        hashed = leaf_hash(canonical(document))
        if not proves_inclusion(hashed, index, checkpoint.tree_size, path, checkpoint.root_hash):
            log.error("an audit entry is not what was sealed", leaf_index=index)
    return [
        {"leaf": document, "leaf_index": index, "inclusion_path": [one.hex() for one in path]}
        for (index, document), path in zip(leaves, paths, strict=True)
    ]


async def prove_growth(connection: Connection, first: int, checkpoints: Sequence[Checkpoint]) -> list[list[str]]:
    """For each checkpoint the consistency proof from the tree of `first` leaves, which is none of them longer."""
    paths = await fetch_hashes(connection, [consistency(first, checkpoint.tree_size) for checkpoint in checkpoints])
    return [[one.hex() for one in path] for path in paths]
