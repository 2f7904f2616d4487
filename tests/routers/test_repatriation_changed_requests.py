"""What stays of a checklist when its request asks for something else, or asks somebody else."""

from typing import Any

from tests.conftest import Hub, Partner
from tests.persons.people import KIM
from tests.routers.checking import DOCUMENT, PURPOSE, REASON, act, checklist, completed, item, settled
from tests.routers.repatriating import (
    REMAINS,
    REQUESTED,
    REQUESTING,
    SUSPECT,
    TRANSIT,
    accepted,
    add_person,
    officer,
    step,
    stepped,
)

CODE = "trafficking_screening"
NOTE = "Held since July."


async def changed(korea: Partner, path: str, **fields: Any) -> None:
    answer = await korea.patch(path, fields, etag="*")
    assert (answer.status_code, answer.json().get("state")) == (200, "submitted"), answer.text


async def open_items(partner: Partner, path: str) -> set[str]:
    return {one["code"] for one in (await checklist(partner, path))["items"] if one["state"] == "open"}


async def test_who_is_asked_in_the_place_of_another_reads_nothing_of_what_that_one_did(hub: Hub) -> None:
    korea, cambodia, thailand = (officer(hub, agency) for agency in (REQUESTING, REQUESTED, TRANSIT))
    path = await accepted(korea, thailand, requested_agency=TRANSIT, category="suspect", legal_act="deportation")
    person = await add_person(korea, path, KIM)
    await completed(thailand, path, CODE, result="victim", note=NOTE)
    await completed(thailand, path, "non_refoulement", document=DOCUMENT, note=NOTE)
    await completed(korea, path, "escorts", note="Two officers.")
    await changed(korea, path, requested_agency=REQUESTED)
    seen = await cambodia.get(f"{path}/checklist", headers=PURPOSE)
    for hidden in (NOTE, TRANSIT, DOCUMENT["title"], "victim"):
        assert hidden not in seen.text
    for code in (CODE, "non_refoulement"):
        blind = await item(cambodia, path, code, purpose=True)
        assert (blind["state"], blind["history"], blind["results"] or []) == ("open", [], [])
    assert [one["note"] for one in (await item(cambodia, path, "escorts"))["history"]] == ["Two officers."]
    # Who asked both of them keeps all of it.
    kept = await item(korea, path, CODE, purpose=True)
    assert [(one["action"], one["agency"], one["note"]) for one in kept["history"]] == [
        ("complete", TRANSIT, NOTE),
        ("reopen", None, "The request changed."),
    ]
    assert kept["results"] == [{"person": person, "result": "victim"}]
    # No step tells of it either, and the new side's own screening is the one that counts.
    await stepped(cambodia, path, "acknowledge", "accept")
    refused = await step(cambodia, path, "clear", headers=PURPOSE)
    assert (refused.json()["type"], person in refused.text) == ("/problems/checklist-open", False)
    await completed(cambodia, path, CODE, result="no_indication")
    await settled(korea, cambodia, path)
    await stepped(cambodia, path, "clear")
    assert [one["agency"] for one in (await item(cambodia, path, CODE))["history"]] == [REQUESTED]


async def test_an_agency_that_is_asked_again_finds_its_own_work(hub: Hub) -> None:
    korea, cambodia, thailand = (officer(hub, agency) for agency in (REQUESTING, REQUESTED, TRANSIT))
    path = await accepted(korea, thailand, requested_agency=TRANSIT)
    await add_person(korea, path, KIM)
    await completed(thailand, path, "exit_clearance", note=NOTE)
    await changed(korea, path, requested_agency=REQUESTED)
    await completed(cambodia, path, "exit_clearance", note="At the airport.")
    await act(cambodia, path, "exit_clearance", "reopen", REASON)
    await changed(korea, path, requested_agency=TRANSIT)
    history = (await item(thailand, path, "exit_clearance"))["history"]
    assert [(one["agency"], one["note"]) for one in history] == [(TRANSIT, NOTE), (None, "The request changed.")]


async def test_an_order_of_one_act_is_no_order_of_another(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    path = await accepted(korea, cambodia, **SUSPECT)
    await add_person(korea, path, KIM)
    await settled(korea, cambodia, path)
    for legal_act, title in (
        ("extradition", "Extradition order after a hearing"),
        ("transfer_of_sentenced_person", "Consent of the person and of both states"),
        ("deportation", "Deportation order"),
    ):
        await changed(korea, path, legal_act=legal_act)
        order = await item(cambodia, path, "consent_or_order")
        assert (order["title"], order["state"], order["document"]) == (title, "open", None)
        assert await open_items(cambodia, path) == {"consent_or_order"}
        await settled(korea, cambodia, path)


async def test_of_another_journey_only_what_was_found_out_about_somebody_is_true_still(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    path = await accepted(korea, cambodia)
    await add_person(korea, path, KIM)
    everything = await open_items(cambodia, path)
    for fields in ({"from_country": "TH"}, {"to_country": "CN"}):
        await settled(korea, cambodia, path)
        assert await open_items(cambodia, path) == set()
        await changed(korea, path, **fields)
        assert await open_items(cambodia, path) == everything - {"identity_verified", CODE}
    remains = await accepted(korea, cambodia, **REMAINS)
    await add_person(korea, remains, KIM)
    await settled(korea, cambodia, remains)
    await changed(korea, remains, to_country="CN")
    assert await open_items(cambodia, remains) == {
        *("next_of_kin_consent", "release", "embalming_or_cremation", "sealed_coffin", "air_waybill"),
        "handover_to_family",
    }
