"""Merkle trees as RFC 9162, section 2.1, defines them: hashes, inclusion proofs, consistency proofs.

Nothing here knows where hashes are kept. A proof is first a list of ranges of leaves; each range is covered by complete
subtrees, named (level, index): 2**level leaves from index * 2**level on. Whoever keeps their hashes folds them.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256

Range = tuple[int, int]
"""Leaves from the first up to but not including the second."""
Subtree = tuple[int, int]

EMPTY_ROOT = sha256().digest()


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf; its prefix keeps it apart from that of a node (second preimages)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over its two children."""
    return sha256(b"\x01" + left + right).digest()


def split(size: int) -> int:
    """The largest power of two below `size`, which is at least 2: how many leaves are on the left."""
    return 1 << (size - 1).bit_length() - 1


def cover(leaves: Range) -> Iterator[Subtree]:
    """The complete subtrees that make up a range of a proof or a whole tree, the largest first."""
    start, end = leaves
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def fold(hashes: Sequence[bytes]) -> bytes:
    """The hash over a range, of the hashes of the subtrees that `cover` names."""
    if not hashes:
        return EMPTY_ROOT
    *others, result = hashes
    for left in reversed(others):
        result = node_hash(left, result)
    return result


def inclusion(index: int, size: int) -> list[Range]:
    """The ranges whose hashes prove a leaf, nearest first: PATH(index, D[size]) of section 2.1.3.1."""
    start, end, ranges = 0, size, list[Range]()
    while end - start > 1:
        middle = start + split(end - start)
        ranges.append((middle, end) if index < middle else (start, middle))
        start, end = (start, middle) if index < middle else (middle, end)
    return ranges[::-1]


def consistency(first: int, second: int) -> list[Range]:
    """The ranges whose hashes prove that a tree grew only at its end: PROOF(first, D[second]) of section 2.1.4.1."""
    start, end, ranges = 0, second, list[Range]()
    while 0 < first < end:
        middle = start + split(end - start)
        ranges.append((middle, end) if first <= middle else (start, middle))
        start, end = (start, middle) if first <= middle else (middle, end)
    return [*([(start, end)] if start and ranges else []), *ranges[::-1]]


def proves_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether `path` leads from the hash of the leaf at `index` to the root of a tree of `size` (section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    last, result = size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if index & 1 or index == last:
            result = node_hash(sibling, result)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        index, last = index >> 1, last >> 1
    return last == 0 and result == root


def proves_consistency(first: int, second: int, path: Sequence[bytes], first_root: bytes, second_root: bytes) -> bool:
    """Whether `path` proves that the tree of `first` leaves is the beginning of that of `second` (section 2.1.4.2)."""
    if not 0 < first <= second or first == second:
        return first == second > 0 and not path and first_root == second_root
    hashes = list(path) if first & (first - 1) else [first_root, *path]
    if not hashes:
        return False
    index, last = first - 1, second - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if index & 1 or index == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        index, last = index >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root
