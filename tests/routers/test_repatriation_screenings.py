"""Screening for trafficking: asked for of everybody alive, shown to hardly anybody, and a victim is no suspect."""

from typing import Any

from app.core.database_roles import DatabaseRole
from tests.conftest import Hub
from tests.events.following import place
from tests.persons.people import KIM
from tests.routers.checking import PURPOSE, REASON, act, checklist, completed, item, settled
from tests.routers.repatriating import (
    REQUESTED,
    REQUESTING,
    SUSPECT,
    TRANSIT,
    accepted,
    add_person,
    officer,
    step,
    stepped,
    submitted,
)

CODE = "trafficking_screening"
LEE: dict[str, Any] = {"names": [{"name": "LEE Dara"}], "roles": [{"role": "suspect", "since": "2026-11"}]}


def flaws(answer: Any) -> list[tuple[str, str]]:
    return [(flaw["pointer"], flaw["code"]) for flaw in answer.json()["errors"]]


async def test_a_screening_takes_a_result_a_purpose_and_the_right_to_write_of_persons(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    path = await submitted(korea, **SUSPECT)
    await add_person(korea, path, KIM)
    complete = f"{path}/checklist/{CODE}/complete"
    silent = await cambodia.post(complete, {"result": "victim"}, etag="*")
    assert (silent.status_code, silent.json()["type"]) == (400, "/problems/purpose-required")
    narrow = hub.caller(REQUESTED, "liaison_officer")
    narrow.access_token = hub.token(narrow.client_id, scope=["repatriations:read", "repatriations:write"])
    refused = await narrow.post(complete, {"result": "victim"}, etag="*", headers=PURPOSE)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/forbidden")
    assert "persons:write" in refused.json()["detail"]
    assert flaws(await act(cambodia, path, CODE, "complete")) == [("/result", "result-missing")]
    assert flaws(await act(korea, path, "escorts", "complete", {"result": "victim"})) == [
        ("/result", "result-not-asked")
    ]
    assert (await act(cambodia, path, CODE, "waive", REASON)).json()["detail"] == "This item is never waived."


async def test_who_was_screened_as_a_victim_is_not_cleared_as_a_suspect(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    path = await accepted(korea, cambodia, **SUSPECT)
    victim, suspect = await add_person(korea, path, KIM), await add_person(korea, path, LEE)
    await completed(cambodia, path, CODE, persons=[victim], result="victim")
    early = await step(cambodia, path, "clear", headers=PURPOSE)
    assert (early.status_code, early.json()["type"]) == (409, "/problems/screened-as-victim")
    assert flaws(early) == [(f"/persons/{victim}", "screened-as-victim")]
    await completed(cambodia, path, CODE, persons=[suspect], result="no_indication")
    await settled(korea, cambodia, path)
    assert (await step(cambodia, path, "clear", headers=PURPOSE)).json()["type"] == "/problems/screened-as-victim"
    # Screened again, with another result: the last one counts, and both are in the history.
    await act(cambodia, path, CODE, "reopen", {"reason": "New evidence.", "persons": [victim]})
    await completed(cambodia, path, CODE, result="no_indication")
    await stepped(cambodia, path, "clear")
    assert [one["action"] for one in (await item(korea, path, CODE))["history"]] == [
        *("complete", "complete", "reopen", "complete")
    ]


async def test_a_screening_that_came_to_no_result_leaves_the_item_open(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    path = await submitted(korea, **SUSPECT)
    person = await add_person(korea, path, KIM)
    await completed(cambodia, path, CODE, result="inconclusive", note="No interpreter was there.")
    seen = await item(korea, path, CODE, purpose=True)
    assert (seen["state"], seen["persons"]["open"]) == ("open", [person])
    assert seen["results"] == [{"person": person, "result": "inconclusive"}]
    assert [one["note"] for one in seen["history"]] == ["No interpreter was there."]
    blind = await item(korea, path, CODE)
    assert (blind["results"], blind["history"]) == (None, [])
    await completed(cambodia, path, CODE, result="no_indication")
    assert (await item(korea, path, CODE))["state"] == "completed"


async def test_a_result_stands_in_the_checklist_and_nowhere_else(hub: Hub) -> None:
    korea, cambodia, thailand = (officer(hub, agency) for agency in (REQUESTING, REQUESTED, TRANSIT))
    unread = hub.caller(REQUESTING, "connector")
    path = await submitted(korea, transit_agencies=[TRANSIT], **SUSPECT)
    person = await add_person(korea, path, KIM)
    answer = await completed(cambodia, path, CODE, result="no_indication")
    (shown,) = [one for one in answer["items"] if one["code"] == CODE]
    assert shown["results"] == [{"person": person, "result": "no_indication"}]
    assert (await item(korea, path, CODE, purpose=True))["results"] == shown["results"]
    for caller, purpose in ((korea, False), (unread, True), (unread, False), (thailand, True)):
        seen = await item(caller, path, CODE, purpose=purpose)
        assert (seen["state"], seen["results"]) == ("completed", None)
        assert "no_indication" not in str(await checklist(caller, path, purpose=purpose))
    reads = hub.look("SELECT detail FROM audit_entries WHERE action = 'checklist.read' AND detail IS NOT NULL")
    assert {tuple(detail["screenings"]) for (detail,) in reads} == {(person,)}
    place(hub)
    for table in ("events", "audit_entries", "records", "record_versions", "checklist_steps"):
        rows = hub.look(f"SELECT t::text FROM {table} AS t")  # noqa: S608 - constants
        assert not [row for (row,) in rows if "no_indication" in row], table
    assert (await cambodia.call("DELETE", f"{path}/persons/{person}", headers={**PURPOSE, "If-Match": "*"})).is_success
    assert hub.look("SELECT * FROM screenings") == []


async def test_who_was_entered_after_the_request_was_cleared_keeps_it_from_leaving(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    path = await accepted(korea, cambodia, **SUSPECT)
    await add_person(korea, path, KIM)
    assert not _cleared(hub, path)
    await settled(korea, cambodia, path)
    await stepped(cambodia, path, "clear")
    assert _cleared(hub, path)
    second = await add_person(korea, path, LEE)
    assert not _cleared(hub, path)
    await completed(cambodia, path, CODE, result="victim")
    await settled(korea, cambodia, path)
    assert not _cleared(hub, path)
    assert (await step(korea, path, "schedule", headers=PURPOSE)).json()["type"] == "/problems/screened-as-victim"
    headers = {**PURPOSE, "If-Match": "*"}
    assert (await cambodia.call("DELETE", f"{path}/persons/{second}", headers=headers)).status_code == 204
    assert _cleared(hub, path)
    await act(korea, path, "escorts", "reopen", REASON)
    assert not _cleared(hub, path)
    assert (await step(korea, path, "schedule")).json()["type"] == "/problems/checklist-open"


def _cleared(hub: Hub, path: str) -> bool:
    """What the functions of transports ask."""
    with hub.transaction(DatabaseRole.OWNER) as connection:
        connection.execute("SET LOCAL ROLE interdesk_engine")
        question = "SELECT journey_is_cleared(r) FROM records r WHERE r.id = %s"
        ((answer,),) = connection.execute(question, [path.rpartition("/")[2]]).fetchall()
    return bool(answer)
