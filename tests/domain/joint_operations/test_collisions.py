"""What the database finds is what looking at every pair finds: over random operations, with its indexes and without, at
the margins, across the antimeridian and around the poles."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core import migrations
from app.core.database_roles import DatabaseRole
from app.core.ids import uuid7
from app.domain.joint_operations.globe import EARTH_RADIUS_M, distance_m
from tests.conftest import Cluster

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KILOMETRE = 1000
LEADS = ("KR-KNPA", "KH-CNP", "TH-RTP")


@dataclass(frozen=True)
class Claimed:
    """What an operation claims."""

    starts_at: datetime = START
    ends_at: datetime = START + HOUR
    latitude: float = 10.6333
    longitude: float = 104.05
    radius_m: float = 2000
    targets: frozenset[int] = frozenset()
    originator: str = LEADS[0]
    id: UUID = field(default_factory=uuid7)


def collide(one: Claimed, other: Claimed) -> tuple[list[str], str] | None:
    """The rule in words of its own: kinds and severity, or None."""
    gap = distance_m(one.latitude, one.longitude, other.latitude, other.longitude) - one.radius_m - other.radius_m
    at_once = one.starts_at <= other.ends_at and other.starts_at <= one.ends_at
    soon = one.starts_at - DAY <= other.ends_at and other.starts_at <= one.ends_at + DAY
    kinds = [
        *(["event"] if soon and gap <= KILOMETRE else []),
        *(["target"] if one.targets & other.targets else []),
    ]
    serious = at_once and (gap <= 0 or bool(one.targets & other.targets))
    return (kinds, "serious" if serious else "advisory") if kinds else None


def degrees(lowest: float, highest: float) -> st.SearchStrategy[float]:
    """As exact as a claim's centre is."""
    return st.floats(lowest, highest).map(lambda value: round(value, 7))


_latitudes = degrees(-90, 90) | st.sampled_from([-90.0, -89.99, 0.0, 89.99, 90.0])
_longitudes = degrees(-180, 180) | st.sampled_from([-180.0, -179.99, 0.0, 179.99, 180.0])
_claims = st.builds(
    lambda at, length, place, radius, targets, lead: Claimed(
        START + at, START + at + length, *place, radius, targets, lead, uuid7()
    ),
    st.integers(-100, 100).map(lambda hours: hours * HOUR),
    st.integers(1, 48).map(lambda hours: hours * HOUR),
    # Some far from everything, most in a few places where they meet.
    st.tuples(_latitudes, _longitudes)
    | st.tuples(degrees(10.5, 10.7), degrees(104.0, 104.2))
    | st.tuples(degrees(-0.05, 0.05), st.sampled_from([179.99, -179.99, 180.0, -180.0]))
    | st.tuples(degrees(89.9, 90), degrees(-180, 180)),
    st.sampled_from([500.0, 2000.0, 10_000.0, 50_000.0]),
    st.frozensets(st.integers(0, 12), max_size=3),
    st.sampled_from(LEADS),
)

INSERT = (
    "INSERT INTO operation_claims VALUES (%s, %s, tstzrange(%s, %s, '[]'), %s, %s, %s, box_around(%s, %s, %s),"
    " ARRAY(SELECT target_digest(t) FROM unnest(%s::text[]) AS t))"
)


def claim(engine: psycopg.Connection, *claims: Claimed) -> None:
    with engine.cursor() as cursor:
        cursor.executemany(
            INSERT,
            [
                (
                    *(it.id, it.originator, it.starts_at, it.ends_at),
                    *(it.latitude, it.longitude, it.radius_m) * 2,
                    [str(target) for target in it.targets],
                )
                for it in claims
            ],
        )


def found(engine: psycopg.Connection, it: Claimed) -> dict[UUID, tuple[list[str], str]]:
    rows = engine.execute(
        "SELECT h.record_id, h.originator, h.kinds, h.severity FROM operation_claims c, collisions(c) AS h"
        " WHERE c.record_id = %s",
        (it.id,),
    ).fetchall()
    return {record: (kinds, severity) for record, _, kinds, severity in rows}


@pytest.fixture(scope="module")
def engine(cluster: Cluster, worker_id: str) -> Iterator[psycopg.Connection]:
    name = f"collisions_{worker_id}"
    cluster.clone("interdesk", name)
    migrations.upgrade(cluster.conninfo(DatabaseRole.OWNER, name))
    with psycopg.connect(cluster.conninfo(DatabaseRole.OWNER, name), autocommit=True) as connection:
        connection.execute("SET ROLE interdesk_engine")
        yield connection
    cluster.drop(name)
    cluster.drop(name)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(claims=st.lists(_claims, min_size=2, max_size=25), scans=st.sampled_from(["on", "off"]))
def test_the_database_finds_what_looking_at_every_pair_finds(
    engine: psycopg.Connection, claims: list[Claimed], scans: str
) -> None:
    engine.execute("DELETE FROM operation_claims")
    claim(engine, *claims)
    engine.execute("SELECT set_config('enable_seqscan', %s, false)", (scans,))
    for one in claims:
        expected = {other.id: hit for other in claims if other is not one and (hit := collide(one, other)) is not None}
        assert found(engine, one) == expected


def north(metres: float) -> float:
    """Degrees of latitude that are so many metres."""
    return math.degrees(metres / EARTH_RADIUS_M)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        # Windows: from overlapping to a day apart, and a second more.
        (Claimed(START + HOUR, START + 2 * HOUR), (["event"], "serious")),
        (Claimed(START + HOUR + timedelta(seconds=1), START + 3 * HOUR), (["event"], "advisory")),
        (Claimed(START + HOUR + DAY, START + 2 * DAY), (["event"], "advisory")),
        (Claimed(START + HOUR + DAY + timedelta(seconds=1), START + 2 * DAY), None),
        (Claimed(START - DAY - HOUR, START - DAY), (["event"], "advisory")),
        (Claimed(START - DAY - HOUR, START - DAY - timedelta(seconds=1)), None),
        # Areas: two circles of two kilometres that touch, are a kilometre apart, and a metre more.
        (Claimed(latitude=10.6333 + north(3999)), (["event"], "serious")),
        (Claimed(latitude=10.6333 + north(4001)), (["event"], "advisory")),
        (Claimed(latitude=10.6333 + north(4999)), (["event"], "advisory")),
        (Claimed(latitude=10.6333 + north(5001)), None),
        # A target in common: at any time, and worse at the same one.
        (Claimed(latitude=-60, targets=frozenset({7})), (["target"], "serious")),
        (Claimed(START + 30 * DAY, START + 31 * DAY, targets=frozenset({7})), (["target"], "advisory")),
        (Claimed(targets=frozenset({7})), (["event", "target"], "serious")),
        (Claimed(latitude=-60, targets=frozenset({8})), None),
    ],
)
def test_the_margins_are_a_day_and_a_kilometre(
    engine: psycopg.Connection, other: Claimed, expected: tuple[list[str], str] | None
) -> None:
    own = Claimed(targets=frozenset({7}))
    engine.execute("DELETE FROM operation_claims")
    claim(engine, own, other)
    assert found(engine, own) == ({} if expected is None else {other.id: expected})
    assert found(engine, other) == ({} if expected is None else {own.id: expected})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((0.0, 179.99), (0.0, -179.99)),
        ((89.99, 0.0), (89.99, 180.0)),
        ((-89.99, -90.0), (-89.99, 90.0)),
        ((90.0, 13.0), (90.0, -170.0)),
    ],
)
@pytest.mark.parametrize("scans", ["on", "off"])
def test_neither_the_date_line_nor_a_pole_stands_between_two(
    engine: psycopg.Connection, one: tuple[float, float], other: tuple[float, float], scans: str
) -> None:
    first, second = (Claimed(latitude=a, longitude=b) for a, b in (one, other))
    engine.execute("DELETE FROM operation_claims")
    claim(engine, first, second)
    engine.execute("SELECT set_config('enable_seqscan', %s, false)", (scans,))
    assert found(engine, first) == {second.id: (["event"], "serious")}
