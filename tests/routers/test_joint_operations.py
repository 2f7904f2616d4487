"""Joint operations over HTTP: planned by their lead, decided on by those who take part, never seen by anybody else."""

import asyncio
import json
from hashlib import sha256
from typing import Any

import pytest
from jose import jws  # noqa: TID251 - a partner verifies with whatever library it likes

from tests.conftest import Hub, Partner
from tests.events.following import Follower, place
from tests.routers.operating import (
    ASSAULT,
    LEAD,
    OBSERVER,
    PATH,
    SUPPORT,
    WATCH,
    active,
    approve,
    decide,
    draft,
    hours,
    move,
    moved,
    officer,
    plan,
    read,
)


async def events(partner: Partner) -> list[str]:
    place(partner.hub)
    return [name for name, _ in await Follower(partner).follow()]


async def test_a_draft_is_its_leads_alone(hub: Hub) -> None:
    lead, other = officer(hub, LEAD), officer(hub, ASSAULT)
    answer = await lead.post(PATH, plan(ASSAULT))
    made = answer.json()
    assert (answer.status_code, made["state"], made["plan_hash"], made["outcome"]) == (201, "draft", None, None)
    assert [part["agency"] for part in made["participants"]] == [LEAD, ASSAULT]
    assert made["participants"][0]["role"] == "lead"
    assert made["targets"][1]["normalized"] == "+85523000000"
    path = answer.headers["Location"]
    assert (await other.get(path)).status_code == 404
    assert (await lead.get(PATH, params={"state": "draft", "participant": ASSAULT})).json()["items"] == [made]
    assert (await lead.get(PATH, params={"state": "active"})).json()["items"] == []
    assert [found["id"] for found in (await lead.get(PATH, params={"q": "lantern"})).json()["items"]] == [made["id"]]


@pytest.mark.parametrize(
    ("fields", "pointer", "code"),
    [
        ({"participants": [{"agency": "ZZ-ZZZ", "role": "assault"}]}, "/participants/1/agency", "unknown-reference"),
        ({"participants": [{"role": "assault"}]}, "/participants/0/agency", "participant-missing"),
        ({"participants": [{"agency": ASSAULT, "role": "lead"}]}, "/participants/1/role", "lead-elsewhere"),
        (
            {"participants": [{"agency": ASSAULT, "role": "observer"}]},
            "/participants/0/approval_required",
            "observer-approves",
        ),
        ({"window": {"starts_at": hours(5), "ends_at": hours(4)}}, "/window/ends_at", "window-reversed"),
        ({"area": {"center": {"latitude": 1.0, "longitude": 1.0}}}, "/area/radius_m", "circle-incomplete"),
        ({"area": {"country": "KR", "subdivision": "KH-7"}}, "/area/subdivision", "subdivision-elsewhere"),
        ({"targets": [{"type": "nonsense", "value": "x"}]}, "/targets/0/type", "target-type-unknown"),
        ({"approval": {"rule": "quorum"}}, "/approval/quorum", "quorum-and-rule"),
        ({"resources": [{"agency": WATCH, "kind": "officers", "quantity": 1}]}, "/resources/0/agency", "takes-no-part"),
        (
            {"phases": [{"name": "Entry", "tasks": [{"title": "Watch", "agency": WATCH}]}]},
            "/phases/0/tasks/0/agency",
            "takes-no-part",
        ),
        ({"participants": [{"agency": ASSAULT, "role": "assault"}] * 2}, "/participants/1", "repeated"),
    ],
)
async def test_a_plan_that_is_not_right_is_refused_with_its_place(
    hub: Hub, fields: dict[str, Any], pointer: str, code: str
) -> None:
    lead = officer(hub, LEAD)
    hub.register(ASSAULT)
    hub.register(WATCH)
    answer = await lead.post(PATH, plan(ASSAULT, **fields))
    assert answer.status_code == 422, answer.text
    assert (pointer, code) in [(flaw["pointer"], flaw["code"]) for flaw in answer.json()["errors"]]
    assert (await lead.get(PATH)).json()["items"] == []


async def test_a_proposal_opens_the_plan_to_those_who_take_part(hub: Hub) -> None:
    lead, other, stranger = officer(hub, LEAD), officer(hub, ASSAULT), officer(hub, WATCH)
    path = await draft(lead, ASSAULT)
    proposed = await moved(lead, path, "propose")
    assert proposed["state"] == "proposed"
    shared = await read(other, path)
    assert (shared["state"], shared["plan_hash"]) == ("proposed", proposed["plan_hash"])
    assert "audience" not in shared["handling"]
    assert (await stranger.get(path)).status_code == 404
    reasons = {row["agency"]: row["via"] for row in (await lead.get(f"{path}/access")).json()["items"]}
    assert reasons == {LEAD: "originator", ASSAULT: "party"}
    # It never saw the draft.
    assert [row["version"] for row in (await other.get(f"{path}/versions")).json()["items"]] == [2]
    assert {"record.shared", "operation.proposed"} <= set(await events(other))
    canonical = (await other.get(f"{path}/plan")).json()
    assert sha256(canonical["canonical"].encode()).hexdigest() == canonical["plan_hash"] == proposed["plan_hash"]


async def test_what_a_plan_lacks_is_said_when_it_is_proposed(hub: Hub) -> None:
    lead = officer(hub, LEAD)
    path = (await lead.post(PATH, {"title": "Nothing yet"})).headers["Location"]
    answer = await move(lead, path, "propose")
    assert answer.status_code == 422
    assert {flaw["pointer"] for flaw in answer.json()["errors"]} == {"/objective", "/window", "/area", "/participants"}
    assert (await read(lead, path))["state"] == "draft"


async def test_what_a_partys_sight_rests_on_is_explained(hub: Hub) -> None:
    lead = officer(hub, LEAD)
    hub.register(ASSAULT)
    path = await draft(lead, ASSAULT)
    access = {row["agency"]: row for row in (await lead.get(f"{path}/access")).json()["items"]}
    assert set(access) == {LEAD}
    await moved(lead, path, "propose")
    access = {row["agency"]: row for row in (await lead.get(f"{path}/access")).json()["items"]}
    assert access[ASSAULT]["without_basis"] is True


async def test_a_party_stays_whatever_the_handling_says(hub: Hub) -> None:
    lead, other = officer(hub, LEAD), officer(hub, ASSAULT)
    path = await draft(lead, ASSAULT)
    await moved(lead, path, "propose")
    etag = (await lead.get(f"{path}/handling")).headers["ETag"]
    excluded = {"tlp": "AMBER", "audience": {"excluded": [ASSAULT]}}
    answer = await lead.put(f"{path}/handling", excluded, etag)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "party-excluded")
    assert (await lead.put(f"{path}/handling", {"tlp": "RED"}, etag)).status_code == 200
    assert (await other.get(path)).status_code == 200
    recalled = await lead.post(f"{path}/recalls", {"agencies": [ASSAULT], "reason": "No more."})
    assert "party-recalled" in [flaw["code"] for flaw in recalled.json()["errors"]]


async def test_the_last_approval_approves(hub: Hub) -> None:
    lead, other = officer(hub, LEAD), officer(hub, ASSAULT)
    path = await draft(lead, ASSAULT)
    digest = (await moved(lead, path, "propose"))["plan_hash"]
    refused = await move(lead, path, "activate")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/conflict")
    await approve(lead, path=path)
    assert (await read(lead, path))["state"] == "proposed"
    await approve(other, path=path)
    assert (await read(lead, path))["state"] == "approved"
    decisions = (await other.get(f"{path}/approvals")).json()["items"]
    assert [row["agency"] for row in decisions] == [ASSAULT, LEAD]
    keys = (await hub.client.get("/.well-known/approval-keys.json")).json()
    for row in decisions:
        claims = json.loads(jws.verify(row["statement"], keys, "ES256"))
        assert (claims["sub"], claims["plan_hash"], claims["decision"]) == (row["agency"], digest, "approve")
        assert jws.get_unverified_header(row["statement"])["typ"] == "interdesk-approval+jwt"
    # A statement is no token.
    answer = await hub.client.get("/v1/me", headers={"Authorization": f"Bearer {decisions[0]['statement']}"})
    assert answer.status_code == 401
    assert (await moved(lead, path, "activate"))["state"] == "active"


async def test_a_decision_is_on_the_plan_that_was_read(hub: Hub) -> None:
    lead, other, observer = officer(hub, LEAD), officer(hub, ASSAULT), officer(hub, OBSERVER)
    path = await draft(
        lead,
        participants=[
            {"agency": ASSAULT, "role": "assault"},
            {"agency": OBSERVER, "role": "observer", "approval_required": False},
        ],
    )
    await moved(lead, path, "propose")
    body = {"decision": "approve", "plan_hash": "0" * 64}
    assert (await other.post(f"{path}/approvals", body)).status_code == 409
    assert (await decide(observer, path)).status_code == 403
    assert (await decide(other, path, "reject")).status_code == 422
    analyst = hub.caller(ASSAULT, "operations_officer")
    assert (await decide(analyst, path)).status_code == 403
    digest = (await read(other, path))["plan_hash"]
    keyed = {"headers": {"Idempotency-Key": "k1"}}
    first = await other.post(f"{path}/approvals", {"decision": "approve", "plan_hash": digest}, **keyed)
    again = await other.post(f"{path}/approvals", {"decision": "approve", "plan_hash": digest}, **keyed)
    assert (first.status_code, again.status_code, again.headers["Idempotency-Replayed"]) == (201, 201, "true")
    assert first.json() == again.json()
    assert (await decide(other, path)).status_code == 409


async def test_a_change_voids_the_approvals_and_says_so(hub: Hub) -> None:
    lead, one, two = officer(hub, LEAD), officer(hub, ASSAULT), officer(hub, WATCH)
    path = await draft(lead, ASSAULT, WATCH)
    first = await moved(lead, path, "propose")
    await approve(lead, one, path=path)
    # What it is called is not decided on.
    named = await lead.patch(path, {"title": "Another name"}, "*")
    assert (named.json()["state"], named.json()["plan_hash"]) == ("proposed", first["plan_hash"])
    changed = await lead.patch(path, {"window": {"ends_at": hours(40)}}, "*")
    assert (changed.status_code, changed.json()["state"], changed.json()["plan_hash"]) == (200, "draft", None)
    assert (await two.get(path)).json()["state"] == "draft"
    assert "operation.returned" in await events(two)
    approvals = (await one.get(f"{path}/approvals")).json()["items"]
    assert [bool(row["voided_at"]) for row in approvals] == [True, True]
    second = await moved(lead, path, "propose")
    assert second["plan_hash"] != first["plan_hash"]
    stale = await one.post(f"{path}/approvals", {"decision": "approve", "plan_hash": first["plan_hash"]})
    assert stale.status_code == 409
    # Back to what was approved before is a plan to be approved again.
    window = plan()["window"]
    await lead.patch(path, {"window": {"ends_at": first["window"]["ends_at"]}, "objective": first["objective"]}, "*")
    third = await moved(lead, path, "propose")
    assert third["plan_hash"] == first["plan_hash"], window
    await approve(lead, one, path=path)
    assert (await read(lead, path))["state"] == "proposed"
    await approve(two, path=path)
    assert (await read(lead, path))["state"] == "approved"


async def test_a_quorum_is_enough_and_can_be_put_out_of_reach(hub: Hub) -> None:
    lead, one, two, three = (officer(hub, agency) for agency in (LEAD, ASSAULT, WATCH, SUPPORT))
    path = await draft(lead, ASSAULT, WATCH, SUPPORT, approval={"rule": "quorum", "quorum": 2})
    await moved(lead, path, "propose")
    assert (await decide(one, path, "reject", reason="No helicopters.")).status_code == 201
    assert (await decide(two, path, "reject", reason="No helicopters.")).status_code == 201
    assert (await read(lead, path))["state"] == "proposed"
    assert (await decide(three, path, "reject", reason="No helicopters.")).status_code == 201
    assert (await read(lead, path))["state"] == "draft"
    assert {"operation.rejected", "operation.returned"} <= set(await events(one))
    await moved(lead, path, "propose")
    await approve(one, path=path)
    await approve(three, path=path)
    assert (await read(lead, path))["state"] == "approved"


async def test_participants_decide_at_the_same_moment(hub: Hub) -> None:
    agencies = (LEAD, ASSAULT, WATCH, SUPPORT)
    partners = [officer(hub, agency) for agency in agencies]
    path = await draft(partners[0], *agencies[1:])
    await moved(partners[0], path, "propose")
    answers = await asyncio.gather(*(decide(partner, path) for partner in partners))
    assert [answer.status_code for answer in answers] == [201] * 4
    after = await read(partners[0], path)
    assert (after["state"], after["version"]) == ("approved", 3)


async def test_whoever_leaves_takes_the_approvals_with_it(hub: Hub) -> None:
    lead, one, two = officer(hub, LEAD), officer(hub, ASSAULT), officer(hub, WATCH)
    path = await draft(lead, ASSAULT, WATCH)
    await moved(lead, path, "propose")
    await approve(lead, one, path=path)
    assert (await move(lead, path, "leave", {"reason": "x"})).status_code == 409
    left = await move(one, path, "leave", {"reason": "Needed at home."})
    assert (left.status_code, left.content) == (204, b"")
    assert (await one.get(path)).status_code == 404
    assert {"record.lost", "recall.requested"} <= set(await events(one))
    after = await read(two, path)
    assert (after["state"], after["plan_hash"]) == ("draft", None)
    assert [bool(part["left_at"]) for part in after["participants"]] == [False, True, False]
    assert (await lead.get(f"{path}/versions")).json()["items"][0]["by"] == ASSAULT
    await moved(lead, path, "propose")
    await approve(lead, two, path=path)
    assert (await read(lead, path))["state"] == "approved"


async def test_leaving_what_is_under_way_does_not_stop_it(hub: Hub) -> None:
    lead, one, two = officer(hub, LEAD), officer(hub, ASSAULT), officer(hub, WATCH)
    path = await active(lead, one, two)
    assert (await move(one, path, "leave", {"reason": "Needed at home."})).status_code == 204
    assert (await read(two, path))["state"] == "active"
    # The plan is the one that was approved, still to be computed from what everybody reads.
    after = await read(two, path)
    assert (await two.get(f"{path}/plan")).json()["plan_hash"] == after["plan_hash"]
    assert [bool(part["left_at"]) for part in after["participants"]] == [False, True, False]
    await moved(lead, path, "suspend", {"reason": "Fog."})
    assert (await moved(lead, path, "resume"))["state"] == "active"


async def test_the_whole_course(hub: Hub) -> None:
    lead, other = officer(hub, LEAD), officer(hub, ASSAULT)
    path = await active(lead, other)
    refused = await lead.patch(path, {"objective": "Something else."}, "*")
    assert refused.status_code == 409
    assert (await lead.post(f"{path}/retract", etag="*")).status_code == 409
    assert (await move(other, path, "complete")).status_code == 403
    assert (await moved(lead, path, "suspend", {"reason": "Fog."}))["state"] == "suspended"
    assert (await moved(lead, path, "resume"))["state"] == "active"
    assert (await moved(lead, path, "complete"))["state"] == "completed"
    assert (await move(lead, path, "cancel", {"reason": "x"})).status_code == 409
    assert (await other.get(path)).json()["state"] == "completed"
    assert (await lead.post(f"{path}/retract", etag="*")).status_code == 200
    assert (await other.get(path)).json()["state"] == "retracted"
    for step in ("propose", "activate", "complete"):
        answer = await move(lead, path, step)
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/retracted")


async def test_a_change_while_suspended_is_decided_on_again(hub: Hub) -> None:
    lead, other = officer(hub, LEAD), officer(hub, ASSAULT)
    path = await active(lead, other)
    await moved(lead, path, "suspend", {"reason": "Fog."})
    assert (await lead.patch(path, {"objective": "Search the second site."}, "*")).json()["state"] == "draft"
    assert (await move(lead, path, "resume")).status_code == 409


async def test_each_participant_pledges_and_does_its_own(hub: Hub) -> None:
    lead, one, two = officer(hub, LEAD), officer(hub, ASSAULT), officer(hub, WATCH)
    path = await draft(
        lead,
        ASSAULT,
        WATCH,
        resources=[{"agency": ASSAULT, "kind": "officers", "quantity": 40}],
        phases=[{"name": "Entry", "tasks": [{"title": "Watch the northern gate", "agency": ASSAULT}]}],
    )
    before = await moved(lead, path, "propose")
    resource, task = before["resources"][0]["id"], before["phases"][0]["tasks"][0]["id"]
    for partner in (lead, two):
        assert (await partner.patch(f"{path}/resources/{resource}", {"state": "confirmed"}, "*")).status_code == 403
        assert (await partner.patch(f"{path}/tasks/{task}", {"done": True}, "*")).status_code == 403
    await approve(lead, path=path)
    confirmed = await one.patch(f"{path}/resources/{resource}", {"state": "confirmed"}, "*")
    assert (confirmed.json()["resources"][0]["state"], confirmed.json()["state"]) == ("confirmed", "proposed")
    assert (await one.patch(f"{path}/tasks/{resource}", {"done": True}, "*")).status_code == 404
    fewer = await one.patch(f"{path}/resources/{resource}", {"quantity": 4}, "*")
    assert (fewer.json()["state"], fewer.json()["resources"][0]["quantity"]) == ("draft", 4)
    own = await two.post(f"{path}/resources", {"kind": "drones", "quantity": 2}, etag="*")
    assert own.json()["resources"][1]["agency"] == WATCH
    # Sent back with its id a pledge stands; a changed one is to be confirmed again.
    resources = own.json()["resources"]
    resources[1]["quantity"] = 3
    kept = (await lead.patch(path, {"resources": resources}, "*")).json()["resources"]
    assert [row["state"] for row in kept] == ["confirmed", "requested"]
    await moved(lead, path, "propose")
    await approve(lead, one, two, path=path)
    await moved(lead, path, "activate")
    done = await one.patch(f"{path}/tasks/{task}", {"done": True}, "*")
    shown = done.json()["phases"][0]["tasks"][0]
    assert (done.json()["state"], shown["done"], shown["done_by"]) == ("active", True, ASSAULT)
    assert (await one.patch(f"{path}/tasks/{task}", {"title": "Sleep"}, "*")).status_code == 409
    assert (await one.patch(f"{path}/resources/{resource}", {"state": "deployed"}, '"1"')).status_code == 412
    assert (await one.patch(f"{path}/resources/{resource}", {"state": "deployed"})).status_code == 428


async def test_a_reader_that_takes_no_part_only_reads(hub: Hub) -> None:
    lead, other, reader = officer(hub, LEAD), officer(hub, ASSAULT), officer(hub, SUPPORT)
    path = await draft(lead, ASSAULT, handling={"tlp": "AMBER", "audience": {"agencies": [SUPPORT]}})
    assert (await read(reader, path))["state"] == "draft"
    await moved(lead, path, "propose")
    for call in ("approvals", "plan"):
        assert (await reader.get(f"{path}/{call}")).status_code == 403
    assert (await decide(reader, path)).status_code == 403
    assert (await move(reader, path, "leave", {"reason": "x"})).status_code == 403
    assert (await reader.post(f"{path}/resources", {"kind": "drones", "quantity": 2}, etag="*")).status_code == 403
    assert (await other.get(f"{path}/approvals")).status_code == 200


async def test_who_is_dropped_from_the_plan_loses_sight_with_the_next_proposal(hub: Hub) -> None:
    lead, one, two = officer(hub, LEAD), officer(hub, ASSAULT), officer(hub, WATCH)
    path = await draft(lead, ASSAULT, WATCH)
    await moved(lead, path, "propose")
    await lead.patch(path, {"participants": [{"agency": WATCH, "role": "assault"}]}, "*")
    assert (await one.get(path)).status_code == 200
    await moved(lead, path, "propose")
    assert (await one.get(path)).status_code == 404
    assert (await two.get(path)).status_code == 200


async def _team(lead: Partner, *members: Partner) -> str:
    body = {"kind": "joint_team", "name": "Bokor team", "members": [{"agency": m.agency} for m in members]}
    answer = await lead.post("/v1/groups", body)
    assert answer.status_code == 201, answer.text
    path = str(answer.headers["Location"])
    for member in members:
        await member.accept(path)
    return path


async def test_a_joint_team_takes_part_as_a_whole(hub: Hub) -> None:
    lead, one, two = officer(hub, LEAD), officer(hub, ASSAULT), officer(hub, WATCH)
    team = await _team(lead, one, two)
    group = team.rpartition("/")[2]
    path = await draft(lead, participants=[{"group": group, "role": "assault"}])
    proposed = await moved(lead, path, "propose")
    assert [(part["agency"], part["role"]) for part in proposed["participants"]] == [
        (LEAD, "lead"),
        (ASSAULT, "assault"),
        (WATCH, "assault"),
    ]
    # Nobody else need know of the team.
    assert group not in (await one.get(path)).text
    await lead.expel(team, WATCH)
    refused = await decide(one, path)
    assert (refused.status_code, "propose" in refused.text) == (409, True)
    again = await moved(lead, path, "propose")
    assert [part["agency"] for part in again["participants"]] == [LEAD, ASSAULT]
    assert (await two.get(path)).status_code == 404
    await approve(lead, one, path=path)
    assert (await read(one, path))["state"] == "approved"


async def test_only_a_joint_team_that_is_known_takes_part(hub: Hub) -> None:
    lead, one = officer(hub, LEAD), officer(hub, ASSAULT)
    council = await one.post("/v1/groups", {"kind": "council", "name": "Council", "members": []})
    own = await lead.post("/v1/groups", {"kind": "council", "name": "Council", "members": []})
    for answer, code in ((council, "unknown-reference"), (own, "no-joint-team")):
        part = {"group": answer.json()["id"], "role": "assault"}
        refused = await lead.post(PATH, plan(participants=[part]))
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, code)


async def test_others_propose_amendments_and_the_lead_decides(hub: Hub) -> None:
    lead, one, two = officer(hub, LEAD), officer(hub, ASSAULT), officer(hub, WATCH)
    path = await draft(lead, ASSAULT, WATCH)
    await moved(lead, path, "propose")
    await approve(lead, one, path=path)
    assert (await one.patch(path, {"codename": "Lighthouse"}, "*")).status_code == 403
    wider = {"patch": {"area": {"radius_m": 3000}}, "note": "The road to the north belongs to it."}
    proposed = await one.post(f"{path}/amendments", wider)
    assert (proposed.status_code, proposed.json()["state"]) == (201, "proposed")
    assert (await two.get(f"{path}/amendments")).json()["items"] == []
    nothing = await one.post(f"{path}/amendments", {"patch": {"plan_hash": "0" * 64}})
    assert nothing.status_code == 422
    accepted = await lead.post(f"{path}/amendments/{proposed.json()['id']}/accept", {}, etag='"1"')
    assert accepted.json()["state"] == "accepted"
    after = await read(two, path)
    assert (after["area"]["radius_m"], after["state"], after["plan_hash"]) == (3000, "draft", None)


async def test_a_target_that_a_participant_may_not_see_is_no_target_to_it(hub: Hub) -> None:
    lead, other = hub.partner(LEAD, "operations_officer", "analyst"), officer(hub, ASSAULT)
    known, secret = await lead.profile("Bokor Group", share=[ASSAULT]), await lead.profile("Harbour cell")
    links = [{"type": "target", "kind": "criminal-organizations", "id": target["id"]} for target in (known, secret)]
    path = await draft(lead, ASSAULT, links=links)
    await moved(lead, path, "propose")
    assert {row["id"] for row in (await lead.get(f"{path}/links")).json()["items"]} == {known["id"], secret["id"]}
    assert [row["id"] for row in (await other.get(f"{path}/links")).json()["items"]] == [known["id"]]
    for call in ("", "/plan", "/versions", "/links"):
        assert secret["id"] not in (await other.get(f"{path}{call}")).text, call


async def test_an_area_can_be_a_polygon(hub: Hub) -> None:
    lead = officer(hub, LEAD)
    hub.register(ASSAULT)
    corners = [(10.62, 104.03), (10.65, 104.04), (10.63, 104.07)]
    polygon = [{"latitude": latitude, "longitude": longitude} for latitude, longitude in corners]
    path = await draft(lead, ASSAULT, area={"country": "KH", "polygon": polygon})
    proposed = await moved(lead, path, "propose")
    assert (proposed["state"], proposed["area"]["polygon"], proposed["area"]["center"]) == ("proposed", polygon, None)
