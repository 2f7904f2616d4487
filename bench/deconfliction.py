"""How long it takes to compare one operation with 100,000 live ones: `python -m bench.deconfliction`.

Operations are drawn around cities of a region, over three months, with targets out of a pool that some have in common.
What is timed is one call of the database as the server makes it: once the comparison alone, and once the whole check of
a draft, which opens the conflicts it finds, tells both sides and writes the audit. Nothing is measured over HTTP.
"""

import argparse
import math
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from app.core import migrations
from app.core.database_roles import ENGINE, DatabaseRole
from app.core.embedded import EmbeddedPostgres
from app.core.ids import uuid7
from bench.database import Connection, connect, create
from bench.processes import cpu_seconds

DATABASE = "bench_deconfliction"
CHECKS = 400
WARM_UP = 100
AGENCIES = tuple(f"XA-LEAD{number}" for number in range(100))
START = datetime(2026, 12, 1, tzinfo=UTC)
_CITIES = 300
_POOL = 150_000
_SEED = 20261122


class Drawn(NamedTuple):
    """An operation, as much of it as is compared."""

    starts_at: datetime
    ends_at: datetime
    latitude: float
    longitude: float
    radius_m: float
    identifiers: list[str]


def drawn(count: int, seed: int) -> Iterator[Drawn]:
    """Operations around cities between Mandalay, Jakarta and Sapporo, the same ones each time."""
    places = random.Random(_SEED)  # noqa: S311 - no secret
    cities = [(places.uniform(-8, 44), places.uniform(95, 143)) for _ in range(_CITIES)]
    chance = random.Random(seed)  # noqa: S311 - no secret
    for _ in range(count):
        latitude, longitude = chance.choice(cities)
        starts_at = START + timedelta(hours=chance.randrange(90 * 24))
        yield Drawn(
            starts_at,
            starts_at + timedelta(hours=chance.choice((2, 6, 12, 24, 72, 240))),
            round(latitude + chance.gauss(0, 0.3), 7),
            round(longitude + chance.gauss(0, 0.3), 7),
            chance.choice((500.0, 1000.0, 2000.0, 5000.0, 20_000.0)),
            [f"phone:+{number}" for number in chance.sample(range(_POOL), chance.randrange(6))],
        )


def load(connection: Connection, count: int) -> None:
    """Live operations with their claims, without search index and versions: those are not looked at here."""
    connection.execute("ALTER TABLE records DISABLE TRIGGER USER")
    connection.execute(f"SET ROLE {ENGINE}")
    for agency in AGENCIES:
        connection.execute(
            "INSERT INTO agencies (code, name, kind) VALUES (%s, %s, 'national_police')", (agency, agency)
        )
    ids = [uuid7() for _ in range(count)]
    leads = [AGENCIES[number % len(AGENCIES)] for number in range(count)]
    lives = ["draft" if number < CHECKS else "active" for number in range(count)]
    connection.execute(
        "INSERT INTO records (id, kind, reference, originator, life, created_at, updated_at, handling, audience,"
        " document, shared_document)"
        " SELECT id, 'joint-operations', id::text, lead, life, now(), now(), '{}', ARRAY[lead], '{}', '{}'"
        " FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS o (id, lead, life)",
        (ids, leads, lives),
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO operation_claims"
            " SELECT c.* FROM records r, claim_of(r, %s, %s, %s, %s, %s, '{}', %s) AS c WHERE r.id = %s",
            [(*it, record) for it, record in zip(drawn(count, _SEED), ids, strict=True)][CHECKS:],
        )
    connection.execute("RESET ROLE")
    connection.execute("ALTER TABLE records ENABLE TRIGGER USER")
    connection.execute("VACUUM ANALYZE")


def measured(name: str, connection: Connection, calls: Sequence[Callable[[], int]]) -> str:
    """One line of figures; the first calls, which find nothing prepared, are made and not counted."""
    for call in calls[:WARM_UP]:
        call()
    times, found = [], []
    before = cpu_seconds(connection.info.backend_pid)
    for call in calls[WARM_UP:]:
        begun = time.perf_counter()
        found.append(call())
        times.append((time.perf_counter() - begun) * 1000)
    cpu = (cpu_seconds(connection.info.backend_pid) - before) / len(times) * 1000
    ranked = sorted(times)
    high = ranked[math.ceil(len(ranked) * 0.99) - 1]
    return (
        f"{name:<12} median {statistics.median(times):6.2f} ms   p99 {high:6.2f} ms   worst {ranked[-1]:6.2f} ms   "
        f"CPU {cpu:5.2f} ms   {len(times)} calls, {statistics.mean(found):.1f} collisions each, at most {max(found)}\n"
    )


def comparing(connection: Connection) -> Iterator[Callable[[], int]]:
    """Compare operations that are drawn like the others."""
    statement = (
        "SELECT count(*) FROM collisions(ROW(%s, '', tstzrange(%s, %s, '[]'), %s, %s, %s, box_around(%s, %s, %s),"
        " ARRAY(SELECT target_digest(t) FROM unnest(%s::text[]) AS t))::operation_claims)"
    )
    for it in drawn(CHECKS, _SEED + 1):
        where = (it.latitude, it.longitude, it.radius_m)
        parameters = (uuid7(), it.starts_at, it.ends_at, *where, *where, it.identifiers)
        yield lambda parameters=parameters: _number(connection, statement, parameters)  # type: ignore[misc]


def checking(connection: Connection) -> Iterator[Callable[[], int]]:
    """Check the drafts, a few of each agency."""
    drafts = connection.execute("SELECT id, originator FROM records WHERE life = 'draft' ORDER BY id").fetchall()
    for (record, lead), it in zip(drafts, drawn(CHECKS, _SEED + 2), strict=True):
        yield lambda record=record, lead=lead, it=it: _check(connection, record, lead, it)  # type: ignore[misc]


def _check(connection: Connection, record: Any, lead: str, it: Drawn) -> int:  # noqa: ANN401 - an id
    with connection.transaction():
        connection.execute("SELECT set_config('interdesk.agency', %s, true)", (lead,))
        where = (it.starts_at, it.ends_at, it.latitude, it.longitude, it.radius_m)
        connection.execute(
            "SELECT deconflict(%s, 1, true, %s, %s, %s, %s, %s, '{}', %s)", (record, *where, it.identifiers)
        )
        return _number(connection, "SELECT count(*) FROM standing_conflicts(%s)", (record,))


def _number(connection: Connection, statement: str, parameters: tuple[Any, ...]) -> int:
    row = connection.execute(statement.encode(), parameters).fetchone()
    return 0 if row is None else int(row[0])


def main() -> None:
    """Load, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--operations", type=int, default=100_000, help="how many are live")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres.start(Path(folder)) as cluster:
        create(cluster, DATABASE, template="interdesk")
        migrations.upgrade(cluster.conninfo(DatabaseRole.OWNER, DATABASE))
        with connect(cluster, DATABASE) as connection:
            load(connection, asked.operations + CHECKS)
            connection.execute(f"SET ROLE {ENGINE}")
            comparison = measured("comparison", connection, list(comparing(connection)))
            whole = measured("whole check", connection, list(checking(connection)))
            ((claims,),) = connection.execute("SELECT count(*) FROM operation_claims").fetchall()
    sys.stdout.write(f"{claims:,} live operations\n{comparison}{whole}")


if __name__ == "__main__":
    main()
