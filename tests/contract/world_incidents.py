"""The incident reports that the examples are about."""

from typing import Any

from tests.contract.world import World, documented_id
from tests.contract.world_kinds import Kind, build_kind

PATH = "/v1/incident-reports"
SHARED = {"tlp": "AMBER", "codes": ["H2"], "audience": {"agencies": ["KH-CNP"], "excluded": ["TH-RTP"]}}
HELD = {"nationality": "KR", "age_band": "25_34", "sex": "male", "condition": "detained", "recruited_via": "job_board"}


def named(title: str) -> dict[str, Any]:
    """The least that a report says."""
    return {
        "title": title,
        "types": ["employment_scam"],
        "reported_on": "2025-06-02",
        "reported_by": "police",
        "country": "KH",
    }


REPORT: dict[str, Any] = {
    "title": "Translator held near Bokor",
    "types": ["kidnapping", "employment_scam"],
    "occurred_from": "2025-07-28",
    "reported_on": "2025-08-03",
    "reported_by": "family",
    "country": "KH",
    "subdivision": "KH-7",
    "place": "Bokor mountain",
    "coordinates": {"latitude": 10.63, "longitude": 104.03},
    "victims": [HELD],
    "demand": {"amount": "30000", "currency": "USD"},
    "trafficking": {
        "acts": ["recruitment", "harbouring"],
        "means": ["deception", "force"],
        "purposes": ["forced_criminality"],
    },
    "narrative": "He answered an offer of work, was flown in, and called his sister at night from a locked room.",
    "external_id": "2025-0811",
    "handling": SHARED,
}
DOUBLE: dict[str, Any] = {
    "title": "Foreigner held above the old road",
    "types": ["illegal_detention"],
    "occurred_from": "2025-07",
    "reported_on": "2025-08-05",
    "reported_by": "ngo",
    "country": "KH",
    "subdivision": "KH-7",
    "place": "Above the old road, Bokor mountain",
    "victims": [{**HELD, "condition": "missing"}],
    "demand": {"amount": "31000", "currency": "USD"},
    "handling": {"tlp": "AMBER", "audience": {"agencies": ["KR-KNPA"]}},
}


async def build(world: World) -> None:
    """Make an urgent report and its double, and reports that have come to every state."""
    await build_kind(world, Kind("incident-reports", "analyst", named, 290))
    korea, cambodia = world.caller("KR-KNPA analyst"), world.caller("KH-CNP analyst")
    urgent = f"{PATH}/{world.name(303, await korea.post(PATH, REPORT))}"
    called = (await korea.get(f"{urgent}/acknowledgements")).json()["items"]
    world.names[documented_id(304)] = called[0]["id"]
    double = world.name(305, await cambodia.post(PATH, DOUBLE))
    steps = ("investigate", "locate", "close")
    for number, taken in enumerate((steps[:1], steps[:2], steps), 306):
        path = f"{PATH}/{world.name(number, await korea.post(PATH, named(f'Report {number}')))}"
        for version, step in enumerate(taken, 1):
            moved = await korea.post(f"{path}/{step}", etag=f'"{version}"')
            assert moved.status_code == 200, moved.text
    await _declare(world)
    merged = f"{PATH}/{world.name(309, await korea.post(PATH, named('Told twice')))}"
    world.name(310, await korea.post(f"{merged}/merge", {"duplicate_of": double, "note": "The same passport."}))


async def _declare(world: World) -> None:
    commander = world.caller("KR-KNPA commander")
    official = [("2021", "2021", 4), ("2022", "2022", 1), ("2023", "2023", 17), ("2024", "2024", None)]
    for number, (since, until, value) in enumerate([*official, ("2025-01", "2025-08", 330)], 311):
        figure = {
            "series": "Koreans detained in Cambodia, reports",
            "country": "KH",
            "nationality": "KR",
            "period_from": since,
            "period_to": until,
            "value": value,
            "source": "Police briefing",
            "published_on": "2025-10-16",
        }
        world.name(number, await commander.post("/v1/statistics/figures", figure))
