"""What two sides say to a conflict: the same, or one of them alone for a reason."""

import asyncio

import pytest

from tests.conftest import Hub, Partner
from tests.routers.deconflicting import (
    CAMBODIA,
    KOREA,
    SAID,
    leads,
    only_conflict,
    proposed,
    resolve,
    told,
    trail,
)
from tests.routers.entrance import below_policies
from tests.routers.operating import moved

ALONE = {"outcome": "proceed", "note": "We go in now.", "override": "Lives are at risk."}


async def collided(hub: Hub) -> tuple[Partner, str, Partner, str]:
    korea, cambodia, _ = leads(hub)
    return korea, await proposed(korea, targets=[]), cambodia, await proposed(cambodia, targets=[])


async def test_it_is_resolved_once_both_say_the_same(hub: Hub) -> None:
    korea, path, cambodia, secret = await collided(hub)
    answer = await resolve(korea, path)
    stated = answer.json()
    assert (answer.status_code, stated["state"], answer.headers["ETag"]) == (200, "open", '"2"')
    assert stated["own"] == {**SAID, "at": stated["own"]["at"]}
    seen = await only_conflict(cambodia, secret)
    assert (seen["own"], seen["other"]) == (None, stated["own"])
    differs = await resolve(cambodia, secret, {"outcome": "joint", "note": "Let us go together."})
    assert differs.json()["state"] == "open"
    agreed = await resolve(cambodia, secret, {"outcome": "delayed", "note": "Thank you."})
    assert (agreed.json()["state"], agreed.json()["override"]) == ("resolved", None)
    for lead in (korea, cambodia):
        assert await told(lead) == ["conflict.opened", "conflict.changed", "conflict.changed", "conflict.resolved"]
    assert [action for action, own in trail(hub, CAMBODIA) if own] == [
        "conflict.open",
        "conflict.state",
        "conflict.resolve",
    ]
    late = await korea.post(f"{path}/conflicts/{seen['id']}/resolve", SAID, "*")
    assert late.status_code == 409


async def test_an_override_is_told_to_the_other_side(hub: Hub) -> None:
    korea, path, cambodia, secret = await collided(hub)
    answer = await resolve(korea, path, ALONE)
    assert (answer.status_code, answer.json()["state"]) == (200, "resolved")
    seen = await only_conflict(cambodia, secret)
    assert seen["override"] == {"agency": KOREA, "reason": "Lives are at risk."} == answer.json()["override"]
    assert (seen["other"]["outcome"], seen["own"]) == ("proceed", None)
    assert trail(hub, KOREA)[-1] == ("conflict.override", True)
    assert trail(hub, CAMBODIA)[-1] == ("conflict.override", False)


async def test_each_word_takes_its_permission(hub: Hub) -> None:
    _, path, _, _ = await collided(hub)
    planner, commander = hub.caller(KOREA, "operations_officer"), hub.caller(KOREA, "commander")
    refused = await resolve(planner, path, ALONE)
    assert (refused.status_code, "operations:approve" in refused.json()["detail"]) == (403, True)
    refused = await resolve(commander, path)
    assert (refused.status_code, "operations:write" in refused.json()["detail"]) == (403, True)
    assert (await resolve(hub.caller(KOREA, "connector"), path)).status_code == 403
    assert (await resolve(planner, path)).status_code == 200
    assert (await resolve(commander, path, ALONE)).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"outcome": "proceed"},
        {"outcome": "given up", "note": "x"},
        {"outcome": "proceed", "note": "x" * 4001},
        {**ALONE, "override": ""},
        {**SAID, "more": 1},
    ],
)
async def test_a_body_that_is_not_right(hub: Hub, body: dict[str, object]) -> None:
    korea, path, _, _ = await collided(hub)
    assert (await resolve(korea, path, body)).status_code == 422
    long = await resolve(korea, path, {"outcome": "proceed", "note": "x" * 2 * hub.settings.body_limit})
    assert long.status_code == 413


async def test_versions_and_keys(hub: Hub) -> None:
    korea, path, cambodia, secret = await collided(hub)
    below = f"{path}/conflicts/{(await only_conflict(korea, path))['id']}/resolve"
    assert (await korea.post(below, SAID)).status_code == 428
    assert (await korea.post(below, SAID, '"7"')).status_code == 412
    key = {"Idempotency-Key": "once"}
    first = await korea.post(below, SAID, '"1"', headers=key)
    await resolve(cambodia, secret)
    again = await korea.post(below, SAID, '"1"', headers=key)
    assert (again.status_code, again.json(), again.headers["Idempotency-Replayed"]) == (200, first.json(), "true")
    assert (again.json()["state"], again.headers["ETag"]) == ("open", '"2"')
    other = await korea.post(below, ALONE, '"1"', headers=key)
    assert other.json()["type"] == "/problems/idempotency-key-mismatch"


async def test_both_sides_speak_at_once(hub: Hub) -> None:
    korea, path, cambodia, secret = await collided(hub)
    answers = await asyncio.gather(resolve(korea, path, etag='"1"'), resolve(cambodia, secret, etag='"1"'))
    assert sorted(answer.status_code for answer in answers) == [200, 412]
    seen = await only_conflict(korea, path)
    assert (seen["state"], seen["version"], (seen["own"] is None) != (seen["other"] is None)) == ("open", 2, True)


async def test_what_was_agreed_holds_no_more_for_other_plans(hub: Hub) -> None:
    korea, path, cambodia, secret = await collided(hub)
    await resolve(korea, path)
    await resolve(cambodia, secret)
    profile = await hub.caller(KOREA, "analyst").profile()
    target = {"type": "target", "kind": "criminal-organizations", "id": profile["id"]}
    assert (await korea.post(f"{path}/links", target)).status_code == 201
    seen = await only_conflict(cambodia, secret)
    assert (seen["state"], seen["own"], seen["other"], seen["version"]) == ("open", None, None, 4)
    assert (await told(cambodia))[-1] == "conflict.changed"
    await resolve(cambodia, secret, ALONE)
    # A title is not what was compared.
    await korea.patch(path, {"title": "Another word for it"}, "*")
    assert (await only_conflict(korea, path))["version"] == 5


async def test_a_purge_takes_what_its_lead_said(hub: Hub) -> None:
    korea, path, cambodia, secret = await collided(hub)
    await resolve(korea, path)
    await resolve(cambodia, secret, {**ALONE, "note": "Ours."})
    await moved(korea, path, "cancel", {"reason": "No more."})
    below_policies(
        hub,
        'UPDATE records SET handling = handling || \'{"review_on": "2020-01-01"}\' WHERE id = %s',
        path.rpartition("/")[2],
    )
    assert len(hub.operator("SELECT * FROM purge_due_records(10)")) == 1
    seen = await cambodia.get(f"{secret}/conflicts")
    assert "We wait" not in seen.text
    (conflict,) = seen.json()["items"]
    assert (conflict["own"]["note"], conflict["override"]["reason"], conflict["state"]) == (
        "Ours.",
        "Lives are at risk.",
        "cleared",
    )
    assert conflict["other"]["note"] == "The operation has been purged since."
    one = await cambodia.get(f"{secret}/conflicts/{conflict['id']}")
    assert (one.status_code, one.json()) == (200, conflict)
