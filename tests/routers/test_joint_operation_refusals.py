"""Every call that changes a joint operation refuses in the contract's order, and what it refuses leaves nothing."""

from typing import Any

import pytest

from tests.conftest import Hub, Partner
from tests.routers.operating import ASSAULT, LEAD, PATH, WATCH, active, draft, move, moved, officer, plan, read

WITH_BODIES = {
    "suspend": {"reason": "Fog."},
    "cancel": {"reason": "The site stands empty."},
    "leave": {"reason": "Needed at home."},
    "resources": {"kind": "drones", "quantity": 2},
}
STEPS = ("propose", "activate", "suspend", "resume", "complete", "cancel", "leave", "resources")


async def _plans(hub: Hub) -> tuple[Partner, Partner, str]:
    lead, other = officer(hub, LEAD), officer(hub, ASSAULT)
    resources = [{"agency": ASSAULT, "kind": "officers", "quantity": 40}]
    phases = [{"name": "Entry", "tasks": [{"title": "Watch the gate", "agency": ASSAULT}]}]
    path = await draft(lead, ASSAULT, resources=resources, phases=phases)
    await moved(lead, path, "propose")
    return lead, other, path


async def _calls(partner: Partner, path: str, headers: dict[str, str], body: Any = None) -> dict[str, int]:
    """The status of every call that changes the operation, with these headers; `body` in place of one that would do."""
    shown = (await partner.hub.caller(LEAD, "operations_officer").get(path)).json()
    parts = {
        f"resources/{shown['resources'][0]['id']}": {"state": "confirmed"},
        f"tasks/{shown['phases'][0]['tasks'][0]['id']}": {"done": True},
    }
    decided = {"decision": "approve", "plan_hash": shown["plan_hash"]}
    posts = {**{step: WITH_BODIES.get(step) for step in STEPS}, "approvals": decided}
    told = {}
    for step, sent in posts.items():
        answer = await partner.post(f"{path}/{step}", sent if body is None else body, headers=headers)
        told[step] = answer.status_code
    for part, sent in parts.items():
        answer = await partner.patch(f"{path}/{part}", sent if body is None else body, headers=headers)
        told[part.partition("/")[0] + "/…"] = answer.status_code
    answer = await partner.patch(path, {"title": "Another"} if body is None else body, headers=headers)
    told["change"] = answer.status_code
    return told


async def test_who_may_not_gets_what_the_contract_says(hub: Hub) -> None:
    lead, other, path = await _plans(hub)
    before = await read(lead, path)
    match = {"If-Match": '"2"'}
    revoked = officer_again(hub, ASSAULT)
    hub.operator(
        "UPDATE credentials SET status = 'revoked', revoked_at = now() WHERE client_id = %s", revoked.client_id
    )
    powerless = hub.caller(ASSAULT, "auditor")
    stranger = officer(hub, WATCH)
    assert set((await _calls(revoked, path, match)).values()) == {401}
    assert set((await _calls(powerless, path, match)).values()) == {403}
    assert set((await _calls(stranger, path, match)).values()) == {404}
    # A participant takes none of the lead's steps, nor the lead a participant's.
    leads = {"propose", "activate", "suspend", "resume", "complete", "cancel", "change"}
    told = await _calls(hub.caller(ASSAULT, "operations_officer"), path, {"If-Match": '"1"'})
    assert {step for step, status in told.items() if status == 403} == leads | {"leave", "approvals"}
    assert await read(lead, path) == before
    assert (await other.get(f"{path}/approvals")).json()["items"] == []


def officer_again(hub: Hub, agency: str) -> Partner:
    return hub.caller(agency, "operations_officer", "commander")


@pytest.mark.parametrize(("headers", "status"), [({}, 428), ({"If-Match": '"1"'}, 412)])
async def test_a_change_names_the_version_it_is_based_on(hub: Hub, headers: dict[str, str], status: int) -> None:
    lead, other, path = await _plans(hub)
    before = await read(lead, path)
    of_lead = {"propose", "activate", "suspend", "resume", "complete", "cancel", "resources", "change"}
    told = await _calls(hub.caller(LEAD, "operations_officer"), path, headers)
    assert {step: told[step] for step in of_lead} == dict.fromkeys(of_lead, status)
    of_party = {"leave", "resources", "resources/…", "tasks/…"}
    # With a body that none takes: a decision needs no version, and a good one would be taken.
    told = await _calls(other, path, headers, {"decision": "no"})
    assert {step: told[step] for step in of_party} == dict.fromkeys(of_party, status)
    assert await read(lead, path) == before


async def test_a_body_twice_too_long_is_refused_by_every_call_that_takes_one(hub: Hub) -> None:
    lead, other, path = await _plans(hub)
    long = {"reason": "x" * (2 * hub.settings.body_limit)}
    match = {"If-Match": '"2"'}
    for partner, steps in (
        (lead, ("suspend", "cancel", "approvals", "resources", "change")),
        (other, ("leave", "approvals", "resources", "resources/…", "tasks/…")),
    ):
        told = await _calls(partner, path, match, long)
        assert {step: told[step] for step in steps} == dict.fromkeys(steps, 413)
    assert (await lead.post(PATH, plan(title="x" * (2 * hub.settings.body_limit)))).status_code == 413


async def test_a_repeated_step_answers_the_version_that_the_first_one_made(hub: Hub) -> None:
    lead, other = officer(hub, LEAD), officer(hub, ASSAULT)
    path = await active(lead, other)
    keyed = {"headers": {"Idempotency-Key": "fog-1"}}
    first = await lead.post(f"{path}/suspend", {"reason": "Fog."}, etag='"4"', **keyed)
    assert (first.status_code, first.json()["state"]) == (200, "suspended")
    await moved(lead, path, "resume")
    again = await lead.post(f"{path}/suspend", {"reason": "Fog."}, etag='"4"', **keyed)
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    other_body = await lead.post(f"{path}/suspend", {"reason": "Rain."}, etag='"4"', **keyed)
    assert (other_body.status_code, other_body.json()["type"]) == (422, "/problems/idempotency-key-mismatch")
    assert (await read(lead, path))["state"] == "active"
    created = [await lead.post(PATH, plan(ASSAULT), headers={"Idempotency-Key": "d"}) for _ in range(2)]
    assert created[0].json()["id"] == created[1].json()["id"]


async def test_a_covered_plan_takes_no_steps_before_its_caveat_is_acknowledged(hub: Hub) -> None:
    lead, other = officer(hub, LEAD), officer(hub, ASSAULT)
    handling = {"tlp": "AMBER", "codes": ["H3"], "caveat": "Tell nobody at the site."}
    path = await draft(lead, ASSAULT, handling=handling)
    digest = (await moved(lead, path, "propose"))["plan_hash"]
    body = {"decision": "approve", "plan_hash": digest}
    for answer in (
        await other.post(f"{path}/approvals", body),
        await other.get(f"{path}/plan"),
        await other.get(f"{path}/approvals"),
        await move(other, path, "leave", {"reason": "x"}),
    ):
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/acknowledgement-required")
        assert digest not in answer.text
    acknowledged = await other.post(f"{path}/handling/acknowledge", {"caveat": handling["caveat"]})
    assert acknowledged.status_code == 200
    assert (await other.post(f"{path}/approvals", body)).status_code == 201
