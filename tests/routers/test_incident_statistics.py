"""Reports in numbers: counted over what the caller sees, beside official figures; missing stays missing."""

import asyncio
from typing import Any

import pytest

from tests.conftest import Hub, Partner
from tests.events.following import follower, only, place
from tests.routers.incidents import HELD, path_of, report, step

COUNTS, FIGURES = "/v1/statistics/incident-reports", "/v1/statistics/figures"

SERIES = "Koreans detained in Cambodia, reports"
OFFICIAL: list[tuple[str, str, int | None]] = [
    ("2021", "2021", 4),
    ("2022", "2022", 1),
    ("2023", "2023", 17),
    ("2024", "2024", None),
    ("2025-01", "2025-08", 330),
]


def figure(since: str, until: str, value: int | None, **fields: Any) -> dict[str, Any]:
    return {
        "series": SERIES,
        "country": "KH",
        "nationality": "KR",
        "period_from": since,
        "period_to": until,
        "value": value,
        "source": "Police briefing of 16 October 2025",
        "published_on": "2025-10-16",
        **fields,
    }


async def counted(partner: Partner, **parameters: str) -> dict[Any, tuple[int, int, int, int]]:
    answer = await partner.get(COUNTS, params=parameters)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    rows = {(row["key"], row["then"]) if "then_by" in parameters else row["key"]: row for row in told["items"]}
    rows["total"] = told["total"]
    numbers = ("reports", "confirmed", "unfounded", "victims")
    return {key: tuple(row[name] for name in numbers) for key, row in rows.items()}


@pytest.fixture
async def korea(hub: Hub) -> Partner:
    """Reports of three years, of which Cambodia sees those of 2025."""
    korea = hub.partner("KR-KNPA", "analyst", "commander")
    hub.register("KH-CNP")
    free, chinese = {**HELD, "condition": "safe"}, {**HELD, "nationality": "CN"}
    await report(korea, reported_on="2021-03-01", occurred_from=None, victims=[free])
    first = await path_of(korea, "KH-CNP", victims=[HELD, chinese])
    await path_of(korea, "KH-CNP", reported_on="2025-09-02", types=["robbery"], victims=[], subdivision="KH-18")
    false = await path_of(korea, "KH-CNP", victims=[HELD])
    await step(korea, first, "verify", {"verification": "confirmed"})
    await step(korea, false, "verify", {"verification": "unfounded"})
    return korea


async def test_reports_are_counted_by_what_was_asked(korea: Partner) -> None:
    assert await counted(korea) == {"2021": (1, 0, 0, 1), "2025": (2, 1, 1, 2), "total": (3, 1, 1, 3)}
    assert await counted(korea, by="month", reported_from="2025-01-01") == {
        "2025-08": (1, 1, 1, 2),
        "2025-09": (1, 0, 0, 0),
        "total": (2, 1, 1, 2),
    }
    assert await counted(korea, by="nationality") == {
        "CN": (1, 1, 0, 1),
        "KR": (2, 1, 1, 2),
        None: (1, 0, 0, 0),
        "total": (3, 1, 1, 3),
    }
    assert await counted(korea, by="subdivision", then_by="verification", country="KH", reported_from="2025-09-01") == {
        ("KH-18", "reported"): (1, 0, 0, 0),
        "total": (1, 0, 0, 0),
    }
    assert (await counted(korea, by="type"))["kidnapping"] == (2, 1, 1, 3)
    assert (await counted(korea, by="condition", nationality="KR"))["detained"] == (1, 1, 1, 1)
    assert (await counted(korea, nationality="CN"))["total"] == (1, 1, 0, 1)
    assert await counted(korea, country="TH") == {"total": (0, 0, 0, 0)}
    assert (await korea.get(COUNTS, params={"by": "name"})).status_code == 400
    table = await korea.get(COUNTS, headers={"Accept": "text/csv"})
    assert table.text.splitlines() == ["key,then,reports,confirmed,unfounded,victims", "2021,,1,0,0,1", "2025,,2,1,1,2"]


async def test_everybody_counts_with_their_own_eyes(hub: Hub, korea: Partner) -> None:
    cambodia, thailand = hub.caller("KH-CNP", "auditor"), hub.partner("TH-RTP")
    assert await counted(cambodia) == {"2025": (2, 1, 1, 2), "total": (2, 1, 1, 2)}
    assert await counted(thailand) == {"total": (0, 0, 0, 0)}
    assert (await hub.caller("KH-CNP", "liaison_officer").get(COUNTS)).status_code == 403
    # A caveat keeps what it covers from being counted, until it is acknowledged.
    covered = {"tlp": "AMBER", "codes": ["H3"], "caveat": "Ask.", "audience": {"agencies": ["TH-RTP"]}}
    path = await path_of(korea, handling=covered)
    assert (await counted(thailand))["total"] == (0, 0, 0, 0)
    await thailand.post(f"{path}/handling/acknowledge", {"caveat": "Ask."})
    assert (await counted(thailand))["total"] == (1, 0, 0, 1)
    assert (await korea.post(f"{path}/retract", etag='"1"')).status_code == 200
    assert (await counted(thailand))["total"] == (0, 0, 0, 0)


async def test_a_merged_report_counts_for_those_alone_who_do_not_see_both(hub: Hub) -> None:
    korea, cambodia, thailand = (hub.partner(code) for code in ("KR-KNPA", "KH-CNP", "TH-RTP"))
    target = await report(korea, "KH-CNP")
    path = await path_of(cambodia, "KR-KNPA", "TH-RTP")
    assert (await cambodia.post(f"{path}/merge", {"duplicate_of": target["id"]})).status_code == 201

    totals = [(await counted(partner))["total"][0] for partner in (korea, cambodia, thailand)]
    await cambodia.post(f"{path}/unmerge")

    assert totals == [1, 1, 1]
    assert [(await counted(partner))["total"][0] for partner in (korea, cambodia, thailand)] == [2, 2, 1]


async def test_official_figures_stand_beside_and_missing_stays_missing(hub: Hub, korea: Partner) -> None:
    cambodia = hub.caller("KH-CNP")
    reader = await follower(cambodia)
    for since, until, value in OFFICIAL:
        made = await korea.post(FIGURES, figure(since, until, value))
        assert made.status_code == 201, made.text
        assert (await cambodia.get(made.headers["Location"])).json() == made.json()

    told = (await cambodia.get(COUNTS, params={"country": "KH", "nationality": "KR"})).json()

    assert [(row["period_from"], row["period_to"], row["value"]) for row in told["declared"]] == OFFICIAL
    assert [row["key"] for row in told["items"]] == ["2025"]
    assert (await korea.get(COUNTS, params={"country": "KH"})).json()["declared"] == []
    place(hub)
    assert len(only(await reader.follow(), "figure.declared")) == len(OFFICIAL)
    found = await cambodia.get(FIGURES, params={"series": SERIES, "limit": 2})
    assert len(found.json()["items"]) == 2
    rest = await cambodia.get(FIGURES, params={"series": SERIES, "limit": 4, "cursor": found.json()["next_cursor"]})
    assert len(rest.json()["items"]) == 3


async def test_a_figure_is_withdrawn_and_not_changed(hub: Hub, korea: Partner) -> None:
    cambodia = hub.caller("KH-CNP", "commander")
    key = {"Idempotency-Key": "k"}
    made = await korea.post(FIGURES, figure("2023", "2023", 16), headers=key)
    again = await korea.post(FIGURES, figure("2023", "2023", 16), headers=key)
    path = made.headers["Location"]
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (made.json(), "true")
    assert (await korea.post(FIGURES, figure("2023", "2023", 17))).status_code == 409
    assert (await cambodia.post(FIGURES, figure("2023", "2023", 17))).status_code == 201
    assert (await cambodia.post(f"{path}/withdraw")).status_code == 403
    assert (await hub.caller("KR-KNPA", "analyst").post(f"{path}/withdraw")).status_code == 403
    assert (await korea.post(f"{path}/withdraw")).status_code == 204
    assert (await korea.post(f"{path}/withdraw")).status_code == 409
    assert (await korea.get(path)).json()["withdrawn_at"] is not None
    assert (await korea.post(FIGURES, figure("2023", "2023", 17))).status_code == 201
    values = [row["value"] for row in (await korea.get(FIGURES, params={"agency": "KR-KNPA"})).json()["items"]]
    assert values == [17]
    all_of_them = (await korea.get(FIGURES, params={"agency": "KR-KNPA", "withdrawn": "true"})).json()["items"]
    assert [row["value"] for row in all_of_them] == [17, 16]


async def test_what_is_no_figure_is_refused(hub: Hub, korea: Partner) -> None:
    for body, pointer in (
        ({"value": -1}, "/value"),
        ({"value": "12"}, "/value"),
        ({"period_to": "2020"}, "/period_to"),
        ({"country": "XX"}, "/country"),
        ({"source": None}, "/source"),
    ):
        refused = await korea.post(FIGURES, {**figure("2023", "2023", 17), **body})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer), refused.text
    silent = figure("2023", "2023", 17)
    del silent["value"]
    assert (await korea.post(FIGURES, silent)).status_code == 422
    large = figure("2023", "2023", 17, note="x" * hub.settings.body_limit * 2)
    assert (await korea.post(FIGURES, large)).status_code == 413
    assert (await korea.get(f"{FIGURES}/01920000-0000-7000-8000-000000000000")).status_code == 404
    answers = await asyncio.gather(*(korea.post(FIGURES, figure("2022", "2022", 1)) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
