"""What came of an operation, over HTTP: each agency says its own part, and what it learned."""

import asyncio
from typing import Any

import pytest

from tests.conftest import Hub, Partner
from tests.events.following import Follower, place
from tests.routers.operating import ASSAULT, LEAD, OBSERVER, WATCH, active, draft, move, moved, officer, read

OUTCOME = {
    "arrested": [{"nationality": "KR", "count": 12}, {"nationality": None, "count": 2}],
    "rescued": [{"nationality": "KR", "count": 7}],
    "seized": [
        {"kind": "phones", "quantity": 340},
        {"kind": "cash", "value": {"amount": "51000.50", "currency": "USD"}},
    ],
    "notes": "Two floors were empty.",
}
LESSONS = {"summary": "Entered on time.", "went_well": ["Radio discipline."], "to_improve": ["More interpreters."]}


async def _put(partner: Partner, path: str, what: str, body: Any, etag: str = "*") -> dict[str, Any]:
    answer = await partner.put(f"{path}/{what}", body, etag)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_each_agency_says_its_own_part(hub: Hub) -> None:
    lead, other = officer(hub, LEAD), officer(hub, ASSAULT)
    path = await active(lead, other)
    await _put(lead, path, "outcome", OUTCOME)

    after = await _put(other, path, "outcome", {"arrested": [{"nationality": "CN", "count": 3}]})

    assert after == await read(other, path)
    assert (after["version"], after["state"]) == (6, "active")
    assert after["outcome"] == {
        "arrested": [
            {"agency": ASSAULT, "nationality": "CN", "count": 3},
            {"agency": LEAD, "nationality": "KR", "count": 12},
            {"agency": LEAD, "nationality": None, "count": 2},
        ],
        "rescued": [{"agency": LEAD, "nationality": "KR", "count": 7}],
        "seized": [
            {"agency": LEAD, "kind": "phones", "quantity": 340, "value": None},
            {"agency": LEAD, "kind": "cash", "quantity": None, "value": {"amount": "51000.50", "currency": "USD"}},
        ],
        "notes": [{"agency": LEAD, "text": "Two floors were empty."}],
    }
    versions = (await lead.get(f"{path}/versions")).json()["items"]
    assert [(version["by"], version["changed"]) for version in versions[:2]] == [
        (ASSAULT, ["outcome"]),
        (LEAD, ["outcome"]),
    ]


async def test_saying_it_again_replaces_it_and_saying_nothing_takes_it_back(hub: Hub) -> None:
    lead, other = officer(hub, LEAD), officer(hub, ASSAULT)
    path = await active(lead, other)
    first = await _put(lead, path, "outcome", OUTCOME)
    same = await _put(lead, path, "outcome", OUTCOME, f'"{first["version"]}"')
    assert same == first
    await _put(other, path, "outcome", {"rescued": [{"nationality": "VN", "count": 1}]})
    less = await _put(lead, path, "outcome", {"notes": "We only drove."})
    assert {row["agency"] for part in ("arrested", "rescued", "seized") for row in less["outcome"][part]} == {ASSAULT}
    await _put(lead, path, "outcome", {})
    assert (await _put(other, path, "outcome", {}))["outcome"] is None


async def test_it_is_told_to_whoever_sees_the_operation(hub: Hub) -> None:
    lead, other = officer(hub, LEAD), officer(hub, ASSAULT)
    path = await active(lead, other)
    await _put(other, path, "outcome", OUTCOME)
    await moved(lead, path, "complete")
    await _put(other, path, "debrief", LESSONS)
    place(hub)
    seen = await Follower(lead).follow()
    assert [name for name, _ in seen][-6:] == [
        "record.updated",
        "operation.outcome_recorded",
        "record.updated",
        "operation.completed",
        "record.updated",
        "operation.debriefed",
    ]
    entries = (await hub.caller(LEAD, "auditor").get("/v1/audit-entries", params={"of": "records"})).json()["items"]
    assert {"operation.outcome", "operation.debrief"} <= {entry["action"] for entry in entries}


async def test_lessons_are_written_once_it_is_completed(hub: Hub) -> None:
    lead, other = officer(hub, LEAD), officer(hub, ASSAULT)
    path = await active(lead, other)
    early = await lead.put(f"{path}/debrief", LESSONS, "*")
    assert (early.status_code, early.json()["type"]) == (409, "/problems/conflict")
    await moved(lead, path, "complete")
    await _put(lead, path, "debrief", LESSONS)
    after = await _put(other, path, "debrief", {"summary": "It went well."})
    assert after["debrief"] == [
        {"agency": ASSAULT, "summary": "It went well.", "went_well": [], "to_improve": []},
        {"agency": LEAD, **LESSONS},
    ]
    again = await _put(lead, path, "debrief", {"summary": "Late."})
    assert [row["summary"] for row in again["debrief"]] == ["It went well.", "Late."]


async def test_an_observer_learns_and_counts_nothing(hub: Hub) -> None:
    lead, other = officer(hub, LEAD), officer(hub, ASSAULT)
    observer = officer(hub, OBSERVER)
    taking_part = [
        {"agency": ASSAULT, "role": "assault"},
        {"agency": OBSERVER, "role": "observer", "approval_required": False},
    ]
    path = await active(lead, other, participants=taking_part)
    refused = await observer.put(f"{path}/outcome", OUTCOME, "*")
    assert (refused.status_code, "observes" in refused.json()["detail"]) == (403, True)
    await moved(lead, path, "complete")
    assert (await _put(observer, path, "debrief", LESSONS))["debrief"][0]["agency"] == OBSERVER


async def test_only_those_who_take_part_and_may_write(hub: Hub) -> None:
    lead, other = officer(hub, LEAD), officer(hub, ASSAULT)
    reader, stranger = officer(hub, WATCH), officer(hub, "VN-MPS")
    path = await active(lead, other, handling={"tlp": "AMBER", "audience": {"agencies": [WATCH]}})
    await moved(lead, path, "complete")
    commander = hub.caller(LEAD, "commander")
    for what, body in (("outcome", OUTCOME), ("debrief", LESSONS)):
        for partner, status in ((reader, 403), (stranger, 404), (commander, 403)):
            assert (await partner.put(f"{path}/{what}", body, "*")).status_code == status
    assert (await read(lead, path))["outcome"] is None
    hub.operator("UPDATE credentials SET status = 'revoked', revoked_at = now() WHERE client_id = %s", lead.client_id)
    assert (await lead.put(f"{path}/outcome", OUTCOME, "*")).status_code == 401


async def test_it_is_based_on_a_version(hub: Hub) -> None:
    lead, other = officer(hub, LEAD), officer(hub, ASSAULT)
    path = await active(lead, other)
    version = (await read(lead, path))["version"]
    assert (await lead.put(f"{path}/outcome", OUTCOME)).status_code == 428
    assert (await lead.put(f"{path}/outcome", OUTCOME, f'"{version - 1}"')).status_code == 412
    assert (await lead.put(f"{path}/outcome", OUTCOME, f'"{version}"')).status_code == 200


async def test_two_agencies_at_once_lose_nothing(hub: Hub) -> None:
    partners = [officer(hub, agency) for agency in (LEAD, ASSAULT, WATCH)]
    lead, *others = partners
    path = await active(lead, *others)
    version = (await read(lead, path))["version"]
    bodies = [{"rescued": [{"nationality": "KR", "count": number}]} for number in (1, 2, 3)]

    answers = await asyncio.gather(
        *(p.put(f"{path}/outcome", body, f'"{version}"') for p, body in zip(partners, bodies, strict=True))
    )

    # Whoever was slower reads again and says it again.
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412]
    for partner, body, answer in zip(partners, bodies, answers, strict=True):
        if answer.status_code == 412:
            etag = (await partner.get(path)).headers["ETag"]
            assert (await partner.put(f"{path}/outcome", body, etag)).status_code == 200
    counted = (await read(lead, path))["outcome"]["rescued"]
    assert {row["agency"]: row["count"] for row in counted} == {LEAD: 1, ASSAULT: 2, WATCH: 3}


async def test_before_it_begins_and_after_it_is_taken_back(hub: Hub) -> None:
    lead = officer(hub, LEAD)
    hub.register(ASSAULT)
    path = await draft(lead, ASSAULT)
    early = await lead.put(f"{path}/outcome", OUTCOME, "*")
    assert (early.status_code, "draft" in early.json()["detail"]) == (409, True)
    await moved(lead, path, "cancel", {"reason": "Fog."})
    assert (await lead.put(f"{path}/outcome", OUTCOME, "*")).status_code == 409
    assert (await lead.post(f"{path}/retract", etag="*")).status_code == 200
    for what, body in (("outcome", OUTCOME), ("debrief", LESSONS)):
        retracted = await lead.put(f"{path}/{what}", body, "*")
        assert (retracted.status_code, retracted.json()["type"]) == (409, "/problems/retracted")


async def test_what_was_done_stays_when_the_plan_is_a_draft_again(hub: Hub) -> None:
    lead, other = officer(hub, LEAD), officer(hub, ASSAULT)
    path = await active(lead, other)
    before = await _put(other, path, "outcome", OUTCOME)
    await moved(lead, path, "suspend", {"reason": "They were moved."})
    changed = await lead.patch(path, {"objective": "Find where they were moved to."}, "*")
    assert (changed.json()["state"], changed.json()["outcome"]) == ("draft", before["outcome"])
    assert (await move(lead, path, "complete")).status_code == 409


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"arrested": [{"nationality": "XX", "count": 1}]}, "/arrested/0/nationality", "country-unknown"),
        ({"arrested": [{"nationality": "KR", "count": 0}]}, "/arrested/0/count", "greater-than-equal"),
        ({"rescued": [{"count": 1}, {"count": 2}]}, "/rescued/1/nationality", "nationality-repeated"),
        ({"seized": [{"kind": "phones"}]}, "/seized/0/quantity", "amount-missing"),
        ({"seized": [{"kind": "houses", "quantity": 1}]}, "/seized/0/kind", "enum"),
        (
            {"seized": [{"kind": "cash", "value": {"amount": -1, "currency": "USD"}}]},
            "/seized/0/value/amount",
            "amount-",
        ),
        ({"arrested": [{"agency": "KH-CNP", "nationality": "KR", "count": 1}]}, "/arrested/0/agency", "extra-"),
    ],
)
async def test_what_is_no_outcome_is_refused(hub: Hub, body: dict[str, Any], pointer: str, code: str) -> None:
    lead, other = officer(hub, LEAD), officer(hub, ASSAULT)
    path = await active(lead, other)
    answer = await lead.put(f"{path}/outcome", body, "*")
    assert answer.status_code == 422, answer.text
    ((flaw,),) = [answer.json()["errors"]]
    assert (flaw["pointer"], flaw["code"].startswith(code)) == (pointer, True)


async def test_the_rescued_become_an_incident_report_in_one_call(hub: Hub) -> None:
    lead, other, reader = officer(hub, LEAD), officer(hub, ASSAULT), officer(hub, WATCH)
    path = await active(lead, other, handling={"tlp": "AMBER", "audience": {"agencies": [WATCH]}})
    both = hub.caller(ASSAULT, "operations_officer", "analyst")
    report = f"{path}/incident-reports"
    assert (await both.post(report, {})).status_code == 409
    counted = {"rescued": [{"nationality": "KR", "count": 2}, {"nationality": None, "count": 1}]}
    assert (await other.put(f"{path}/outcome", counted, "*")).status_code == 200
    assert (await other.post(report, {})).status_code == 403
    assert (await hub.caller(WATCH, "operations_officer", "analyst").post(report, {})).status_code == 403
    assert (await reader.get(path)).status_code == 200
    keyed = {"headers": {"Idempotency-Key": "k"}}
    made, again = [await both.post(report, {"title": "Three freed"}, **keyed) for _ in range(2)]
    assert (made.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert again.json() == made.json()
    said = made.json()
    assert [victim["nationality"] for victim in said["victims"]] == ["KR", "KR", None]
    assert {victim["condition"] for victim in said["victims"]} == {"safe"}
    operation = await read(lead, path)
    assert (said["originator"], said["country"], said["types"]) == (ASSAULT, "KH", operation["crime_types"])
    assert all(operation[name] not in made.text for name in ("title", "codename", "objective", "reference"))
    (link,) = (await both.get(f"{made.headers['Location']}/links")).json()["items"]
    assert (link["kind"], link["id"]) == ("joint-operations", operation["id"])


async def test_the_arrested_are_asked_for_in_one_call(hub: Hub) -> None:
    lead, other = officer(hub, LEAD), officer(hub, ASSAULT)
    path = await active(lead, other, handling={"tlp": "AMBER", "audience": {"agencies": [hub.register(WATCH)]}})
    requests, asking = f"{path}/repatriation-requests", {"nationality": "KR", "arrested_by": ASSAULT}
    both = hub.caller(LEAD, "operations_officer", "liaison_officer")
    nobody = await both.post(requests, asking)
    assert (nobody.status_code, nobody.json()["detail"]) == (409, f"{ASSAULT} counted nobody of KR as arrested.")
    counted = {"arrested": [{"nationality": "KR", "count": 12}, {"nationality": None, "count": 2}]}
    assert (await other.put(f"{path}/outcome", counted, "*")).status_code == 200
    assert (await lead.post(requests, asking)).status_code == 403
    assert (await hub.caller(WATCH, "operations_officer", "liaison_officer").post(requests, asking)).status_code == 403
    made = await both.post(requests, {**asking, "external_id": "2026-2209"})
    assert made.status_code == 201, made.text
    said = made.json()
    asked = {name: said[name] for name in ("originator", "state", "category", "legal_act", "requested_agency")}
    assert asked == {
        "originator": LEAD,
        "state": "draft",
        "category": "suspect",
        "legal_act": "deportation",
        "requested_agency": ASSAULT,
    }
    assert (said["from_country"], said["to_country"]) == ("KH", "KR")
    assert said["narrative"] == f"12 people of KR, arrested by {ASSAULT}."
    operation = await read(lead, path)
    assert all(operation[name] not in made.text for name in ("title", "codename", "objective", "reference", "id"))
    (link,) = (await both.get(f"{made.headers['Location']}/links")).json()["items"]
    assert (link["type"], link["kind"], link["id"]) == ("operation", "joint-operations", operation["id"])
    # The agency that arrested them cannot ask itself; it asks the one that is to receive them.
    own = hub.caller(ASSAULT, "operations_officer", "liaison_officer")
    itself = await own.post(requests, asking)
    assert (itself.status_code, itself.json()["errors"][0]["code"]) == (422, "own-agency")
    assert (await own.post(requests, {**asking, "requested_agency": LEAD})).status_code == 201
    victims = await both.post(requests, {**asking, "legal_act": "voluntary_repatriation"})
    assert (victims.status_code, victims.json()["errors"][0]["code"]) == (422, "act-does-not-fit")
