"""What Interdesk is to reach, and whether it did: ratios within one run, so that the machine matters little."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.contestants import BARE, INTERDESK, PLAIN
from bench.summary import Figure

Known = Mapping[tuple[int, str], Figure]
"""Interdesk's figures by size and case."""
Value = Callable[[Known, int], float | None]


@dataclass(frozen=True)
class Target:
    """One line: `value` gives the figure at a size, None where there is none; `limit` is the least or the most."""

    text: str
    limit: float
    value: Value
    least: bool
    form: str = "{:.2f}"

    def reached(self, value: float) -> bool:
        """Whether a figure does."""
        return value >= self.limit if self.least else value <= self.limit


def _rate(case: str, baseline: str) -> Value:
    return lambda known, size: known[size, case].rate_ratio.get(baseline) if (size, case) in known else None


def _cpu(case: str, baseline: str) -> Value:
    return lambda known, size: known[size, case].cpu_ratio.get(baseline) if (size, case) in known else None


def _growth(case: str) -> Value:
    """How many times slower than at the smallest size that was measured."""

    def value(known: Known, size: int) -> float | None:
        smallest = min((each for each, name in known if name == case), default=size)
        if size == smallest or (size, case) not in known:
            return None
        return known[smallest, case].rate / known[size, case].rate

    return value


def _worst(read: Callable[[Figure], float], *, search: bool | None = None) -> Value:
    """The largest of all cases, of those that search, or of those that do not."""

    def value(known: Known, size: int) -> float | None:
        cases = [figure for (at, case), figure in known.items() if at == size and search in (None, "search" in case)]
        return max(map(read, cases), default=None)

    return value


def _p99(figure: Figure) -> float:
    return figure.p99 / 1e3


TARGETS = (
    Target("GET by id: rate, at least 1.2 × (a)", 1.2, _rate("get", PLAIN.key), least=True),
    Target("GET by id: rate, better 2 × (a)", 2.0, _rate("get", PLAIN.key), least=True),
    Target("GET by id: server CPU, at most 0.55 × (a)", 0.55, _cpu("get", PLAIN.key), least=False),
    Target("GET by id: rate, at least 0.6 × (b)", 0.6, _rate("get", BARE.key), least=True),
    Target("page of 50: rate, at least 1.6 × (a)", 1.6, _rate("page-wide", PLAIN.key), least=True),
    Target("page of 50: rate, better 2.5 × (a)", 2.5, _rate("page-wide", PLAIN.key), least=True),
    Target("page of 50: server CPU, at most 0.4 × (a)", 0.4, _cpu("page-wide", PLAIN.key), least=False),
    Target("page of 50: rate, at least 0.7 × (b)", 0.7, _rate("page-wide", BARE.key), least=True),
    Target("create: rate, at least 1.5 × (a)", 1.5, _rate("create", PLAIN.key), least=True),
    Target("GET, 150 visible: times slower, at most 1.3", 1.3, _growth("get-narrow"), least=False),
    Target("page, 150 visible: times slower, at most 2", 2.0, _growth("page-narrow"), least=False),
    Target("search, 150 visible: times slower, at most 2", 2.0, _growth("search-narrow"), least=False),
    Target(
        "p99 of the slowest case but search, at most 80 ms", 80, _worst(_p99, search=False), least=False, form="{:.0f}"
    ),
    Target("p99 of search, at most 80 ms", 80, _worst(_p99, search=True), least=False, form="{:.0f}"),
    Target(
        "memory of a process, at most 300 MB", 300, _worst(lambda each: each.resident / 1e6), least=False, form="{:.0f}"
    ),
)


def markdown(figures: Sequence[Figure]) -> str:
    """A table: a line for each target, a column for each size, in bold where it was missed."""
    known = {(each.size, each.case): each for each in figures if each.contestant == INTERDESK.key}
    sizes = sorted({size for size, _ in known})
    lines = [["target", *(f"{size:,}" for size in sizes)], ["---", *("---:" for _ in sizes)]]
    lines += [[target.text, *(_cell(target, target.value(known, size)) for size in sizes)] for target in TARGETS]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _cell(target: Target, value: float | None) -> str:
    if value is None:
        return ""
    text = target.form.format(value)
    return text if target.reached(value) else f"**{text}** missed"
