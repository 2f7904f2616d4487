"""What the bench makes of its samples: medians, ratios within a round, a table, and plots that are well-formed."""

import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench import plot, profiles, results, targets
from bench.cases import CASES
from bench.generator import Latency, Load
from bench.measure import Sample
from bench.summary import summarize


def sample(case: str, contestant: str, number: int, rate_and_cpu: tuple[float, float], size: int = 1000) -> Sample:
    rate, cpu = rate_and_cpu
    latency = Latency(min=100, mean=200, p50=150 + number, p90=180, p99=9_000, max=20_000 + number)
    errors = {"connect": 0, "timeout": 0, "closed": 0, "malformed": 0}
    load = Load(16, 2.0, int(rate * 2), 16, rate, {200: int(rate * 2) + 16}, errors, 16, 1_000_000, 0.5, latency)
    return Sample(size, case, contestant, number, load, cpu, 40.0, 90_000_000)


SAMPLES = [
    sample("page-wide", "sync-sqlmodel", 0, (100, 3000)),
    sample("page-wide", "sync-sqlmodel", 1, (200, 2000)),
    sample("page-wide", "sync-sqlmodel", 2, (100, 2500)),
    sample("page-narrow", "hello", 0, (300, 600)),
    sample("page-narrow", "hello", 1, (400, 1000)),
    sample("page-narrow", "hello", 2, (400, 500)),
]


def test_figures_are_medians_and_ratios_are_taken_within_a_round() -> None:
    plain, fast = summarize(SAMPLES, CASES, ("sync-sqlmodel",))
    assert (plain.rate, plain.server_cpu, plain.p50, plain.longest) == (100, 2500, 151, 20_002)
    assert plain.spread == pytest.approx(1.0)
    assert (plain.rate_ratio, plain.cpu_ratio) == ({}, {})
    assert fast.rate_ratio == {"sync-sqlmodel": 3}  # of 3, 2 and 4; the narrow page stands against the plain one
    assert fast.cpu_ratio == {"sync-sqlmodel": pytest.approx(0.2)}  # of 0.2, 0.5 and 0.2
    assert fast.generator_busy == pytest.approx(0.25)


def test_everything_is_written(tmp_path: Path) -> None:
    results.write(tmp_path, [*SAMPLES, sample("get", "sync-sqlmodel", 0, (500, 10), size=100_000)], {"python": "3.11"})
    table = (tmp_path / "table.md").read_text()
    assert "### 1,000 profiles" in table
    assert "| page of 50, sees 150 | (c) ASGI hello | 400 | 25% | 0.2 | 9.0 | 600 | 40 |" in table
    rows = list(csv.DictReader(io.StringIO((tmp_path / "figures.csv").read_text())))
    assert [row["rate_by_sync-sqlmodel"] for row in rows] == ["", "3.0", ""]
    everything = json.loads((tmp_path / "results.json").read_text())
    assert everything["facts"] == {"python": "3.11"}
    assert len(everything["samples"]) == 7
    plots = sorted(path.name for path in tmp_path.glob("*.svg"))
    assert "rate-1000.svg" in plots
    assert "growth-get.svg" in plots
    for name in plots:
        assert ET.parse(tmp_path / name).getroot().tag.endswith("svg")  # noqa: S314 - written just now


def test_targets_say_what_was_reached_at_each_size() -> None:
    samples = [
        sample("get", "sync-sqlmodel", 0, (100, 1000)),
        sample("get", "interdesk", 0, (150, 600)),
        sample("get-narrow", "interdesk", 0, (150, 600)),
        sample("get-narrow", "interdesk", 0, (100, 600), size=100_000),
    ]
    lines = targets.markdown(summarize(samples, CASES, ("sync-sqlmodel",))).splitlines()
    assert lines[0] == "| target | 1,000 | 100,000 |"
    assert "| GET by id: rate, at least 1.2 × (a) | 1.50 |  |" in lines
    assert "| GET by id: server CPU, at most 0.55 × (a) | **0.60** missed |  |" in lines
    assert "| GET, 150 visible: times slower, at most 1.3 |  | **1.50** missed |" in lines
    assert "| memory of a process, at most 300 MB | 90 | 90 |" in lines


@pytest.mark.parametrize(
    ("largest", "last"), [(0, 1), (0.3, 0.3), (1, 1), (7, 8), (10, 10), (22_572, 25_000), (99_999, 100_000)]
)
def test_axes_end_at_a_round_number_not_below_the_largest_value(largest: float, last: float) -> None:
    marks = plot.ticks(largest)
    assert marks[0] == 0
    assert marks[-1] == pytest.approx(last)
    assert 2 <= len(marks) <= 7


@pytest.mark.parametrize("size", [100, 1_000, 20_000])
def test_callers_see_the_share_they_stand_for(size: int) -> None:
    for caller in profiles.CALLERS:
        seen = [number for number in range(size) if profiles.sees(caller, number, size)]
        assert profiles.visible_to(caller, size) == seen
        wanted = min(size, profiles.NARROW_COUNT) if caller.share is None else caller.share * size
        assert len(seen) == wanted


def test_profiles_follow_from_their_number() -> None:
    assert profiles.content(41) == profiles.content(41) != profiles.content(42)
    later = profiles.content(41 + profiles.VARIETY)
    assert later != profiles.content(41)
    assert {**later, "name": profiles.name(41)} == profiles.content(41)
    ids = [profiles.profile_id(number) for number in range(2_000)]
    assert ids == sorted(set(ids))
    assert {(each.version, each.variant) for each in ids} == {(7, "specified in RFC 4122")}
    assert len({profiles.name(number) for number in range(2_000)}) == 2_000
