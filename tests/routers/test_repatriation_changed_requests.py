"""What stays of a checklist when its request asks for something else, or asks somebody else."""

from typing import Any

from tests.conftest import Hub, Partner
from tests.persons.people import KIM
from tests.routers.checking import DOCUMENT, PURPOSE, REASON, act, completed, item, settled
from tests.routers.repatriating import (
    REQUESTED,
    REQUESTING,
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
