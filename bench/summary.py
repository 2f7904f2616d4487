"""From samples to figures: the median of every server's rounds at every case, and how it stands to the baselines."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.cases import Case
from bench.measure import Sample


@dataclass(frozen=True)
class Figure:
    """Medians over the rounds. Latencies and CPU in microseconds, memory in bytes.

    `spread` is (largest - smallest) / median of the rates: how far to trust the rest. `rate_ratio` and `cpu_ratio` are
    this server's rate and server CPU divided by a baseline's in the same round, by the baseline's key.
    """

    size: int
    case: str
    title: str
    contestant: str
    rounds: int
    rate: float
    spread: float
    server_cpu: float
    database_cpu: float
    p50: float
    p90: float
    p99: float
    longest: int
    bytes_per_answer: float
    resident: int
    generator_busy: float
    rate_ratio: dict[str, float]
    cpu_ratio: dict[str, float]


def summarize(samples: Sequence[Sample], cases: Iterable[Case], baselines: Sequence[str]) -> list[Figure]:
    """One figure for every size, case and contestant there are samples of, in the samples' order."""
    titles = {case.key: case for case in cases}
    groups: dict[tuple[int, str, str], list[Sample]] = {}
    for sample in samples:
        groups.setdefault((sample.size, sample.case, sample.contestant), []).append(sample)
    figures = []
    for (size, case, contestant), group in groups.items():
        others = {
            key: other
            for key in baselines
            if key != contestant
            and (other := groups.get((size, case, key)) or groups.get((size, titles[case].plain_key, key)))
        }
        figures.append(_figure(titles[case], contestant, group, others))
    return figures


def _figure(case: Case, contestant: str, group: list[Sample], others: dict[str, list[Sample]]) -> Figure:
    rates = [sample.load.requests_per_second for sample in group]
    latencies = [sample.load.latency for sample in group]
    return Figure(
        size=group[0].size,
        case=case.key,
        title=case.title,
        contestant=contestant,
        rounds=len(group),
        rate=median(rates),
        spread=(max(rates) - min(rates)) / median(rates),
        server_cpu=median(sample.server_cpu_us for sample in group),
        database_cpu=median(sample.database_cpu_us for sample in group),
        p50=median(latency.p50 for latency in latencies),
        p90=median(latency.p90 for latency in latencies),
        p99=median(latency.p99 for latency in latencies),
        longest=max(latency.max for latency in latencies),
        bytes_per_answer=median(sample.load.bytes / sample.load.answers for sample in group),
        resident=max(sample.resident_bytes for sample in group),
        generator_busy=median(sample.load.cpu_seconds / sample.load.seconds for sample in group),
        rate_ratio={
            key: _ratio(group, other, lambda each: each.load.requests_per_second) for key, other in others.items()
        },
        cpu_ratio={key: _ratio(group, other, lambda each: each.server_cpu_us) for key, other in others.items()},
    )


def _ratio(group: list[Sample], other: list[Sample], value: Callable[[Sample], float]) -> float:
    return median(value(mine) / value(theirs) for mine, theirs in zip(group, other, strict=True))
