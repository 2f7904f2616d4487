"""One measurement, and the order of many: servers take turns within a case, so that a slow minute hits them all."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.cases import Case, Target
from bench.contestants import Contestant
from bench.database import Connection, server_cpu_seconds
from bench.generator import Load, Plan, run, write_requests
from bench.servers import Server

WARM_UP_SHARE = 0.25
"""Of the measured time; what it sees is thrown away."""


class WrongAnswersError(Exception):
    """A server answered something else than the case expects, so its figures would mean nothing."""


@dataclass(frozen=True)
class Sample:
    """One run of one server at one case. CPU in microseconds per answer, of the server and of all of PostgreSQL."""

    size: int
    case: str
    contestant: str
    round: int
    load: Load
    server_cpu_us: float
    database_cpu_us: float
    resident_bytes: int


@dataclass(frozen=True)
class Settings:
    """How to measure."""

    connections: int
    seconds: float
    rounds: int
    load_cpu: int
    requests_file: Path


@dataclass
class Lane:
    """A running server, what requests to it are made for, and how many writes of each case it has taken so far."""

    contestant: Contestant
    server: Server
    target: Target
    written: dict[str, int] = field(default_factory=dict)


Report = Callable[[Sample], None]


async def measure_case(
    case: Case, lanes: list[Lane], settings: Settings, postgres: Connection, report: Report
) -> list[Sample]:
    """All rounds of a case: A B C, A B C, …; only the one being measured is on the processor."""
    samples = []
    running = [lane for lane in lanes if lane.contestant.runs(case)]
    for lane in running:
        lane.target = lane.target.signed_in()
    for number in range(settings.rounds):
        for lane in running:
            lane.server.resume()
            try:
                sample = await _measure(case, lane, settings, postgres, number)
            finally:
                lane.server.pause()
            report(sample)
            samples.append(sample)
    return samples


async def _measure(case: Case, lane: Lane, settings: Settings, postgres: Connection, number: int) -> Sample:
    await _load(case, lane, settings, settings.seconds * WARM_UP_SHARE)
    before = lane.server.cpu_seconds(), server_cpu_seconds(postgres)
    load = await _load(case, lane, settings, settings.seconds)
    after = lane.server.cpu_seconds(), server_cpu_seconds(postgres)
    server_us, database_us = ((end - start) * 1e6 / load.answers for start, end in zip(before, after, strict=True))
    resident = lane.server.resident_bytes()
    return Sample(lane.target.size, case.key, lane.contestant.key, number, load, server_us, database_us, resident)


async def _load(case: Case, lane: Lane, settings: Settings, seconds: float) -> Load:
    first = lane.written.get(case.key, 0)
    count = write_requests(settings.requests_file, case.requests(lane.target, first, seconds))
    plan = Plan(
        port=lane.server.port,
        requests_file=settings.requests_file,
        connections=settings.connections,
        seconds=seconds,
        requests=count if case.writes else None,
        cpu=settings.load_cpu,
    )
    load = await run(plan)
    if case.writes:
        lane.written[case.key] = first + load.answers
    if any(load.errors.values()) or set(load.statuses) != {lane.contestant.expected(case)}:
        message = f"{lane.contestant.title}, {case.title}: statuses {dict(load.statuses)}, errors {dict(load.errors)}"
        raise WrongAnswersError(message)
    return load
