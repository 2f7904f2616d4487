"""The figures as a Markdown table for people, CSV for spreadsheets and JSON for everything else."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

from bench.measure import Sample
from bench.summary import Figure

HEADINGS = (
    "case",
    "server",
    "requests/s",
    "±",
    "p50 ms",
    "p99 ms",
    "server CPU µs",
    "PostgreSQL CPU µs",
    "bytes",
    "RSS MB",
)


def markdown(figures: Sequence[Figure], titles: Mapping[str, str], baselines: Sequence[str]) -> str:
    """One table for every size; the ratios to the baselines stand behind the figures."""
    parts = []
    for size in sorted({figure.size for figure in figures}):
        rows = [_cells(figure, titles, baselines) for figure in figures if figure.size == size]
        ratios = [heading for key in baselines for heading in (f"rate / {titles[key][:3]}", f"CPU / {titles[key][:3]}")]
        head = [*HEADINGS, *ratios]
        lines = [head, ["---"] * 2 + ["---:"] * (len(head) - 2), *rows]
        parts.append(f"### {size:,} profiles\n\n" + "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n")
    return "\n".join(parts)


def _cells(figure: Figure, titles: Mapping[str, str], baselines: Sequence[str]) -> list[str]:
    cells = [
        figure.title,
        titles[figure.contestant],
        f"{figure.rate:,.0f}",
        f"{figure.spread:.0%}",
        f"{figure.p50 / 1000:.1f}",
        f"{figure.p99 / 1000:.1f}",
        f"{figure.server_cpu:,.0f}",
        f"{figure.database_cpu:,.0f}",
        f"{figure.bytes_per_answer:,.0f}",
        f"{figure.resident / 1e6:,.0f}",
    ]
    for key in baselines:
        cells += [f"{ratio[key]:.2f}" if key in ratio else "" for ratio in (figure.rate_ratio, figure.cpu_ratio)]
    return cells


def comma_separated(figures: Iterable[Figure], baselines: Sequence[str]) -> str:
    """Every figure as one row; the ratios as columns named after their baseline."""
    rows = []
    for figure in figures:
        row = asdict(figure)
        rates, cpus = row.pop("rate_ratio"), row.pop("cpu_ratio")
        for key in baselines:
            row |= {f"rate_by_{key}": rates.get(key, ""), f"cpu_by_{key}": cpus.get(key, "")}
        rows.append(row)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def as_json(figures: Iterable[Figure], samples: Iterable[Sample], facts: Mapping[str, object]) -> str:
    """Everything, single rounds and circumstances included."""
    everything = {
        "facts": facts,
        "figures": [asdict(each) for each in figures],
        "samples": [asdict(each) for each in samples],
    }
    return json.dumps(everything, indent=1, ensure_ascii=False) + "\n"
