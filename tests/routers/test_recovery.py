"""Recovery over HTTP: a day's notice, told to the agency, cancelled by any of its administrators."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import Hub, Partner
from tests.routers.entrance import admit, below_policies, grant, key_of, platform_admin

PATH = "/v1/agencies/KR-KNPA/recovery"
WANTED = {"label": "recovered by the hub"}


@pytest.fixture
async def root(hub: Hub) -> Partner:
    return await platform_admin(hub)


@pytest.fixture
async def admin(root: Partner) -> Partner:
    return await admit(root, "KR-KNPA")


def a_day_passes(hub: Hub) -> None:
    day = timedelta(hours=24, seconds=1)
    statement = "UPDATE recoveries SET requested_at = requested_at - %s, effective_at = effective_at - %s"
    below_policies(hub, statement, day, day)


def told(hub: Hub) -> list[Any]:
    statement = "SELECT type FROM events WHERE type LIKE %s AND audience = '{KR-KNPA}' AND kind IS NULL ORDER BY at"
    return [row[0] for row in hub.look(statement, "recovery.%")]


async def request(root: Partner) -> str:
    answer = await root.post(PATH, WANTED)
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["id"]
    return found


async def test_a_recovery_waits_a_day_then_issues_an_administrator(hub: Hub, root: Partner, admin: Partner) -> None:
    once = {"Idempotency-Key": "a"}
    asked = await root.post(PATH, WANTED, headers=once)
    recovery = asked.json()["id"]
    assert asked.json()["state"] == "pending"
    assert [each["id"] for each in (await admin.get(PATH)).json()["items"]] == [recovery]

    assert (await root.post(f"{PATH}/{recovery}/complete", etag="*")).status_code == 409
    a_day_passes(hub)
    completed = await root.post(f"{PATH}/{recovery}/complete", etag="*", headers=once)

    assert completed.status_code == 201, completed.text
    assert completed.json()["roles"] == ["agency_admin"]
    fresh = await key_of(hub, completed).sign_in()
    assert (await fresh.post(f"/v1/agencies/KR-KNPA/credentials/{admin.client_id}/revoke", etag="*")).status_code == 200
    again = await root.post(f"{PATH}/{recovery}/complete", etag="*", headers=once)
    assert again.json() == completed.json() | {"client_secret": None}
    assert (await root.post(f"{PATH}/{recovery}/complete", etag="*")).status_code == 409
    assert (await fresh.post(f"{PATH}/{recovery}/cancel", etag="*")).status_code == 409
    (listed,) = (await fresh.get(PATH)).json()["items"]
    assert (listed["state"], listed["completed_with"]) == ("completed", fresh.client_id)
    assert (await root.post(PATH, WANTED, headers=once)).json()["state"] == "pending", "a repeat answers what was made"
    assert told(hub) == ["recovery.requested", "recovery.completed"]
    for agency in ("HUB", "KR-KNPA"):
        actions = hub.look(
            "SELECT action FROM audit_entries WHERE agency = %s AND action LIKE 'recovery.%%' AND outcome = 'done'"
            " AND action <> 'recovery.list' ORDER BY at",
            agency,
        )
        assert [row[0] for row in actions] == ["recovery.request", "recovery.complete"]


async def test_any_administrator_of_the_agency_cancels(hub: Hub, root: Partner, admin: Partner) -> None:
    second = await (await grant(admin, "agency_admin")).sign_in()
    recovery = await request(root)
    cancelled = await second.post(f"{PATH}/{recovery}/cancel", etag="*")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert cancelled.json()["decided_by"] == second.client_id
    a_day_passes(hub)
    assert (await root.post(f"{PATH}/{recovery}/complete", etag="*")).status_code == 409
    assert (await admin.post(f"{PATH}/{recovery}/cancel", etag="*")).status_code == 409
    assert told(hub) == ["recovery.requested", "recovery.cancelled"]
    assert await request(root) != recovery


async def test_a_decision_needs_the_version_that_the_list_shows(hub: Hub, root: Partner, admin: Partner) -> None:
    recovery = await request(root)
    a_day_passes(hub)
    ((listed,), tag) = (await admin.get(PATH)).json()["items"], '"1"'
    assert f'"{listed["version"]}"' == tag
    for caller, move in ((admin, "cancel"), (root, "complete")):
        assert (await caller.post(f"{PATH}/{recovery}/{move}")).status_code == 428
        assert (await caller.post(f"{PATH}/{recovery}/{move}", etag='"2"')).status_code == 412
    assert (await admin.get(PATH)).json()["items"] == [listed], "what is refused decides nothing"
    cancelled = await admin.post(f"{PATH}/{recovery}/cancel", etag=tag)
    assert (cancelled.status_code, cancelled.headers["ETag"], cancelled.json()["version"]) == (200, '"2"', 2)
    assert (await root.post(f"{PATH}/{recovery}/complete", etag=tag)).status_code == 412


async def test_the_agency_is_told_the_moment_it_takes_effect_as_the_answer_writes_it(hub: Hub, root: Partner) -> None:
    await admit(root, "KR-KNPA")
    asked = await root.post(PATH, WANTED)
    ((told_at,),) = hub.look("SELECT data ->> 'effective_at' FROM events WHERE type = 'recovery.requested'")
    assert told_at == asked.json()["effective_at"]


async def test_it_can_be_cancelled_until_it_is_completed(hub: Hub, root: Partner, admin: Partner) -> None:
    recovery = await request(root)
    a_day_passes(hub)
    answers = await asyncio.gather(
        root.post(f"{PATH}/{recovery}/complete", etag="*"), admin.post(f"{PATH}/{recovery}/cancel", etag="*")
    )
    assert sorted(answer.status_code for answer in answers) in ([200, 409], [201, 409])


@pytest.mark.usefixtures("admin")
async def test_nothing_that_keeps_administrators_out_lets_a_recovery_come_due(hub: Hub, root: Partner) -> None:
    for keep_out in ("suspend", "revoke-all"):
        recovery = await request(root)
        assert (await root.post(f"/v1/agencies/KR-KNPA/{keep_out}", etag="*")).status_code == 200
        a_day_passes(hub)
        assert (await root.post(f"{PATH}/{recovery}/complete", etag="*")).status_code == 409
        if keep_out == "suspend":
            assert (await root.post(PATH, WANTED)).status_code == 409
            assert (await root.post("/v1/agencies/KR-KNPA/reinstate", etag="*")).status_code == 200


@pytest.mark.usefixtures("admin")
async def test_one_at_a_time_and_only_where_there_was_an_administrator(hub: Hub, root: Partner) -> None:
    await request(root)
    assert (await root.post(PATH, WANTED)).status_code == 409
    hub.register("TH-RTP")
    assert (await root.post("/v1/agencies/TH-RTP/recovery", WANTED)).status_code == 409
    assert (await root.post("/v1/agencies/HUB/recovery", WANTED)).status_code == 403
    assert (await root.post("/v1/agencies/XX-NONE/recovery", WANTED)).status_code == 404
    assert (
        await root.post("/v1/agencies/TH-RTP/recovery", {"label": "x", "effective_at": "2020-01-01"})
    ).status_code == 422


async def test_nobody_else_asks_sees_cancels_or_completes(root: Partner, admin: Partner) -> None:
    thailand = await admit(root, "TH-RTP")
    analyst = await (await grant(admin, "analyst", "commander", "auditor")).sign_in()
    recovery = await request(root)
    for caller, expected in ((admin, 403), (analyst, 403), (thailand, 404)):
        assert (await caller.post(PATH, WANTED)).status_code == expected
        assert (await caller.post(f"{PATH}/{recovery}/complete", etag="*")).status_code == expected
    for caller, expected in ((analyst, 403), (thailand, 404)):
        assert (await caller.get(PATH)).status_code == expected
        assert (await caller.post(f"{PATH}/{recovery}/cancel", etag="*")).status_code == expected
    theirs = f"/v1/agencies/TH-RTP/recovery/{recovery}"
    for caller in (thailand, root):
        assert (await caller.post(f"{theirs}/cancel", etag="*")).status_code == 404
    assert (await root.post(f"{theirs}/complete", etag="*")).status_code == 404
    for wrong in ("x", "00000000-0000-7000-8000-000000000000"):
        assert (await admin.post(f"{PATH}/{wrong}/cancel", etag="*")).status_code == 404
    assert (await root.post(f"{PATH}/{recovery}/cancel", etag="*")).status_code == 200


@pytest.mark.usefixtures("admin")
async def test_revoking_every_administrator_opens_no_shorter_way(hub: Hub, root: Partner) -> None:
    hub.operator("UPDATE credentials SET status = 'revoked' WHERE agency = 'KR-KNPA'")
    first = {"label": "again", "roles": ["agency_admin"]}
    assert (await root.post("/v1/agencies/KR-KNPA/credentials", first)).status_code == 403
    assert (await root.post(PATH, WANTED)).status_code == 201


async def test_the_list_pages(hub: Hub, root: Partner, admin: Partner) -> None:
    made = []
    for _ in range(3):
        made.append(await request(root))
        await admin.post(f"{PATH}/{made[-1]}/cancel", etag="*")
    seen, path = [], f"{PATH}?limit=2"
    while path:
        answer = await admin.get(path)
        seen += [each["id"] for each in answer.json()["items"]]
        link = answer.headers.get("Link", "")
        path = link[link.index("/v1") : link.index(">")] if link else ""
    assert seen == made[::-1]
    assert told(hub) == ["recovery.requested", "recovery.cancelled"] * 3
