"""Repatriations in numbers: how many, what became of them, and the days of each step; waiting is no step."""

from typing import Any

import pytest

from tests.conftest import Hub, Partner
from tests.routers.checking import SOMEBODY, settled
from tests.routers.entrance import below_policies
from tests.routers.past import days_pass, moment
from tests.routers.repatriating import (
    REMAINS,
    REQUESTED,
    REQUESTING,
    STRANGER,
    SUSPECT,
    add_person,
    cleared,
    draft,
    officer,
    stepped,
    submitted,
)

COUNTS = "/v1/statistics/repatriations"
Sides = tuple[Partner, Partner]


@pytest.fixture
def sides(hub: Hub) -> Sides:
    return officer(hub, REQUESTING), officer(hub, REQUESTED)


async def told(partner: Partner, **parameters: str) -> dict[str, Any]:
    answer = await partner.get(COUNTS, params=parameters)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def steps(body: dict[str, Any]) -> dict[tuple[str, str], tuple[int, float]]:
    return {(row["from_state"], row["to_state"]): (row["number"], row["median_days"]) for row in body["steps"]}


async def test_requests_are_counted_by_what_was_asked(sides: Sides) -> None:
    korea, cambodia = sides
    await cleared(korea, cambodia)
    await submitted(korea, **{**SUSPECT, "to_country": "CN"})
    held = await submitted(korea, **REMAINS)
    await stepped(cambodia, held, "hold")
    await draft(korea)

    async def requests(partner: Partner, **parameters: str) -> dict[str, int]:
        return {item["key"]: item["requests"] for item in (await told(partner, **parameters))["items"]}

    assert await requests(korea) == {"cleared": 1, "draft": 1, "on_hold": 1, "submitted": 1}
    assert await requests(cambodia) == {"cleared": 1, "on_hold": 1, "submitted": 1}
    assert await requests(cambodia, by="category") == {"remains": 1, "suspect": 1, "victim": 1}
    assert await requests(korea, by="legal_act", category="victim") == {"voluntary_repatriation": 2}
    assert await requests(cambodia, by="countries") == {"KH>CN": 1, "KH>KR": 2}
    assert await requests(cambodia, by="priority", to_country="CN", from_country="KH") == {"routine": 1}
    assert await requests(cambodia, legal_act="extradition") == {}
    total = (await told(cambodia))["total"]
    assert (total["key"], total["requests"], total["under_way"], total["on_hold"]) == (None, 3, 2, 1)


async def test_the_days_of_steps_are_those_of_who_took_them(hub: Hub, sides: Sides) -> None:
    korea, cambodia = sides
    ways = []
    for days in (1, 3, 11):
        path = await submitted(korea)
        days_pass(hub, days)
        await stepped(cambodia, path, "acknowledge")
        ways.append(path)
    waiting = await submitted(korea)

    body = await told(cambodia)

    (row,) = [row for row in body["steps"] if row["from_state"] == "submitted"]
    assert (row["to_state"], row["number"], row["median_days"], row["p90_days"]) == ("acknowledged", 3, 3.0, 9.4)
    assert (row["held"], row["held_median_days"]) == (0, None)
    assert (body["whole_way"]["number"], body["whole_way"]["median_days"]) == (0, None)
    days_pass(hub, 2)
    await stepped(cambodia, waiting, "decline")
    assert steps(await told(cambodia))["submitted", "declined"] == (1, 2.0)
    assert (await told(korea))["total"]["declined"] == 1


async def test_time_on_hold_stands_apart(hub: Hub, sides: Sides) -> None:
    korea, cambodia = sides
    path = await cleared(korea, cambodia)
    days_pass(hub, 2)
    await stepped(cambodia, path, "hold")
    days_pass(hub, 30)
    await stepped(cambodia, path, "resume")
    days_pass(hub, 3)
    await stepped(korea, path, "schedule")
    days_pass(hub, 1)
    await stepped(korea, path, "depart")
    await stepped(cambodia, path, "hand-over")

    body = await told(korea)

    (row,) = [row for row in body["steps"] if row["from_state"] == "cleared"]
    assert (row["to_state"], row["number"], row["median_days"]) == ("scheduled", 1, 5.0)
    assert (row["held"], row["held_median_days"], row["held_p90_days"]) == (1, 30.0, 30.0)
    whole = body["whole_way"]
    assert (whole["from_state"], whole["number"], whole["median_days"], whole["held_median_days"]) == (
        None,
        1,
        6.0,
        30.0,
    )
    assert "on_hold" not in {state for pair in steps(body) for state in pair}
    assert body["total"]["handed_over"] == 1


async def test_a_request_that_is_returned_goes_its_way_again(hub: Hub, sides: Sides) -> None:
    korea, cambodia = sides
    path = await cleared(korea, cambodia)
    days_pass(hub, 4)
    changed = await korea.patch(path, {"legal_act": "deportation", "category": "suspect"}, etag="*")
    assert (changed.status_code, changed.json()["state"]) == (200, "submitted"), changed.text
    days_pass(hub, 1)
    await stepped(cambodia, path, "acknowledge")

    found = steps(await told(korea))
    assert found["submitted", "acknowledged"] == (2, 0.5)
    assert found["cleared", "submitted"] == (1, 4.0)
    assert (await told(korea, category="victim"))["items"] == []


async def test_each_moment_keeps_its_numbers(hub: Hub, sides: Sides) -> None:
    korea, cambodia = sides
    kept = []
    path = await submitted(korea)
    await add_person(korea, path, SOMEBODY)
    await settled(korea, cambodia, path)
    for action in ("acknowledge", "accept", "clear"):
        days_pass(hub, 1)
        at = moment(hub)
        kept.append((days_pass(hub, 2), await told(cambodia, as_of=at), at))
        await stepped(cambodia, path, action)
    day = days_pass(hub, 1)
    before = await cambodia.get(COUNTS, params={"as_of": day})
    await stepped(korea, path, "withdraw")
    assert (await korea.post(f"{path}/retract", etag="*")).status_code == 200

    assert [body["items"][0]["key"] for _, body, _ in kept] == ["submitted", "acknowledged", "accepted"]
    assert before.json()["settled"] is True
    assert before.json()["total"]["requests"] == 1
    assert (await cambodia.get(COUNTS, params={"as_of": day})).content == before.content
    assert (await told(cambodia))["total"]["requests"] == 0


async def test_nobody_counts_steps_from_before_its_sight(hub: Hub, sides: Sides) -> None:
    korea, cambodia = sides
    vietnam = officer(hub, STRANGER)
    path = await cleared(korea, cambodia)
    days_pass(hub, 3)
    shared = await korea.post(f"{path}/disclosures", {"agencies": [STRANGER], "purpose": "Their citizen too."})
    assert shared.status_code == 201, shared.text

    body = await told(vietnam)
    assert ([item["key"] for item in body["items"]], body["steps"]) == (["cleared"], [])
    await stepped(korea, path, "schedule")
    assert [(row["from_state"], row["to_state"]) for row in (await told(vietnam))["steps"]] == [
        ("cleared", "scheduled")
    ]


async def test_a_hidden_request_changes_no_byte(hub: Hub, sides: Sides) -> None:
    korea, cambodia = sides
    await cleared(korea, cambodia)
    vietnam = officer(hub, STRANGER)
    day = days_pass(hub, 2)
    before = [(await partner.get(COUNTS, params={"as_of": day})).content for partner in (cambodia, vietnam)]
    await draft(korea)
    hub.register("TH-RTP")
    await submitted(korea, requested_agency="TH-RTP", from_country="TH")
    below_policies(
        hub,
        "UPDATE repatriation_history SET since = since - interval '9 days', until = until - interval '9 days'"
        " WHERE since > now() - interval '1 day'",
    )

    assert [(await partner.get(COUNTS, params={"as_of": day})).content for partner in (cambodia, vietnam)] == before


async def test_the_submission_narrows_and_a_table_is_rows(hub: Hub, sides: Sides) -> None:
    korea, cambodia = sides
    await cleared(korea, cambodia)
    day = days_pass(hub, 2)
    await submitted(korea)

    assert (await told(cambodia, until=day))["total"]["requests"] == 1
    assert (await told(cambodia, since=day))["total"]["requests"] == 2
    later = {"since": (await told(cambodia))["counted_at"][:10]}
    assert (await told(cambodia, **later))["total"]["requests"] == 1
    table = (await cambodia.get(COUNTS, params={"until": day}, headers={"Accept": "text/csv"})).text.splitlines()
    assert table[0] == "key,what,number,median_days,p90_days,held,held_median_days,held_p90_days"
    assert table[1] == ",requests,1,,,,,"
    assert "submitted>acknowledged,days,1,0.0,0.0,0,," in table
    assert (await hub.caller(REQUESTING, "liaison_officer").get(COUNTS)).status_code == 403
