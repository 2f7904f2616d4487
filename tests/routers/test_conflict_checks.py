"""Asking before proposing: told to the other side, counted, and no way to feel for others' operations."""

import pytest

from tests.conftest import Hub
from tests.routers.deconflicting import (
    CAMBODIA,
    FAR,
    KOREA,
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
from tests.routers.entrance import below_policies
from tests.routers.operating import PATH, active, approve, draft, hours, move, moved, plan


async def test_a_check_of_a_draft_tells_both_sides(hub: Hub) -> None:
    korea, cambodia, _ = leads(hub)
    secret = await proposed(cambodia, targets=[])
    path = await draft(korea, VIETNAM)
    answer = await korea.post(f"{path}/conflicts")
    assert answer.status_code == 200, answer.text
    check = answer.json()
    assert (check["found"], check["conflicts"]) == (1, await conflicts(korea, path))
    theirs = await only_conflict(cambodia, secret)
    assert (theirs["from_check"], theirs["severity"], theirs["agency"]) == (True, "serious", KOREA)
    assert await told(cambodia) == ["conflict.opened"] == await told(korea)
    assert trail(hub, KOREA) == [("conflict.open", True), ("conflict.check", True)]
    assert trail(hub, CAMBODIA) == [("conflict.open", False)]
    again = await korea.post(f"{path}/conflicts")
    assert again.json()["conflicts"] == check["conflicts"]
    assert await told(cambodia) == ["conflict.opened"]


async def test_a_draft_stops_nobody(hub: Hub) -> None:
    korea, cambodia, vietnam = leads(hub)
    path = await proposed(cambodia)
    await approve(cambodia, vietnam, path=path)
    asked = await draft(korea, VIETNAM)
    assert (await korea.post(f"{asked}/conflicts")).json()["found"] == 1
    assert (await moved(cambodia, path, "activate"))["state"] == "active"
    # It does once it is proposed: then the two are in each other's way for real.
    await moved(korea, asked, "propose")
    assert (await only_conflict(korea, asked))["from_check"] is False
    assert await told(cambodia) == ["conflict.opened", "conflict.changed"]
    await moved(cambodia, path, "suspend", {"reason": "Fog."})
    assert (await move(cambodia, path, "resume")).json()["type"] == "/problems/conflict-open"


async def test_what_a_check_found_stands_until_it_asks_again_or_is_over(hub: Hub) -> None:
    korea, cambodia, _ = leads(hub)
    secret = await proposed(cambodia, targets=[])
    path = await draft(korea, VIETNAM)
    await korea.post(f"{path}/conflicts")
    # The other side's own check finds nothing live there, and leaves it.
    assert (await cambodia.post(f"{secret}/conflicts")).json()["found"] == 1
    assert (await korea.patch(path, {"area": near(5)}, "*")).status_code == 200
    assert (await only_conflict(cambodia, secret))["state"] == "open"
    assert (await korea.post(f"{path}/conflicts")).json() | {"id": 0, "at": 0} == {
        "id": 0,
        "at": 0,
        "found": 0,
        "conflicts": [],
    }
    assert (await only_conflict(cambodia, secret))["state"] == "cleared"
    await korea.patch(path, {"area": near()}, "*")
    await korea.post(f"{path}/conflicts")
    await moved(korea, path, "cancel", {"reason": "No more."})
    assert [it["state"] for it in await conflicts(cambodia, secret)] == ["cleared"] * 2


async def test_two_drafts_are_in_nobodys_way(hub: Hub) -> None:
    korea, cambodia, _ = leads(hub)
    await draft(cambodia, VIETNAM)
    path = await draft(korea, VIETNAM)
    assert (await korea.post(f"{path}/conflicts")).json()["found"] == 0
    assert await told(cambodia) == []


async def test_a_live_operation_can_be_checked_too_and_one_that_is_over_cannot(hub: Hub) -> None:
    korea, cambodia, vietnam = leads(hub)
    await proposed(cambodia, targets=[])
    path = await proposed(korea)
    assert (await korea.post(f"{path}/conflicts")).json()["conflicts"] == await conflicts(korea, path)
    assert (await only_conflict(korea, path))["version"] == 1
    await moved(korea, path, "cancel", {"reason": "No more."})
    assert (await korea.post(f"{path}/conflicts")).status_code == 409
    assert (await korea.post(f"{path}/retract", etag="*")).status_code == 200
    assert (await korea.post(f"{path}/conflicts")).json()["type"] == "/problems/retracted"
    assert [it["state"] for it in await conflicts(korea, path)] == ["cleared"]
    assert (await active(korea, vietnam, **FAR)).startswith(PATH)


async def test_a_plan_without_window_and_area_has_nothing_to_compare(hub: Hub) -> None:
    korea, _, _ = leads(hub)
    path = (await korea.post(PATH, {"title": "Nothing yet"})).headers["Location"]
    assert (await korea.post(f"{path}/conflicts")).status_code == 409


async def test_checks_are_limited_by_the_agency_own_calls_alone(hub: Hub) -> None:
    korea, cambodia, _ = leads(hub)
    path, theirs = await draft(korea, VIETNAM), await draft(cambodia, VIETNAM)
    same = {"Idempotency-Key": "again"}
    first = await korea.post(f"{path}/conflicts", headers=same)
    for _ in range(19):
        assert (await korea.post(f"{path}/conflicts")).status_code == 200
    refused = await korea.post(f"{path}/conflicts")
    assert (refused.status_code, refused.json()["type"]) == (429, "/problems/deconfliction-limit")
    assert 86_000 < int(refused.headers["Retry-After"]) <= 86_400
    # A repeated call asks nothing anew; another agency has its own; proposing is another limit.
    repeated = await korea.post(f"{path}/conflicts", headers=same)
    assert (repeated.status_code, repeated.json()) == (200, first.json())
    assert repeated.headers["Idempotency-Replayed"] == "true"
    assert (await cambodia.post(f"{theirs}/conflicts")).status_code == 200
    await moved(korea, path, "propose")
    assert hub.look(
        "SELECT count(*) FROM audit_entries WHERE agency = %s AND outcome = 'deconfliction-limit'", KOREA
    ) == [(1,)]
    below_policies(hub, "UPDATE deconfliction_runs SET at = at - interval '24 hours'")
    assert (await korea.post(f"{path}/conflicts")).status_code == 200


async def test_proposing_and_linking_again_and_again_is_limited_too(hub: Hub) -> None:
    korea, _, _ = leads(hub)
    path = await proposed(korea)
    below_policies(
        hub,
        "INSERT INTO deconfliction_runs (agency, record_id, is_check, found, versions, at)"
        " SELECT agency, record_id, false, '{}', '{}', at FROM deconfliction_runs, generate_series(2, 60)",
    )
    profile = await hub.caller(KOREA, "analyst").profile()
    linked = await korea.post(
        f"{path}/links", {"type": "target", "kind": "criminal-organizations", "id": profile["id"]}
    )
    assert (linked.status_code, linked.json()["type"]) == (429, "/problems/deconfliction-limit")
    assert (await korea.get(f"{path}/links")).json()["items"] == []
    other = await draft(korea, VIETNAM)
    assert (await move(korea, other, "propose")).status_code == 429
    assert (await korea.get(other)).json()["state"] == "draft"
    # What claims nothing else goes on.
    await moved(korea, path, "cancel", {"reason": "No more."})


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"window": {"starts_at": hours(24), "ends_at": hours(24.9)}}, "window-too-short"),
        ({"window": {"starts_at": hours(24), "ends_at": hours(24 + 24 * 91)}}, "window-too-long"),
        ({"area": near(radius_m=499)}, "area-too-small"),
        ({"area": near(radius_m=50_001)}, "area-too-large"),
    ],
)
async def test_a_plan_is_drawn_neither_too_small_nor_too_large(hub: Hub, fields: dict[str, object], code: str) -> None:
    korea, _, _ = leads(hub)
    answer = await korea.post(PATH, plan(VIETNAM, **fields))
    assert [flaw["code"] for flaw in answer.json()["errors"]] == [code]
    path = await draft(korea, VIETNAM)
    patched = await korea.patch(path, fields, "*")
    assert [flaw["code"] for flaw in patched.json()["errors"]] == [code]


async def test_a_repeated_check_answers_what_it_found_then(hub: Hub) -> None:
    korea, cambodia, _ = leads(hub)
    secret = await proposed(cambodia, targets=[])
    path = await draft(korea, VIETNAM)
    same = {"Idempotency-Key": "again"}
    first = await korea.post(f"{path}/conflicts", headers=same)
    await resolve(cambodia, secret)
    assert (await only_conflict(korea, path))["version"] == 2
    assert (await korea.post(f"{path}/conflicts", headers=same)).json() == first.json()
