"""Tables over all reports: published, frozen, the same bytes for everybody, and nobody narrows them."""

from typing import Any

import psycopg
import pytest

from app.core.database_roles import DatabaseRole
from app.worker.jobs import JOBS
from tests.conftest import Hub, Partner
from tests.events.following import follower, only, place
from tests.records.retaining import purge
from tests.routers.incidents import HELD, path_of, step
from tests.routers.past import days_pass

COUNTS = "/v1/statistics/incident-reports"
COMMUNITY = {"scope": "community"}
TABLES: list[dict[str, str]] = [
    {},
    {"by": "month"},
    *({"by": "year", "then_by": side} for side in ("country", "subdivision", "type", "nationality", "condition")),
    {"by": "year", "then_by": "verification"},
]


def publish(hub: Hub) -> str:
    """Publish as of this moment; which one that is."""
    with psycopg.connect(hub.conninfo(DatabaseRole.WORKER)) as connection:
        connection.execute("SELECT publish_statistics(clock_timestamp())")
    ((as_of,),) = hub.look("SELECT max(as_of) FROM statistics_publications")
    return str(as_of.isoformat())


async def told(partner: Partner, **parameters: str) -> dict[str, Any]:
    answer = await partner.get(COUNTS, params={**COMMUNITY, **parameters})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def total(partner: Partner, **parameters: str) -> int:
    return sum(item["reports"] for item in (await told(partner, **parameters))["items"])


@pytest.fixture
async def korea(hub: Hub) -> Partner:
    """A dozen reports that only Korea sees, two of them unfounded."""
    korea = hub.partner("KR-KNPA", "analyst", "commander")
    for number in range(14):
        path = await path_of(korea, victims=[HELD], country="KH", subdivision="KH-7")
        if number < 2:
            await step(korea, path, "verify", {"verification": "unfounded"})
    return korea


async def test_nothing_is_counted_when_somebody_asks(hub: Hub, korea: Partner) -> None:
    cambodia = hub.partner("KH-CNP", "auditor")
    empty = await told(cambodia)
    assert (empty["as_of"], empty["published_at"], empty["items"], empty["declared"]) == (None, None, [], [])
    reader = await follower(hub.caller("KH-CNP"))
    publish(hub)

    answers = [await partner.get(COUNTS, params=COMMUNITY) for partner in (korea, cambodia)]

    assert answers[0].content == answers[1].content
    assert [(item["key"], item["then"]) for item in answers[0].json()["items"]] == [("2025", None)]
    assert answers[0].json()["items"][0]["reports"] in (10, 15)
    place(hub)
    assert len(only(await reader.follow(), "statistics.published")) == 1
    assert await total(korea, by="year", then_by="country") == answers[0].json()["items"][0]["reports"]
    kinds = {item["then"] for item in (await told(korea, by="year", then_by="verification"))["items"]}
    assert kinds <= {"reported", "unfounded"}


async def test_what_is_published_stays(hub: Hub, korea: Partner) -> None:
    thailand = hub.partner("TH-RTP")
    first = publish(hub)
    asked = [{**COMMUNITY, **table, "as_of": first} for table in TABLES]
    before = [(await thailand.get(COUNTS, params=each)).content for each in asked]
    drawn = (await thailand.get(f"{COUNTS}.svg", params={**COMMUNITY, "as_of": first})).content
    for _ in range(10):
        await path_of(korea, "TH-RTP", reported_on="2024-08-03", occurred_from=None, country="TH", subdivision=None)
    listed = (await korea.get("/v1/incident-reports")).json()["items"]
    assert (await korea.post(f"/v1/incident-reports/{listed[-1]['id']}/retract", etag="*")).status_code == 200
    second = publish(hub)

    assert [(await thailand.get(COUNTS, params=each)).content for each in asked] == before
    assert (await thailand.get(f"{COUNTS}.svg", params={**COMMUNITY, "as_of": first})).content == drawn
    assert {item["key"] for item in (await told(thailand, as_of=second))["items"]} == {"2024", "2025"}
    assert (await told(thailand))["as_of"] == (await told(thailand, as_of=second))["as_of"]
    assert (await told(thailand, as_of="2020-01-01"))["as_of"] is None
    sums = {
        await total(thailand, **table)
        for table in TABLES
        if table.get("then_by") not in ("verification", "subdivision")
    }
    assert len(sums) == 1


async def test_nobody_narrows(korea: Partner) -> None:
    for name, value in {
        "reported_from": "2025-01-01",
        "reported_to": "2025-01-01",
        "country": "KH",
        "subdivision": "KH-7",
        "type": "kidnapping",
        "nationality": "KR",
        "condition": "detained",
        "verification": "confirmed",
    }.items():
        for path in (COUNTS, f"{COUNTS}.svg"):
            refused = await korea.get(path, params={**COMMUNITY, name: value})
            assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, f"/query/{name}"), (
                refused.text
            )
    for table in ({"by": "country"}, {"by": "month", "then_by": "country"}, {"by": "year", "then_by": "month"}):
        refused = await korea.get(COUNTS, params={**COMMUNITY, **table})
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "table-not-published"), refused.text
    table = await korea.get(COUNTS, params=COMMUNITY, headers={"Accept": "text/csv"})
    assert (table.status_code, table.text) == (200, "")


async def test_the_worker_publishes_the_month_that_has_ended(hub: Hub, korea: Partner) -> None:
    async with await psycopg.AsyncConnection.connect(hub.conninfo(DatabaseRole.WORKER), autocommit=True) as connection:
        await JOBS["publish_statistics"](connection)
        assert (await told(korea))["as_of"] is None
        days_pass(hub, 62)
        for _ in range(2):
            await JOBS["publish_statistics"](connection)

    ends = hub.look("SELECT as_of AT TIME ZONE 'UTC' FROM statistics_publications ORDER BY as_of")
    assert len(ends) in (2, 3)
    assert all((end.day >= 28, end.microsecond) == (True, 999_999) for (end,) in ends)
    assert await total(korea) in (10, 15)


async def test_a_purge_leaves_a_number_and_no_report(hub: Hub, korea: Partner) -> None:
    target = await path_of(korea, victims=[HELD, {**HELD, "nationality": "CN", "condition": "deceased"}])
    await korea.post(f"{await path_of(korea)}/merge", {"duplicate_of": target.rpartition("/")[2]})
    ids = [item["id"] for item in (await korea.get("/v1/incident-reports", params={"limit": "500"})).json()["items"]]
    before = hub.look(_FACTS)
    await purge(hub, *ids)

    assert hub.look("SELECT count(*) FROM incident_history") == [(0,)]
    assert [
        row[0]
        for row in hub.look(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'incident_residues'::regclass"
            " AND attnum > 0 ORDER BY attnum"
        )
    ] == ["id", "month", "country", "subdivision", "type", "nationality", "condition", "verification"]
    assert hub.look(_RESIDUES) == before
    assert len(before) == 15
    assert ("several", "deceased") in {row[4:6] for row in before}
    publish(hub)
    assert await total(korea) in (10, 15)


_SIDES = "month, country, subdivision, type, nationality, condition, verification"
_RESIDUES = f"SELECT {_SIDES} FROM incident_residues ORDER BY {_SIDES}"  # noqa: S608 - own names
_FACTS = """
  SELECT to_char(h.reported_on, 'YYYY-MM') AS month, h.country, h.subdivision, h.types[1] AS type,
    CASE count(DISTINCT v ->> 'nationality') WHEN 1 THEN min(v ->> 'nationality') ELSE 'several' END AS nationality,
    CASE WHEN 'deceased' = ANY (array_agg(v ->> 'condition')) THEN 'deceased' ELSE 'detained' END AS condition,
    h.verification
  FROM incident_history h CROSS JOIN LATERAL jsonb_array_elements(h.victims) AS v
  WHERE h.until IS NULL AND NOT EXISTS (SELECT FROM incident_merges m WHERE m.record_id = h.record_id)
  GROUP BY h.record_id, h.since ORDER BY 1, 2, 3, 4, 5, 6, 7"""
