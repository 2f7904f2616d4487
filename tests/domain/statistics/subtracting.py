"""An attempt to get behind rounded tables: what follows for each number from all others, by adding and subtracting.

What is known of a published count is that it is at most `slack` away; a cell that is not shown may hold up to as much.
The tables of a period tell the same reports apart, so each comes to the same sum.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

SMALL = 5
"""A group below this must never come out."""

Table = Mapping[object, int]


@dataclass
class Bounds:
    """What a number is known to lie between."""

    low: int
    high: int

    def narrow(self, low: int, high: int) -> bool:
        before = (self.low, self.high)
        self.low, self.high = max(self.low, low), min(self.high, high)
        return before != (self.low, self.high)

    @property
    def is_contradiction(self) -> bool:
        return self.low > self.high

    def tells_a_small_group(self, known: int = 0) -> bool:
        """Whether it follows that others have reports there, besides `known`, and fewer than five."""
        low, high = max(self.low - known, 0), self.high - known
        return low >= 1 and high < SMALL


@dataclass
class Period:
    """The tables of one period, as somebody has them who knows every key there is."""

    tables: Mapping[str, Table]
    keys: Mapping[str, Iterable[object]]
    slack: int = 4
    bounds: dict[tuple[str, object], Bounds] = field(default_factory=dict)
    total: Bounds = field(default_factory=lambda: Bounds(0, 10**9))

    def subtract(self) -> dict[tuple[str, object], Bounds]:
        """The bounds of every cell, narrowed by those of all others until nothing more follows."""
        for name, keys in self.keys.items():
            for key in keys:
                shown = self.tables[name].get(key, 0)
                self.bounds[name, key] = Bounds(max(shown - self.slack, 0), shown + self.slack)
        while sum(self._pass(name) for name in self.keys):
            pass
        return self.bounds

    def _pass(self, name: str) -> bool:
        cells = [self.bounds[name, key] for key in self.keys[name]]
        low, high = sum(cell.low for cell in cells), sum(cell.high for cell in cells)
        changed = self.total.narrow(low, high)
        for cell in cells:
            changed |= cell.narrow(self.total.low - (high - cell.high), self.total.high - (low - cell.low))
            low, high = sum(each.low for each in cells), sum(each.high for each in cells)
        return changed and not self.total.is_contradiction
