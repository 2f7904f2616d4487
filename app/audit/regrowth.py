"""A tree that is grown again leaf by leaf, to compare it with what was kept and signed of it."""

from typing import Final

from app.audit.merkle import Subtree, fold, node_hash
from app.audit.tree import STEP

_UNKNOWN: Final = b"\x00" * 32


class Regrowth:
    """The tree so far; it remembers one hash for each complete subtree that is not yet part of a larger one."""

    def __init__(self) -> None:
        self.size = 0
        self.whole = True
        """Whether no leaf was missing so far; without one nothing can be said of a root any more."""
        self.completed: dict[Subtree, bytes] = {}
        """Hashes of the subtrees of kept levels that were completed since this was last emptied."""
        self._edge: list[tuple[int, bytes]] = []

    def add(self, leaf: bytes) -> None:
        """Append a leaf."""
        level, result = 0, leaf
        while self._edge and self._edge[-1][0] == level:
            result = node_hash(self._edge.pop()[1], result)
            level += 1
            if level % STEP == 0 and self.whole:
                self.completed[level, self.size >> level] = result
        self._edge.append((level, result))
        self.size += 1

    def lose(self) -> None:
        """Pass over a leaf that is missing."""
        self.whole = False
        self.add(_UNKNOWN)

    def root(self) -> bytes:
        """The root of the tree so far."""
        return fold([node for _, node in self._edge])
