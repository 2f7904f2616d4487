"""Writes the results of a run: a table, the plots, and everything as CSV and JSON."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench import plot, table, targets
from bench.cases import CASES
from bench.contestants import BARE, CONTESTANTS, HELLO, PLAIN
from bench.measure import Sample
from bench.summary import Figure, summarize

BASELINES = (PLAIN.key, BARE.key)
"""Whom the ratios refer to."""

UNDRAWN = (HELLO.key,)
"""A ceiling ten times higher would flatten every other bar; it stands in the table."""

Value = Callable[[Figure], float]
BARS: tuple[tuple[str, str, Value], ...] = (
    ("rate", "requests per second", lambda figure: figure.rate),
    ("cpu", "server CPU per request, µs", lambda figure: figure.server_cpu),
    ("p99", "99th percentile of latency, ms", lambda figure: figure.p99 / 1000),
)


def write(folder: Path, samples: Sequence[Sample], circumstances: Mapping[str, object]) -> None:
    """Fill the folder; files of an earlier run with the same names are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = summarize(samples, CASES, BASELINES)
    titles = {each.key: each.title for each in CONTESTANTS}
    (folder / "table.md").write_text(table.markdown(figures, titles, BASELINES))
    (folder / "targets.md").write_text(targets.markdown(figures))
    (folder / "figures.csv").write_text(table.comma_separated(figures, BASELINES))
    (folder / "results.json").write_text(table.as_json(figures, samples, circumstances))
    sizes = sorted({figure.size for figure in figures})
    for size in sizes:
        _draw_bars(folder, [figure for figure in figures if figure.size == size], titles, size)
    if len(sizes) > 1:
        _draw_growth(folder, figures, titles, sizes)


def _draw_bars(folder: Path, figures: Sequence[Figure], titles: Mapping[str, str], size: int) -> None:
    cases = [case.key for case in CASES if any(figure.case == case.key for figure in figures)]
    servers = [key for key in titles if any(figure.contestant == key for figure in figures)]
    servers = [key for key in servers if key not in UNDRAWN] or servers
    known = {(figure.case, figure.contestant): figure for figure in figures}
    for name, unit, value in BARS:
        series = {
            titles[server]: [value(known[case, server]) if (case, server) in known else None for case in cases]
            for server in servers
        }
        (folder / f"{name}-{size}.svg").write_text(plot.bars(f"{size:,} profiles: {unit}", cases, series))


def _draw_growth(folder: Path, figures: Sequence[Figure], titles: Mapping[str, str], sizes: Sequence[int]) -> None:
    known = {(figure.case, figure.contestant, figure.size): figure.p50 / 1000 for figure in figures}
    for case in CASES:
        series = {
            title: [known.get((case.key, server, size)) for size in sizes]
            for server, title in titles.items()
            if server not in UNDRAWN and any((case.key, server, size) in known for size in sizes)
        }
        if series:
            svg = plot.lines(f"{case.title}: median latency, ms", sizes, series, "profiles in the database")
            (folder / f"growth-{case.key}.svg").write_text(svg)
