"""Published tables against somebody who subtracts everything from everything: no group below five comes out."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from app.core.database_roles import DatabaseRole
from app.core.ids import uuid7
from tests.conftest import Cluster
from tests.domain.statistics.subtracting import SMALL, Bounds, Period

YEARS = [str(year) for year in range(1960, 2010)]
SIDES = ("month", "country", "type", "nationality", "condition", "verification")
CONDITIONS = ["deceased", "life_at_risk", "detained", "missing", "injured", "unknown", "safe"]

Report = dict[str, Any]


class Filed:
    """Reports that stand below the policies, as many as an API would take an hour to create, and what is published."""

    def __init__(self, conninfo: str, seed: int) -> None:
        self.connection = psycopg.connect(conninfo, autocommit=True)
        self.connection.execute("SET ROLE interdesk_engine")
        self.random = random.Random(seed)  # noqa: S311 - the same every time
        self.reports: dict[str, Report] = {}

    def file(self, year: str, *, count: int = 1, spread: int = 3) -> None:
        """Some reports of a year, about a few countries, crimes and nationalities."""
        for _ in range(count):
            draw = self.random.choice
            self.write(
                {
                    "month": f"{year}-{self.random.randint(1, 12):02}",
                    "country": draw(["KH", "LA", "MM", "PH", "TH"][:spread]),
                    "type": draw(["kidnapping", "phone_scam", "homicide", "robbery"][:spread]),
                    "verification": draw(["reported", "confirmed", "unfounded"]),
                    "nationality": draw(["KR", "CN", "VN", None][:spread]),
                    "condition": draw(CONDITIONS[:spread]),
                }
            )

    def withdraw(self, share: float) -> None:
        for record_id in [one for one in self.reports if self.random.random() < share]:
            del self.reports[record_id]
            self.connection.execute(
                "UPDATE records SET state = 'retracted', document = '{}', version = 2 WHERE id = %s", (record_id,)
            )

    def publish(self) -> None:
        self.connection.execute("SELECT publish_statistics(clock_timestamp())")

    def write(self, sides: dict[str, Any]) -> None:
        """A report by its sides."""
        report = {
            "reported_on": f"{sides['month']}-01",
            "country": sides["country"],
            "subdivision": None,
            "types": [sides["type"] or "other"],
            "verification": sides["verification"],
            "victims": [{"nationality": sides["nationality"], "condition": sides["condition"]}],
        }
        record_id = str(uuid7())
        self.connection.execute(
            "INSERT INTO records (id, kind, reference, originator, life, created_at, updated_at, handling, audience,"
            " document, shared_document) VALUES (%(id)s::uuid, 'incident-reports', %(id)s::text, 'KR-KNPA', 'open',"
            " now(), now(), '{}', '{KR-KNPA}', %(text)s, %(text)s)",
            {"id": record_id, "text": json.dumps(report)},
        )
        self.reports[record_id] = report

    def published(self, year: str) -> dict[str, dict[Any, int]]:
        """The latest tables of a year."""
        rows = self.connection.execute(
            'SELECT "table", cells FROM published_statistics WHERE period = %s'
            " AND as_of = (SELECT max(as_of) FROM published_statistics)",
            (year,),
        ).fetchall()
        return {
            name: {cell["key"] if name == "month" else cell["then"]: cell["reports"] for cell in cells}
            for name, cells in rows
        }

    def truth(self, year: str, reports: list[Report] | None = None) -> dict[str, Counter[Any]]:
        """How many reports there really are."""
        counted: dict[str, Counter[Any]] = {side: Counter() for side in SIDES}
        for report in self.reports.values() if reports is None else reports:
            if not report["reported_on"].startswith(year):
                continue
            sides = {
                "month": report["reported_on"][:7],
                "country": report["country"],
                "type": report["types"][0],
                "nationality": report["victims"][0]["nationality"],
                "condition": report["victims"][0]["condition"],
                "verification": report["verification"],
            }
            for side, key in sides.items():
                if report["verification"] != "unfounded" or side == "verification":
                    counted[side][key] += 1
        return counted


@pytest.fixture
def filed(cluster: Cluster, database: str) -> Iterator[Filed]:
    made = Filed(cluster.conninfo(DatabaseRole.OWNER, database), seed=20251016)
    made.connection.execute(
        "INSERT INTO agencies (code, name, kind, country) VALUES ('KR-KNPA', 'A', 'national_police', 'KR')"
    )
    try:
        yield made
    finally:
        made.connection.close()


def sums(tables: dict[str, dict[Any, int]]) -> set[int]:
    """What each table comes to, without those that proved unfounded."""
    return {sum(count for key, count in tables[side].items() if key != "unfounded") for side in (*SIDES, "year")}


def attacked(tables: dict[str, dict[Any, int]], truth: dict[str, Counter[Any]]) -> dict[tuple[str, object], Bounds]:
    """What follows for every cell, for somebody who knows which cells are not empty."""
    without = {side: {*truth[side], *tables[side]} - {"unfounded"} for side in SIDES}
    return Period(tables, without).subtract()


def test_no_small_group_comes_out_by_subtracting(filed: Filed) -> None:
    for number, year in enumerate(YEARS):
        filed.file(year, count=number % 25, spread=2 + number % 2)
    for _ in range(3):
        filed.publish()
        for year in YEARS:
            tables = filed.published(year)
            truth = filed.truth(year)
            if not tables:
                assert not any(truth.values())
                continue
            assert len(sums(tables)) == 1, (year, tables)
            for cells in tables.values():
                assert all(count % SMALL == 0 and count > 0 for count in cells.values()), tables
            for cell, bounds in attacked(tables, truth).items():
                shown = tables[cell[0]].get(cell[1], 0)
                assert bounds.low <= shown <= bounds.high, (year, cell, tables)
                # Whatever somebody knows of it from its own reports: five numbers in a row are possible at least.
                assert not any(bounds.tells_a_small_group(known) for known in range(60)), (year, cell, tables)
        filed.withdraw(0.1)
        for year in YEARS[::2]:
            filed.file(year, count=filed.random.randint(0, 9))


def test_every_number_is_near_the_truth_when_it_is_counted(filed: Filed) -> None:
    for number, year in enumerate(YEARS):
        filed.file(year, count=number)
    filed.publish()
    for year in YEARS[1:]:
        tables, truth = filed.published(year), filed.truth(year)
        for side in SIDES:
            for key in truth[side]:
                assert abs(tables[side].get(key, 0) - truth[side][key]) < SMALL, (year, side, key)
            assert set(tables[side]) <= set(truth[side])


def test_what_is_published_could_be_the_truth(filed: Filed) -> None:
    """Of reports that come to exactly the published numbers the same is published: nobody can exclude them."""
    years = YEARS[:12]
    for number, year in enumerate(years):
        filed.file(year, count=7 * number + 3)
    filed.publish()
    tables = {year: filed.published(year) for year in years}
    for year in years:
        # Each table as a row of its cells, every one as often as it says: the n-th report is whatever stands there.
        rows = {side: [key for key, count in tables[year][side].items() for _ in range(count)] for side in SIDES}
        unfounded = rows["verification"].count("unfounded")
        rows["verification"] = [one for one in rows["verification"] if one != "unfounded"]
        for n, month in enumerate(rows["month"]):
            told = {side: rows[side][n] for side in SIDES}
            filed.write({**told, "month": f"{_later(year)}{month[4:]}"})
        for _ in range(unfounded):
            filed.write(
                {**dict.fromkeys(SIDES), "country": "KH", "month": f"{_later(year)}-01", "verification": "unfounded"}
            )
    filed.publish()

    for year in years:
        later = filed.published(_later(year)) or {side: {} for side in tables[year]}
        later["month"] = {f"{year}{month[4:]}": count for month, count in later["month"].items()}
        assert later == tables[year], year


def _later(year: str) -> str:
    return str(int(year) + 60)


def test_the_same_attack_finds_what_is_rounded_by_itself() -> None:
    """Cells and margins rounded to the nearest, each by itself, tell small groups: the attack can see that."""
    four: dict[str, dict[object, int]] = {"year": {None: 5}, "country": {}}  # 4 reports, 2 in each country
    bounds = Period(four, {"year": [None], "country": ["KH", "LA"]}, 2).subtract()
    assert bounds["country", "KH"].tells_a_small_group()


def test_few_changes_change_nothing(filed: Filed) -> None:
    filed.file("2001", count=21)
    filed.publish()
    before = filed.published("2001")
    for _ in range(2):
        filed.file("2001", count=2)
        filed.publish()
        assert filed.published("2001") == before
    filed.file("2001", count=1)
    filed.publish()

    # Five since it was counted last, over three publications: all is counted anew.
    ((counted, total),) = filed.connection.execute(
        "SELECT count(DISTINCT counted_at), count(DISTINCT as_of) FROM published_statistics"
    ).fetchall()
    assert (counted, total) == (2, 4)


def test_what_is_published_cannot_be_changed(filed: Filed) -> None:
    filed.file("2001", count=12)
    filed.publish()
    for statement in (
        "UPDATE published_statistics SET cells = '[]'",
        "DELETE FROM published_statistics",
        "UPDATE statistics_publications SET published_at = now()",
        "DELETE FROM statistics_publications",
        "UPDATE statistics_secret SET key = 'x'",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            filed.connection.execute(statement)
    ((again,),) = filed.connection.execute(
        "SELECT publish_statistics(max(as_of)) FROM statistics_publications"
    ).fetchall()
    assert again is False


def test_a_subdivision_is_part_of_its_country(filed: Filed) -> None:
    for number in range(40):
        filed.file("2001")
        filed.connection.execute(
            "UPDATE records SET document = (document::jsonb || jsonb_build_object('subdivision', 'KH-' || %s::text,"
            " 'country', 'KH'))::text, updated_at = now() WHERE id = %s",
            (number % 7, list(filed.reports)[-1]),
        )
    filed.publish()
    tables = filed.published("2001")
    assert sum(tables["subdivision"].values()) == tables["country"]["KH"]
