"""Deconfliction over HTTP: who is in whose way, told to the two leads, and nothing else to anybody."""

import asyncio

import pytest

from tests.access.scene import unknown_id
from tests.conftest import Hub
from tests.routers.deconflicting import (
    CAMBODIA,
    EMAIL,
    FAR,
    KOREA,
    PHONE,
    SAID,
    VIETNAM,
    conflicts,
    leads,
    near,
    only_conflict,
    proposed,
    resolve,
    told,
    trail,
)
from tests.routers.operating import active, approve, draft, hours, move, moved, officer, read

HIDDEN = {"title": "Entry of the sixth agency", "codename": "Nightjar", "targets": []}


async def test_both_leads_learn_whom_to_call_and_nothing_of_the_plan(hub: Hub) -> None:
    korea, cambodia, _ = leads(hub)
    secret = await proposed(cambodia, **HIDDEN, area=near(0.01, radius_m=777))
    path = await proposed(korea, targets=[])
    answer = await korea.get(f"{path}/conflicts")
    (conflict,) = answer.json()["items"]
    assert conflict == {
        "id": conflict["id"],
        "kinds": ["event"],
        "severity": "serious",
        "state": "open",
        "from_check": False,
        "agency": CAMBODIA,
        "contact": {"phone": PHONE, "email": EMAIL},
        "own": None,
        "other": None,
        "override": None,
        "version": 1,
        "created_at": conflict["created_at"],
        "updated_at": conflict["updated_at"],
    }
    hidden = await read(cambodia, secret)
    for word in (hidden["id"], hidden["reference"], hidden["title"], "Nightjar", "777", hidden["window"]["starts_at"]):
        assert word not in answer.text
    theirs = await only_conflict(cambodia, secret)
    assert theirs == {**conflict, "agency": KOREA, "contact": {"phone": None, "email": None}}
    one = await korea.get(f"{path}/conflicts/{conflict['id']}")
    assert (one.json(), one.headers["ETag"]) == (conflict, '"1"')
    # The records themselves say nothing of it: neither version has changed.
    assert (await read(cambodia, secret))["version"] == hidden["version"]


async def test_only_the_leads_are_told(hub: Hub) -> None:
    korea, cambodia, vietnam = leads(hub)
    secret, path = await proposed(cambodia, **HIDDEN), await proposed(korea)
    for lead in (korea, cambodia):
        assert await told(lead) == ["conflict.opened"]
    assert await told(vietnam) == []
    assert trail(hub, KOREA) == [("conflict.open", True)]
    assert trail(hub, CAMBODIA) == [("conflict.open", False)]
    assert trail(hub, VIETNAM) == []
    conflict = (await only_conflict(korea, path))["id"]
    for below in (f"{path}/conflicts", f"{secret}/conflicts", f"{path}/conflicts/{conflict}"):
        assert (await vietnam.get(below)).status_code == 403
    assert (await vietnam.post(f"{path}/conflicts")).status_code == 403
    # Nor is one lead shown the other's side of it.
    assert (await korea.get(f"{secret}/conflicts/{conflict}")).status_code == 404


@pytest.mark.parametrize(
    ("fields", "kinds", "severity"),
    [
        ({"targets": []}, ["event"], "serious"),
        ({"targets": [], "area": near(0.04)}, ["event"], "advisory"),
        ({"targets": [], "window": {"starts_at": hours(50), "ends_at": hours(59)}}, ["event"], "advisory"),
        ({"area": near(5), "targets": [{"type": "place", "value": " BOKOR  mountain-site "}]}, ["target"], "serious"),
        ({"area": near(5), "targets": [{"type": "phone", "value": "+855 (23) 000-000"}]}, ["target"], "serious"),
        (
            {
                "area": near(5),
                "targets": [{"type": "phone", "value": "+85523000000"}],
                "window": {"starts_at": hours(900), "ends_at": hours(910)},
            },
            ["target"],
            "advisory",
        ),
        ({}, ["event", "target"], "serious"),
        (FAR, None, None),
        ({"area": near(5), "targets": [{"type": "messenger_account", "value": "+85523000000"}]}, None, None),
    ],
)
async def test_what_collides(hub: Hub, fields: dict[str, object], kinds: list[str] | None, severity: str) -> None:
    korea, cambodia, _ = leads(hub)
    await proposed(cambodia)
    found = await conflicts(korea, await proposed(korea, **fields))
    assert [(it["kinds"], it["severity"]) for it in found] == ([] if kinds is None else [(kinds, severity)])


async def test_a_polygon_and_an_own_operation_collide_too(hub: Hub) -> None:
    korea, _, _ = leads(hub)
    corners = [{"latitude": 10.6 + north, "longitude": 104.0 + east} for north, east in ((0, 0), (0, 0.1), (0.1, 0))]
    first = await proposed(korea, targets=[], area={"polygon": corners})
    second = await proposed(korea, targets=[])
    assert (await only_conflict(korea, first))["agency"] == KOREA == (await only_conflict(korea, second))["agency"]
    assert await told(korea) == ["conflict.opened"] * 2


async def test_no_place_is_too_exact(hub: Hub) -> None:
    korea, cambodia, _ = leads(hub)
    for lead, latitude in ((korea, 1e-200), (cambodia, -5e-324)):
        path = await proposed(lead, area={"center": {"latitude": latitude, "longitude": 180.0}, "radius_m": 500})
    assert (await only_conflict(cambodia, path))["severity"] == "serious"


async def test_two_proposed_in_the_same_moment_find_each_other(hub: Hub) -> None:
    korea, cambodia, vietnam = leads(hub)
    partners = (korea, cambodia, vietnam, officer(hub, "TH-RTP"))
    paths = [await draft(lead, KOREA if lead is not korea else CAMBODIA) for lead in partners]
    answers = await asyncio.gather(*(move(lead, path, "propose") for lead, path in zip(partners, paths, strict=True)))
    assert [answer.status_code for answer in answers] == [200] * 4
    for lead, path in zip(partners, paths, strict=True):
        assert {it["agency"] for it in await conflicts(lead, path)} == {it.agency for it in partners} - {lead.agency}


async def test_nothing_begins_into_an_open_serious_conflict(hub: Hub) -> None:
    korea, cambodia, vietnam = leads(hub)
    path = await proposed(korea)
    await approve(korea, vietnam, path=path)
    secret = await proposed(cambodia, **HIDDEN)
    refused = await move(korea, path, "activate")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/conflict-open")
    assert refused.json()["conflicts"] == [(await only_conflict(korea, path))["id"]]
    assert (await resolve(korea, path)).status_code == 200
    assert (await move(korea, path, "activate")).status_code == 409
    agreed = await resolve(cambodia, secret)
    assert agreed.json()["state"] == "resolved"
    assert (await moved(korea, path, "activate"))["state"] == "active"


async def test_nothing_is_resumed_into_one_either(hub: Hub) -> None:
    korea, cambodia, vietnam = leads(hub)
    path = await active(korea, vietnam)
    await moved(korea, path, "suspend", {"reason": "Fog."})
    await proposed(cambodia, **HIDDEN)
    assert (await move(korea, path, "resume")).json()["type"] == "/problems/conflict-open"
    assert (await resolve(korea, path, {**override()})).status_code == 200
    assert (await moved(korea, path, "resume"))["state"] == "active"


def override() -> dict[str, str]:
    return {"outcome": "proceed", "note": "We go in now.", "override": "Lives are at risk."}


async def test_an_advisory_conflict_stops_nobody(hub: Hub) -> None:
    korea, cambodia, vietnam = leads(hub)
    await proposed(cambodia, targets=[], area=near(0.04))
    path = await active(korea, vietnam, targets=[])
    assert (await only_conflict(korea, path))["severity"] == "advisory"


@pytest.mark.parametrize("end", ["cancel", "change", "complete"])
async def test_what_is_over_is_in_nobodys_way(hub: Hub, end: str) -> None:
    korea, cambodia, vietnam = leads(hub)
    secret = await active(cambodia, vietnam, targets=[])
    path = await proposed(korea)
    assert (await only_conflict(korea, path))["state"] == "open"
    if end == "change":
        await moved(cambodia, secret, "suspend", {"reason": "Fog."})
        changed = await cambodia.patch(secret, {"area": near(0.001)}, "*")
        assert changed.json()["state"] == "draft"
    else:
        await moved(cambodia, secret, end, {"reason": "No more."} if end == "cancel" else None)
    for lead, own in ((korea, path), (cambodia, secret)):
        assert (await only_conflict(lead, own))["state"] == "cleared"
        assert await told(lead) == ["conflict.opened", "conflict.cleared"]
    assert hub.look("SELECT count(*) FROM operation_claims") == [(1,)]
    conflict = await only_conflict(korea, path)
    assert (await korea.post(f"{path}/conflicts/{conflict['id']}/resolve", SAID, "*")).status_code == 409
    if end == "change":
        await moved(cambodia, secret, "propose")
        states = [it["state"] for it in await conflicts(korea, path)]
        assert states == ["open", "cleared"]


async def test_a_link_to_a_target_counts_from_the_moment_it_is_made(hub: Hub) -> None:
    korea, cambodia, _ = leads(hub)
    profile = await hub.caller(KOREA, "analyst").profile(handling={"tlp": "GREEN", "audience": {"community": True}})
    target = {"type": "target", "kind": "criminal-organizations", "id": profile["id"]}
    secret = await proposed(cambodia, **{**HIDDEN, **FAR}, links=[target])
    path = await proposed(korea, targets=[])
    assert await conflicts(korea, path) == []
    made = await korea.post(f"{path}/links", target)
    assert made.status_code == 201, made.text
    assert [(it["kinds"], it["state"]) for it in await conflicts(korea, path)] == [(["target"], "open")]
    unrelated = await korea.post(f"{path}/links", {**target, "type": "related_to"})
    assert unrelated.status_code == 201
    assert (await korea.call("DELETE", made.headers["Location"])).status_code == 204
    assert (await only_conflict(cambodia, secret))["state"] == "cleared"


async def test_filters_pages_and_csv(hub: Hub) -> None:
    korea, cambodia, vietnam = leads(hub)
    path = await proposed(korea, targets=[])
    await proposed(cambodia, targets=[])
    await proposed(vietnam, KOREA, targets=[], area=near(0.04))
    assert [it["agency"] for it in await conflicts(korea, path)] == [VIETNAM, CAMBODIA]
    assert [it["agency"] for it in await conflicts(korea, path, severity="serious")] == [CAMBODIA]
    assert await conflicts(korea, path, state="resolved") == []
    first = await korea.get(f"{path}/conflicts", params={"limit": 1})
    second = await korea.get(f"{path}/conflicts", params={"limit": 1, "cursor": first.json()["next_cursor"]})
    assert [answer.json()["items"][0]["agency"] for answer in (first, second)] == [VIETNAM, CAMBODIA]
    assert second.json()["next_cursor"] is None
    table = await korea.get(f"{path}/conflicts", headers={"Accept": "text/csv"})
    assert table.text.count(CAMBODIA) == 1


async def test_who_may_not_gets_what_there_never_was(hub: Hub) -> None:
    korea, cambodia, _ = leads(hub)
    path = await proposed(korea)
    await proposed(cambodia, **HIDDEN)
    conflict = (await only_conflict(korea, path))["id"]
    stranger, analyst = officer(hub, "TH-RTP"), hub.caller(KOREA, "analyst")
    for method, below in (("GET", ""), ("POST", ""), ("GET", f"/{conflict}"), ("POST", f"/{conflict}/resolve")):
        for partner in (stranger, cambodia):
            assert (await partner.call(method, f"{path}/conflicts{below}")).status_code == 404
        assert (await analyst.call(method, f"{path}/conflicts{below}")).status_code == 403
        assert (await korea.call(method, f"{path.replace(path[-12:], '0' * 12)}/conflicts{below}")).status_code == 404
    elsewhere = await proposed(korea, **FAR)
    assert (await korea.get(f"{elsewhere}/conflicts/{conflict}")).status_code == 404
    for below in (unknown_id(), "nonsense"):
        assert (await korea.get(f"{path}/conflicts/{below}")).status_code == 404
        assert (await korea.post(f"{path}/conflicts/{below}/resolve", {}, "*")).status_code == 404
    hub.operator("UPDATE credentials SET status = 'revoked', revoked_at = now() WHERE client_id = %s", korea.client_id)
    assert (await korea.get(f"{path}/conflicts")).status_code == 401
