"""The official figures and the counted ones, reproduced as of two dates after everything was corrected."""

from datetime import date, timedelta
from typing import Any

import httpx
import psycopg

from app.core.database_roles import DatabaseRole
from app.demo.reported import FIGURES
from tests.conftest import Hub, Partner
from tests.routers.incidents import HELD, path_of, step
from tests.routers.past import days_pass

COUNTS, OFFICIAL = "/v1/statistics/incident-reports", "/v1/statistics/figures"
OF_KOREANS = {"country": "KH", "nationality": "KR"}
YEARS = (("2021", 4), ("2023", 7), ("2025", 24))


class Hearing:
    """Two agencies that are asked the same questions about a day, whenever that is."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.korea = hub.partner("KR-KNPA", "analyst", "commander")
        self.cambodia = hub.partner("KH-CNP", "analyst")
        self.paths: list[str] = []

    async def report(self) -> None:
        """What was told before the first date: a part of what was declared, and not all of it to Cambodia."""
        for year, count in YEARS:
            for number in range(count):
                fields: dict[str, Any] = {"reported_on": f"{year}-03-{number + 1:02}", "occurred_from": None}
                shared = ["KH-CNP"] if number % 4 else []
                self.paths.append(await path_of(self.korea, *shared, victims=[HELD], **fields))

    async def declare(self, figure: dict[str, Any]) -> str:
        made = await self.korea.post(OFFICIAL, figure)
        assert made.status_code == 201, made.text
        return str(made.headers["Location"])

    def publish(self) -> None:
        with psycopg.connect(self.hub.conninfo(DatabaseRole.WORKER)) as connection:
            connection.execute("SELECT publish_statistics(clock_timestamp())")

    async def asked(self, day: str) -> list[bytes]:
        """Every answer about a day, byte by byte: counted, drawn and as a table, of both; declared; as published."""
        answers: list[httpx.Response] = []
        as_of = {"as_of": day}
        for partner in (self.korea, self.cambodia):
            sides = ({}, {"then_by": "verification"}, {"by": "month"}, {"by": "condition"})
            answers.extend([await partner.get(COUNTS, params={**OF_KOREANS, **side, **as_of}) for side in sides])
            answers.append(await partner.get(COUNTS, params={**OF_KOREANS, **as_of}, headers={"Accept": "text/csv"}))
            answers.append(await partner.get(f"{COUNTS}.svg", params={**OF_KOREANS, **as_of}))
            answers.append(await partner.get(OFFICIAL, params={**as_of, "limit": "500"}))
            answers.append(await partner.get(COUNTS, params={"scope": "community", **as_of}))
        assert {answer.status_code for answer in answers} == {200}
        return [answer.content for answer in answers]


async def counted(partner: Partner, day: str) -> dict[str, tuple[int, int, int]]:
    told = (await partner.get(COUNTS, params={**OF_KOREANS, "as_of": day})).json()
    assert told["settled"] is True
    return {row["key"]: (row["reports"], row["confirmed"], row["unfounded"]) for row in told["items"]}


async def declared(partner: Partner, day: str) -> list[tuple[str, int | None]]:
    told = (await partner.get(COUNTS, params={**OF_KOREANS, "as_of": day})).json()
    return [(figure["period_from"], figure["value"]) for figure in told["declared"]]


async def test_as_of_two_dates(hub: Hub) -> None:
    hearing = Hearing(hub)
    korea, cambodia = hearing.korea, hearing.cambodia
    await hearing.report()
    locations = [await hearing.declare(figure) for figure in FIGURES[:-1]]
    days_pass(hub, 30)

    # The briefing of 2025; six reports prove true and one false, one is told twice, two come late.
    locations.append(await hearing.declare(FIGURES[-1]))
    for path in hearing.paths[-6:]:
        await step(korea, path, "verify", {"verification": "confirmed"})
    await step(korea, hearing.paths[-7], "verify", {"verification": "unfounded"})
    await korea.post(f"{hearing.paths[-9]}/merge", {"duplicate_of": hearing.paths[-10].rpartition("/")[2]})
    for _ in range(2):
        hearing.paths.append(await path_of(korea, "KH-CNP", victims=[HELD], reported_on="2025-09-01"))
    days_pass(hub, 10)
    today = days_pass(hub, 0)
    first, second = (_before(today, days) for days in (40, 10))

    assert await counted(korea, first) == {"2021": (4, 0, 0), "2023": (7, 0, 0), "2025": (24, 0, 0)}
    assert await counted(korea, second) == {"2021": (4, 0, 0), "2023": (7, 0, 0), "2025": (24, 6, 1)}
    assert await counted(cambodia, first) == {"2021": (3, 0, 0), "2023": (5, 0, 0), "2025": (18, 0, 0)}
    assert await declared(cambodia, first) == [("2021", 4), ("2022", 1), ("2023", 17), ("2024", None)]
    assert await declared(cambodia, second) == [*await declared(cambodia, first), ("2025-01", 330)]
    kept = {day: await hearing.asked(day) for day in (first, second)}

    # Afterwards everything is corrected: figures withdrawn, reports changed, parted, retracted, and many more told.
    for location in locations[2:]:
        assert (await korea.post(f"{location}/withdraw")).status_code == 204
    await hearing.declare({**FIGURES[2], "value": 21})
    assert (await korea.post(f"{hearing.paths[-11]}/unmerge")).status_code in (204, 409)
    for path in hearing.paths[:12]:
        assert (await korea.post(f"{path}/retract", etag="*")).status_code == 200
    moved = {"country": "LA", "subdivision": None, "victims": []}
    for path in hearing.paths[12:18]:
        assert (await korea.patch(path, moved, etag="*")).status_code == 200
    for path in hearing.paths[-4:]:
        await step(korea, path, "verify", {"verification": "unfounded"})
    await hearing.report()
    hearing.publish()

    for day in (first, second):
        assert await hearing.asked(day) == kept[day], day
    now = (await korea.get(COUNTS, params=OF_KOREANS)).json()
    assert now["total"]["reports"] not in (35, 34)
    assert [figure["value"] for figure in now["declared"]] == [4, 1, 21]


async def test_a_gap_is_drawn_as_a_gap_on_both_dates(hub: Hub) -> None:
    hearing = Hearing(hub)
    for figure in FIGURES:
        await hearing.declare(figure)
    day = days_pass(hub, 1)

    drawn = (await hearing.cambodia.get(f"{COUNTS}.svg", params={**OF_KOREANS, "as_of": day})).text

    assert "2024, declared by KR-KNPA: Koreans detained in Cambodia, reports: not reported" in drawn
    assert "2025, declared by KR-KNPA: Koreans detained in Cambodia, reports: 330 (Jan–Aug)" in drawn
    assert "2024, declared by KR-KNPA: Koreans detained in Cambodia, reports: 0" not in drawn


def _before(day: str, days: int) -> str:
    return (date.fromisoformat(day) - timedelta(days=days)).isoformat()
