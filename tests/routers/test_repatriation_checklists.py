"""Checklists over HTTP: made of rules, worked off by the side that answers for each item, and waited for."""

import json
from typing import Any

import pytest

from tests.conftest import Hub, Partner
from tests.events.following import place
from tests.persons.people import KIM
from tests.records.retaining import purge
from tests.routers.agreeing import conclude
from tests.routers.checking import DOCUMENT, REASON, act, checklist, completed, item, settled
from tests.routers.repatriating import (
    REMAINS,
    REQUESTED,
    REQUESTING,
    STRANGER,
    SUSPECT,
    TRANSIT,
    VICTIM,
    accepted,
    add_person,
    draft,
    officer,
    state,
    stepped,
    submitted,
)


def codes(found: dict[str, Any]) -> list[str]:
    return [one["code"] for one in found["items"]]


LIVING = ["identity_verified", "trafficking_screening", "non_refoulement", "consent_or_order"]
TRAVEL = ["travel_document", "exit_clearance", "fitness_to_fly", "escorts", "reception"]
DEAD = [
    "identification",
    "next_of_kin_consent",
    "autopsy_requested",
    "autopsy_agreed",
    "autopsy_performed",
    "release",
    "death_certificate",
    "embalming_or_cremation",
    "sealed_coffin",
    "air_waybill",
    "handover_to_family",
]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (VICTIM, [*LIVING, *TRAVEL]),
        (SUSPECT, [*LIVING, "no_extradition_pending", *TRAVEL]),
        ({**SUSPECT, "legal_act": "extradition"}, [*LIVING, *TRAVEL]),
        ({**SUSPECT, "legal_act": "transfer_of_sentenced_person"}, [*LIVING, *TRAVEL]),
        # From Cambodia to Korea no treaty knows a laissez-passer for a corpse, so none is asked for.
        (REMAINS, DEAD),
        ({**REMAINS, "transit_agencies": [TRANSIT]}, [*DEAD[:8], "transit_permit", *DEAD[8:]]),
    ],
)
async def test_the_default_rules_ask_for_what_a_request_needs(
    hub: Hub, fields: dict[str, Any], expected: list[str]
) -> None:
    korea = officer(hub, REQUESTING)
    hub.register(REQUESTED)
    hub.register(TRANSIT)
    path = await draft(korea, **fields)
    assert await checklist(korea, path) == {
        "version": 0,
        "submitted_at": None,
        "updated_at": None,
        "open": 0,
        "items": [],
    }
    await stepped(korea, path, "submit")
    made = await checklist(korea, path)
    assert codes(made) == expected
    assert (made["version"], made["open"]) == (1, len(expected))
    assert {one["state"] for one in made["items"]} == {"open"}


async def test_items_say_whose_they_are_when_they_are_due_and_what_they_follow_from(hub: Hub) -> None:
    korea = officer(hub, REQUESTING)
    hub.register(REQUESTED)
    path = await submitted(korea, due_at="2099-03-31T00:00:00Z")
    flying = await item(korea, path, "fitness_to_fly")
    assert flying == {
        "code": "fitness_to_fly",
        "title": "Fit to fly",
        "state": "open",
        "side": "requested",
        "per": "person",
        "before": "clear",
        "needs": "document",
        "waivable": True,
        "due_at": "2099-03-30T00:00:00.000000Z",
        "overdue": False,
        "flagged": False,
        "persons": {"total": 0, "completed": 0, "waived": 0, "open": [], "flagged": []},
        "settled_by": None,
        "settled_at": None,
        "note": None,
        "document": None,
        "attachment": None,
        "results": None,
        "source": "Council Decision 2004/573/EC, annex",
        "history": [],
    }
    before = await checklist(korea, path)
    await korea.patch(path, {"due_at": "2099-02-28T00:00:00Z"}, etag="*")
    after = await checklist(korea, path)
    assert (await item(korea, path, "fitness_to_fly"))["due_at"] == "2099-02-27T00:00:00.000000Z"
    assert after["version"] == before["version"] + 1
    assert (await state(korea, path)) == "submitted"


async def test_a_transit_agency_reads_a_reader_does_not_and_a_stranger_finds_nothing(hub: Hub) -> None:
    korea, cambodia, thailand, stranger = (
        officer(hub, agency) for agency in (REQUESTING, REQUESTED, TRANSIT, STRANGER)
    )
    reader = officer(hub, "INTERPOL")
    handling = {"tlp": "AMBER", "audience": {"agencies": ["INTERPOL"]}}
    path = await submitted(korea, transit_agencies=[TRANSIT], handling=handling)
    await add_person(korea, path, KIM)
    assert codes(await checklist(thailand, path)) == codes(await checklist(cambodia, path))
    for action, body in (("complete", {}), ("waive", REASON), ("reopen", REASON)):
        mine = await act(thailand, path, "escorts", action, body)
        assert (mine.status_code, mine.json()["type"]) == (403, "/problems/not-your-side")
        assert (await act(reader, path, "escorts", action, body)).status_code == 403
        assert (await act(stranger, path, "escorts", action, body)).status_code == 404
    assert (await reader.get(f"{path}/checklist")).status_code == 403
    assert (await stranger.get(f"{path}/checklist")).status_code == 404
    assert (await act(korea, path, "no_such_item", "complete")).status_code == 404


async def test_another_category_makes_the_checklist_anew_and_keeps_what_is_done(hub: Hub) -> None:
    korea, cambodia, thailand = (officer(hub, agency) for agency in (REQUESTING, REQUESTED, TRANSIT))
    path = await accepted(korea, cambodia, **SUSPECT)
    await add_person(korea, path, KIM)
    await settled(korea, cambodia, path)
    await act(cambodia, path, "exit_clearance", "reopen", REASON)
    await act(cambodia, path, "exit_clearance", "waive", REASON)
    changed = await korea.patch(path, {"category": "victim", "legal_act": "voluntary_repatriation"}, etag="*")
    assert changed.json()["state"] == "submitted"
    again = await checklist(korea, path)
    assert codes(again) == [*LIVING, *TRAVEL]
    # The order of a deportation is no consent: another side answers for that now.
    assert {one["code"] for one in again["items"] if one["state"] == "open"} == {"consent_or_order"}
    consent = await item(korea, path, "consent_or_order")
    assert [(one["action"], one["agency"]) for one in consent["history"]] == [
        ("complete", REQUESTED),
        ("reopen", None),
    ]
    await korea.patch(path, {"requested_agency": TRANSIT, "from_country": "TH"}, etag="*")
    open_ = {one["code"] for one in (await checklist(thailand, path))["items"] if one["state"] == "open"}
    assert open_ == {
        "trafficking_screening",
        "non_refoulement",
        "consent_or_order",
        *TRAVEL,
    }


async def test_the_parties_are_told_of_the_item_and_of_nothing_else(hub: Hub) -> None:
    korea, cambodia, thailand = (officer(hub, agency) for agency in (REQUESTING, REQUESTED, TRANSIT))
    path = await submitted(korea, transit_agencies=[TRANSIT])
    await completed(korea, path, "escorts", note="Two officers.")
    place(hub)
    for partner in (korea, cambodia, thailand):
        told = [one for one in await _events(partner) if one["type"].endswith("repatriation.checklist_changed")]
        assert [one["data"]["detail"] for one in told] == [{"item": "escorts"}]


async def test_an_agency_that_does_not_see_persons_sees_how_items_stand_and_not_for_whom(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    agreement = await conclude(korea, cambodia, persons_data=False, record_kinds=["repatriation-requests"])
    handling = {"tlp": "AMBER", "legal_basis": agreement.rpartition("/")[2]}
    path = await submitted(korea, handling=handling)
    person = await add_person(korea, path, KIM)
    await completed(korea, path, "identity_verified")
    seen = await item(cambodia, path, "identity_verified", purpose=True)
    assert (seen["state"], seen["persons"], seen["history"][0]["persons"]) == ("completed", None, None)
    assert (await item(cambodia, path, "trafficking_screening", purpose=True))["results"] is None
    assert person not in (await cambodia.get(f"{path}/checklist")).text
    refused = await act(cambodia, path, "fitness_to_fly", "complete", {"document": DOCUMENT})
    assert "does not cover data of persons" in refused.json()["detail"]


async def test_a_retracted_request_has_no_checklist_and_a_purge_leaves_nothing_of_it(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    path = await submitted(korea)
    await add_person(korea, path, KIM)
    await completed(korea, path, "escorts", note="Two officers.")
    await completed(cambodia, path, "trafficking_screening", result="no_indication")
    await stepped(korea, path, "withdraw")
    over = await act(korea, path, "reception", "complete")
    assert (over.status_code, over.json()["type"]) == (409, "/problems/conflict")
    assert (await korea.post(f"{path}/retract", etag="*")).status_code == 200
    for partner, problem in ((korea, "retracted"), (cambodia, "forbidden")):
        assert (await partner.get(f"{path}/checklist")).json()["type"] == f"/problems/{problem}"
    assert (await act(korea, path, "reception", "complete")).status_code == 409
    await purge(hub, path.rpartition("/")[2])
    tables = ("checklists", "checklist_items", "checklist_steps", "checklist_versions", "screenings", "person_marks")
    assert [hub.look(f"SELECT count(*) FROM {table}")[0][0] for table in tables] == [0] * len(tables)  # noqa: S608 - constants


async def test_every_agency_reads_the_rules_and_nobody_changes_them_over_http(hub: Hub) -> None:
    korea = officer(hub, REQUESTING)
    page = await korea.get("/v1/checklist-rules?limit=500")
    rules = page.json()["items"]
    assert {rule["code"] for rule in rules} >= {*LIVING, *TRAVEL, *DEAD, "transit_permit", "no_extradition_pending"}
    some = (await korea.get("/v1/checklist-rules?code=consent_or_order&limit=2")).json()
    assert ({rule["code"] for rule in some["items"]}, bool(some["next_cursor"])) == ({"consent_or_order"}, True)
    assert (await korea.post("/v1/checklist-rules", rules[0])).status_code == 405
    analyst = hub.partner("SG-SPF", "analyst")
    assert (await analyst.get("/v1/checklist-rules")).status_code == 403


async def test_the_closest_rule_holds_and_one_can_take_an_item_away(hub: Hub) -> None:
    korea = officer(hub, REQUESTING)
    hub.register(REQUESTED)
    common = {"per": "request", "before": "clear", "needs": "nothing", "with_transit": False, "place": 1}
    common |= {"waivable": True, "side": "requesting", "asked": False}
    for rule in (
        {"code": "visa", "title": "Visa", "asked": True},
        {"code": "visa", "title": "Visa of Cambodia", "side": "requested", "asked": True, "from_country": "KH"},
        {"code": "visa", "title": "Visa of the dead", "category": "remains"},
        {"code": "escorts", "title": "Escorts", "category": "victim", "to_country": "KR"},
    ):
        hub.operator("SELECT set_checklist_rule(%s::jsonb)", json.dumps({**common, **rule}))
    victim = await checklist(korea, await submitted(korea))
    assert (codes(victim)[0], victim["items"][0]["title"]) == ("visa", "Visa of Cambodia")
    assert "escorts" not in codes(victim)
    suspect = await checklist(korea, await submitted(korea, **{**SUSPECT, "from_country": "TH"}))
    assert (suspect["items"][0]["title"], "escorts" in codes(suspect)) == ("Visa", True)
    # Both name one thing: the country left counts more than the category.
    assert "visa" in codes(await checklist(korea, await submitted(korea, **REMAINS)))
    assert "visa" not in codes(await checklist(korea, await submitted(korea, **{**REMAINS, "from_country": "TH"})))


async def _events(partner: Partner) -> list[dict[str, Any]]:
    answer = await partner.get("/v1/events?limit=500")
    return list(answer.json()["items"])
