"""The hashes that are kept of the tree: every leaf, and the complete subtrees of 16, 256, 4096 … leaves.

What lies between two kept levels is computed from at most eight hashes, so the tree costs a fifteenth of what all its
nodes would, and a proof is still one query.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from psycopg.rows import AsyncRowFactory, tuple_row

from app.audit.merkle import Range, Subtree, cover, fold, node_hash
from app.core.db import Connection

STEP: Final = 4
"""Levels from one kept level to the next."""

Hashes = Mapping[Subtree, bytes]
"""Hashes of kept subtrees by level and index."""

_ROWS: Final[AsyncRowFactory[Any]] = tuple_row


def hash_of(leaves: Range, kept: Hashes) -> bytes:
    """The hash over a range of leaves, of the hashes of `needed`."""
    return fold(
        [_merged([kept[level, index] for index in range(first, past)]) for level, first, past in needed(leaves)]
    )


def needed(leaves: Range) -> Iterator[tuple[int, int, int]]:
    """The kept subtrees that make up a range: level, first index, index past the last."""
    for level, index in cover(leaves):
        above = level % STEP
        yield level - above, index << above, (index + 1) << above


def edge(size: int) -> Iterator[tuple[int, int, int]]:
    """The kept subtrees at the end of a tree of `size` that are not yet part of one above; as in `needed`."""
    for level in range(0, max(size.bit_length(), 1), STEP):
        past = size >> level
        yield level, past >> STEP << STEP, past


def grown(size: int, added: Sequence[bytes], kept: Hashes) -> dict[Subtree, bytes]:
    """Everything kept at the end of a tree of `size` after leaves were added: those leaves, and what they complete.

    `kept` holds the hashes of `edge(size)`.
    """
    hashes = {**kept, **{(0, size + number): leaf for number, leaf in enumerate(added)}}
    level, first, past = 0, size, size + len(added)
    while (first >> STEP) < (past >> STEP):
        first, past = first >> STEP, past >> STEP
        for index in range(first, past):
            below = range(index << STEP, (index + 1) << STEP)
            hashes[level + STEP, index] = _merged([hashes[level, child] for child in below])
        level += STEP
    return hashes


def _merged(hashes: Sequence[bytes]) -> bytes:
    """The root of a complete tree."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[place], hashes[place + 1]) for place in range(0, len(hashes), 2)]
    return hashes[0]


async def fetch(connection: Connection, wanted: Iterable[tuple[int, int, int]]) -> dict[Subtree, bytes]:
    """Fetch kept hashes, given as `needed` and `edge` give them."""
    ranges = list(dict.fromkeys(wanted))
    async with connection.cursor(row_factory=_ROWS) as cursor:
        await cursor.execute(
            "SELECT level, node_index, node_hash FROM audit_hashes(%s::integer[], %s::bigint[], %s::bigint[])",
            ([level for level, _, _ in ranges], [first for _, first, _ in ranges], [past for _, _, past in ranges]),
        )
        return {(level, index): node for level, index, node in await cursor.fetchall()}


async def fetch_hashes(connection: Connection, proofs: Sequence[Sequence[Range]]) -> list[list[bytes]]:
    """The hashes of proofs, each given as the ranges that `merkle` names, by one query for all of them."""
    kept = await fetch(connection, (part for proof in proofs for leaves in proof for part in needed(leaves)))
    return [[hash_of(leaves, kept) for leaves in proof] for proof in proofs]
