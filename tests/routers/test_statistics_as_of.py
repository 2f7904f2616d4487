"""What was known at a moment stays what was known then, whatever is corrected, merged, retracted or withdrawn later."""

from datetime import date, timedelta
from typing import Any

import pytest

from tests.conftest import Hub, Partner
from tests.records.retaining import purge
from tests.routers.entrance import below_policies
from tests.routers.incidents import HELD, path_of, report, step
from tests.routers.past import days_pass, end_of, moment

COUNTS, FIGURES = "/v1/statistics/incident-reports", "/v1/statistics/figures"
DETAINED = {"victims": [HELD]}


async def told(partner: Partner, **parameters: str) -> dict[str, Any]:
    answer = await partner.get(COUNTS, params=parameters)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def total(partner: Partner, as_of: str | None = None, **parameters: str) -> tuple[int, int, int, int]:
    asked = parameters if as_of is None else {**parameters, "as_of": as_of}
    counts = (await told(partner, **asked))["total"]
    return tuple(counts[name] for name in ("reports", "confirmed", "unfounded", "victims"))  # type: ignore[return-value]


@pytest.fixture
def korea(hub: Hub) -> Partner:
    return hub.partner("KR-KNPA", "analyst", "commander")


async def test_each_moment_keeps_its_numbers(hub: Hub, korea: Partner) -> None:
    cambodia = hub.partner("KH-CNP")
    moments: list[tuple[str, dict[str, Any]]] = []

    async def remember() -> None:
        at = moment(hub)
        now = await told(cambodia, by="country", then_by="condition")
        assert now["as_of"] is None
        moments.append((at, {name: now[name] for name in ("total", "items")}))

    await remember()
    first, second = [await path_of(korea, "KH-CNP", **DETAINED) for _ in range(2)]
    await remember()
    await step(korea, first, "verify", {"verification": "confirmed"})
    await remember()
    changed = await korea.patch(first, {"country": "LA", "subdivision": None}, etag='"2"')
    assert changed.status_code == 200, changed.text
    await remember()
    await korea.post(f"{second}/merge", {"duplicate_of": first.rpartition("/")[2]})
    await remember()
    await korea.post(f"{second}/unmerge")
    await remember()
    await korea.put(f"{first}/handling", {"tlp": "GREEN", "audience": {"agencies": ["KH-CNP"]}}, etag='"1"')
    await step(korea, second, "verify", {"verification": "unfounded"})
    await remember()
    assert (await korea.post(f"{first}/retract", etag="*")).status_code == 200
    await remember()

    assert [counts["total"]["reports"] for _, counts in moments] == [0, 2, 2, 2, 1, 2, 1, 0]
    for at, counts in moments:
        again = await told(cambodia, by="country", then_by="condition", as_of=at)
        assert {name: again[name] for name in ("total", "items")} == counts, at
        assert again["as_of"] == again["counted_at"] == at


async def test_an_answer_that_is_settled_never_changes_by_a_byte(hub: Hub, korea: Partner) -> None:
    cambodia = hub.partner("KH-CNP")
    path = await path_of(korea, "KH-CNP", **DETAINED)
    today = (await told(cambodia, as_of=days_pass(hub, 0)))["settled"]
    day = days_pass(hub, 3)
    asked = {"as_of": day, "by": "month", "country": "KH"}
    before = await cambodia.get(COUNTS, params=asked)
    await step(korea, path, "verify", {"verification": "unfounded"})
    await korea.post(f"{path}/retract", etag="*")
    await report(korea, "KH-CNP", **DETAINED)

    after = await cambodia.get(COUNTS, params=asked)

    assert (after.content, before.json()["total"]["reports"]) == (before.content, 1)
    assert (today, before.json()["settled"], before.json()["counted_at"]) == (False, True, end_of(day))
    drawn = [(await cambodia.get(f"{COUNTS}.svg", params={"as_of": day})).content for _ in range(2)]
    assert drawn[0] == drawn[1]
    table = await cambodia.get(COUNTS, params=asked, headers={"Accept": "text/csv"})
    assert table.text.splitlines() == ["key,then,reports,confirmed,unfounded,victims", "2025-08,,1,0,0,1"]


async def test_nobody_counts_what_it_did_not_see_then(hub: Hub, korea: Partner) -> None:
    cambodia, thailand = hub.partner("KH-CNP"), hub.partner("TH-RTP")
    path = await path_of(korea, "KH-CNP", **DETAINED)
    await korea.patch(path, {"country": "LA", "subdivision": None}, etag='"1"')
    days_pass(hub, 5)
    shared = await korea.post(f"{path}/disclosures", {"agencies": ["TH-RTP"], "purpose": "A case of theirs."})
    assert shared.status_code == 201, shared.text
    later = days_pass(hub, 2)
    earlier = (date.fromisoformat(later) - timedelta(days=5)).isoformat()

    assert await total(cambodia, earlier) == await total(cambodia, later) == (1, 0, 0, 1)
    assert await total(thailand, earlier) == (0, 0, 0, 0)
    assert await total(thailand, later) == (1, 0, 0, 1)
    # Whoever is shut out now counts nothing of any day.
    shut = {"tlp": "AMBER", "audience": {"agencies": ["KH-CNP"], "excluded": ["TH-RTP"]}}
    etag = (await korea.get(f"{path}/handling")).headers["ETag"]
    assert (await korea.put(f"{path}/handling", shut, etag=etag)).status_code == 200
    assert await total(thailand, later) == (0, 0, 0, 0)


async def test_a_group_and_its_tombstone_keep_the_past(hub: Hub, korea: Partner) -> None:
    cambodia, thailand = hub.partner("KH-CNP"), hub.partner("TH-RTP")
    founder = hub.caller("KR-KNPA", "commander")
    body = {"kind": "council", "name": "Council", "members": [{"agency": "KH-CNP"}]}
    group = (await founder.post("/v1/groups", body)).headers["Location"]
    await hub.caller("KH-CNP", "commander").accept(group)
    handling = {"tlp": "GREEN", "audience": {"groups": [group.rpartition("/")[2]]}}
    path = await path_of(korea, handling=handling, **DETAINED)
    day = days_pass(hub, 4)
    assert (await korea.post(f"{path}/retract", etag="*")).status_code == 200

    assert await total(cambodia, day) == (1, 0, 0, 1)
    assert await total(cambodia) == (0, 0, 0, 0)
    assert await total(thailand, day) == (0, 0, 0, 0)


async def test_a_caveat_covers_the_past_too(hub: Hub, korea: Partner) -> None:
    cambodia, thailand = hub.partner("KH-CNP"), hub.partner("TH-RTP")
    covered = {
        "tlp": "AMBER",
        "codes": ["H3"],
        "caveat": "Ask.",
        "audience": {"agencies": ["KH-CNP", "TH-RTP"]},
    }
    path = await path_of(korea, handling=covered, **DETAINED)
    day = days_pass(hub, 1)
    await cambodia.post(f"{path}/handling/acknowledge", {"caveat": "Ask."})
    assert [await total(partner, day) for partner in (cambodia, thailand)] == [(1, 0, 0, 1), (0, 0, 0, 0)]
    assert (await korea.post(f"{path}/retract", etag="*")).status_code == 200
    # A tombstone covers nothing, but what it was stays covered.
    assert [await total(partner, day) for partner in (cambodia, thailand)] == [(1, 0, 0, 1), (0, 0, 0, 0)]


async def test_a_purge_takes_the_past_along(hub: Hub, korea: Partner) -> None:
    path = await path_of(korea, **DETAINED)
    other = await path_of(korea, **DETAINED)
    await korea.post(f"{other}/merge", {"duplicate_of": path.rpartition("/")[2]})
    day = days_pass(hub, 1)
    assert await total(korea, day) == (1, 0, 0, 1)
    await purge(hub, path.rpartition("/")[2], other.rpartition("/")[2])

    assert await total(korea, day) == (0, 0, 0, 0)
    for table in ("incident_history", "incident_merges", "former_sights"):
        assert hub.look(f"TABLE {table}") == []


async def test_a_hidden_report_changes_no_byte(hub: Hub, korea: Partner) -> None:
    cambodia = hub.partner("KH-CNP")
    await path_of(korea, "KH-CNP", **DETAINED)
    day = days_pass(hub, 2)
    paths = (COUNTS, f"{COUNTS}.svg")
    before = [(await cambodia.get(path, params={"as_of": day})).content for path in paths]
    hidden = await path_of(korea, **DETAINED)
    seen = (await korea.get("/v1/incident-reports")).json()["items"][-1]["id"]
    await korea.post(f"{hidden}/merge", {"duplicate_of": seen})
    below_policies(hub, "UPDATE incident_history SET since = since - interval '30 days'")
    below_policies(hub, "UPDATE incident_merges SET since = since - interval '30 days'")

    assert [(await cambodia.get(path, params={"as_of": day})).content for path in paths] == before


@pytest.mark.parametrize(
    "as_of", ["2999-01-01", "2999-01-01T00:00:00Z", "2025", "2025-02-30", "2025-02-03T10:00:00", ""]
)
async def test_what_is_no_day_that_has_begun_is_refused(korea: Partner, as_of: str) -> None:
    for path in (COUNTS, f"{COUNTS}.svg", FIGURES, "/v1/statistics/repatriations"):
        refused = await korea.get(path, params={"as_of": as_of})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "/query/as_of"), refused.text


async def test_figures_stand_as_they_stood(hub: Hub, korea: Partner) -> None:
    def figure(value: int) -> dict[str, Any]:
        return {
            "series": "Koreans detained in Cambodia, reports",
            "country": "KH",
            "period_from": "2023",
            "period_to": "2023",
            "value": value,
            "source": "Briefing",
            "published_on": "2025-10-16",
        }

    path = (await korea.post(FIGURES, figure(16))).headers["Location"]
    first = days_pass(hub, 3)
    before = await korea.get(FIGURES, params={"as_of": first})
    assert (await korea.post(f"{path}/withdraw")).status_code == 204
    await korea.post(FIGURES, figure(17))

    assert [row["value"] for row in before.json()["items"]] == [16]
    assert (await korea.get(FIGURES, params={"as_of": first})).json() == before.json()
    assert [row["value"] for row in (await korea.get(FIGURES)).json()["items"]] == [17]
    for as_of, values in ((first, [16]), (moment(hub), [17])):
        declared = (await told(korea, country="KH", as_of=as_of))["declared"]
        assert [row["value"] for row in declared] == values
