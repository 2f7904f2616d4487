"""The bench in one command: `python -m bench.run --sizes 1000,100000 --seconds 5`.

One processor serves and one makes the load; PostgreSQL runs on both, wherever the kernel puts it, as it would beside an
API on a small machine. So compare the ratios of servers measured here, not the rates with those of another machine.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from app.core.embedded import EmbeddedPostgres, EmbeddedPostgresError
from bench import data, results
from bench.cases import CASES, Case, Target
from bench.contestants import CONTESTANTS, Contestant
from bench.database import Cluster, connect, run_copy, server_version
from bench.facts import facts
from bench.generator import GeneratorError, build
from bench.hub import signing_key, token
from bench.measure import Lane, Sample, Settings, WrongAnswersError, measure_case
from bench.servers import Server, ServerError
from bench.starts import second_starts

HERE = Path(__file__).parent
WORK = HERE / "work"
SERVER_CPU, LOAD_CPU = 0, 1
QUIET = 1.0
"""Load average below which a machine counts as having nothing else to do."""
CONSOLE = Console(stderr=True, soft_wrap=True)


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """What to measure."""
    parser = argparse.ArgumentParser(prog="python -m bench.run", description="Measure the servers side by side.")
    parser.add_argument(
        "--sizes", type=_numbers, default=[1_000, 100_000, 1_000_000], help="profiles, e.g. 1000,100000"
    )
    parser.add_argument("--seconds", type=float, default=2.0, help="measured time of one run")
    parser.add_argument("--rounds", type=int, default=3, help="runs of every server at every case")
    parser.add_argument("--connections", type=int, default=16, help="clients at once")
    parser.add_argument("--cases", type=_words, default=[case.key for case in CASES], help="e.g. get,page-wide")
    parser.add_argument(
        "--servers", type=_words, default=[each.key for each in CONTESTANTS], help="e.g. sync-sqlmodel,hello"
    )
    parser.add_argument("--output", type=Path, default=HERE / "results", help="folder of the table and the plots")
    parser.add_argument("--data", type=Path, default=WORK / "data", help="folder of the bench's own PostgreSQL")
    parsed = parser.parse_args(given)
    for name, allowed in (("cases", [case.key for case in CASES]), ("servers", [each.key for each in CONTESTANTS])):
        unknown = set(getattr(parsed, name)) - set(allowed)
        if unknown:
            parser.error(f"--{name}: there is no {', '.join(sorted(unknown))}; there are {', '.join(allowed)}")
    return parsed


def _numbers(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


def _words(text: str) -> list[str]:
    return text.split(",")


def main(given: Sequence[str]) -> int:
    """Measure and write the results; the exit status."""
    asked = arguments(given)
    if not {SERVER_CPU, LOAD_CPU} <= os.sched_getaffinity(0):
        CONSOLE.print("The bench needs two processors: one for the server and one for the load.", style="red")
        return 2
    try:
        build()
        measure(asked)
    except (EmbeddedPostgresError, GeneratorError, ServerError, WrongAnswersError) as error:
        CONSOLE.print(str(error), style="red", markup=False)
        return 2
    return 0


def measure(asked: argparse.Namespace) -> None:
    """Load what is missing, measure every size, and write the results."""
    WORK.mkdir(exist_ok=True)
    settings = Settings(asked.connections, asked.seconds, asked.rounds, LOAD_CPU, WORK / "requests")
    cases = [case for case in CASES if case.key in asked.cases]
    chosen = [each for each in CONTESTANTS if each.key in asked.servers]
    samples: list[Sample] = []
    busy = os.getloadavg()[0]
    if busy > QUIET:
        CONSOLE.print(f"Other work is under way (load {busy:.1f}): it will be felt in every figure.", style="yellow")
    with EmbeddedPostgres.start(asked.data) as cluster:
        for size in asked.sizes:
            ensure_loaded(cluster, size)
            samples += asyncio.run(measure_size(cluster, size, cases, chosen, settings))
        with connect(cluster, "postgres") as connection:
            postgres = server_version(connection)
    circumstances = facts(
        postgres,
        {
            "connections": asked.connections,
            "seconds": asked.seconds,
            "rounds": asked.rounds,
            "load_before": round(busy, 1),
        },
    )
    with tempfile.TemporaryDirectory() as folder:
        circumstances["second_start_seconds"] = round(min(second_starts(Path(folder))), 2)
    results.write(asked.output, samples, circumstances)
    CONSOLE.print(f"written to {asked.output}", highlight=False)


def ensure_loaded(cluster: Cluster, size: int) -> None:
    """Load one size, with a progress bar where it takes long."""
    with Progress(console=CONSOLE, transient=True) as progress:
        task = progress.add_task(f"loading {size:,} profiles", total=size)
        data.ensure(cluster, size, lambda loaded: progress.update(task, completed=loaded))


async def measure_size(
    cluster: Cluster, size: int, cases: Sequence[Case], chosen: Sequence[Contestant], settings: Settings
) -> list[Sample]:
    """All cases on one size, on a copy of its database."""
    samples: list[Sample] = []
    with run_copy(cluster, size) as database, ExitStack() as running, connect(cluster, database) as connection:
        lanes = []
        key = await signing_key(cluster, database)
        for contestant in chosen:
            log = WORK / f"{contestant.key}.log"
            server = running.enter_context(Server(contestant.application(cluster, database), cpu=SERVER_CPU, log=log))
            server.pause()
            mint = partial(token, key) if contestant.signs_in else None
            lanes.append(Lane(contestant, server, Target(size, contestant.shape, mint)))
        for case in cases:
            samples += await measure_case(case, lanes, settings, connection, tell)
    return samples


def tell(sample: Sample) -> None:
    """One line for every run, as it ends."""
    load = sample.load
    CONSOLE.print(
        f"{sample.size:>9,} {sample.case:14} {sample.contestant:16} {load.requests_per_second:>9,.0f}/s"
        f"  p99 {load.latency.p99 / 1000:6.1f} ms  server {sample.server_cpu_us:6,.0f} µs"
        f"  PostgreSQL {sample.database_cpu_us:6,.0f} µs",
        highlight=False,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
