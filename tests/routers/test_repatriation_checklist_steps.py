"""Items of checklists: completed, waived and opened again by the side that answers for them, and waited for."""

import asyncio
from typing import Any

from tests.conftest import Hub
from tests.persons.people import KIM
from tests.routers.attaching import attached
from tests.routers.checking import DOCUMENT, PURPOSE, REASON, act, checklist, completed, item, settled
from tests.routers.repatriating import (
    REMAINS,
    REQUESTED,
    REQUESTING,
    accepted,
    add_person,
    cleared,
    officer,
    step,
    stepped,
    submitted,
)
from tests.routers.test_repatriation_checklists import LIVING, TRAVEL


def flaws(answer: Any) -> list[tuple[str, str]]:
    return [(flaw["pointer"], flaw["code"]) for flaw in answer.json()["errors"]]


async def test_each_side_completes_its_own_items_and_clear_waits_for_all_of_them(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    path = await accepted(korea, cambodia)
    refused = await step(cambodia, path, "clear")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/checklist-open")
    assert flaws(refused) == [
        *((f"/checklist/{code}", "no-person-entered") for code in [*LIVING, *TRAVEL[:3]]),
        ("/checklist/escorts", "item-open"),
        ("/checklist/reception", "item-open"),
    ]
    person = await add_person(korea, path, KIM)
    other = await act(cambodia, path, "travel_document", "complete", {"document": DOCUMENT})
    assert (other.status_code, other.json()["type"]) == (403, "/problems/not-your-side")
    bare = await act(korea, path, "travel_document", "complete")
    assert (bare.status_code, flaws(bare)) == (422, [("/document", "document-missing")])
    done = await completed(korea, path, "travel_document", document=DOCUMENT, note="Issued at the embassy.")
    shown = await item(cambodia, path, "travel_document")
    assert shown in done["items"]
    assert (shown["state"], shown["settled_by"], shown["note"]) == ("completed", REQUESTING, "Issued at the embassy.")
    assert shown["document"] == {**DOCUMENT, "issued_on": None}
    assert shown["persons"] == {"total": 1, "completed": 1, "waived": 0, "open": [], "flagged": []}
    (entry,) = shown["history"]
    assert (entry["action"], entry["agency"], entry["persons"]) == ("complete", REQUESTING, [person])
    again = await act(korea, path, "travel_document", "complete", {"document": DOCUMENT})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/conflict")
    await settled(korea, cambodia, path)
    await stepped(cambodia, path, "clear")
    late = await step(korea, path, "schedule")
    assert late.status_code == 200, late.text


async def test_only_its_own_side_waives_with_a_reason_and_by_who_decides(hub: Hub) -> None:
    korea = officer(hub, REQUESTING)
    liaison, commander = hub.partner(REQUESTED, "liaison_officer"), hub.caller(REQUESTED, "commander")
    path = await submitted(korea)
    await add_person(korea, path, KIM)
    assert (await act(liaison, path, "exit_clearance", "waive", REASON)).status_code == 403
    assert (await act(korea, path, "exit_clearance", "waive", REASON)).json()["type"] == "/problems/not-your-side"
    assert flaws(await act(commander, path, "exit_clearance", "waive")) == [("/reason", "missing")]
    waived = await act(commander, path, "exit_clearance", "waive", REASON)
    assert waived.status_code == 200, waived.text
    shown = await item(korea, path, "exit_clearance")
    assert (shown["state"], shown["note"], shown["settled_by"]) == ("waived", REASON["reason"], REQUESTED)
    # Who may see persons and decide on them is refused for what the item is, and not for what it may.
    whoever_decides = hub.caller(REQUESTED, "commander", "liaison_officer")
    for code in ("trafficking_screening", "non_refoulement"):
        refused = await act(whoever_decides, path, code, "waive", REASON)
        assert (refused.status_code, refused.json()["detail"]) == (409, "This item is never waived.")
        assert (await item(korea, path, code))["state"] == "open"
    remains = await submitted(korea, **REMAINS)
    await add_person(korea, remains, KIM)
    kin = await act(korea, remains, "next_of_kin_consent", "waive", REASON)
    assert (kin.status_code, kin.json()["detail"]) == (409, "This item is never waived.")
    assert (await act(korea, remains, "autopsy_requested", "waive", REASON)).status_code == 200


async def test_what_is_settled_is_opened_again_for_a_reason_and_all_of_it_is_kept(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    path = await submitted(korea)
    assert (await act(korea, path, "escorts", "reopen", REASON)).status_code == 409
    await completed(korea, path, "escorts", note="Two officers.")
    assert (await act(cambodia, path, "escorts", "reopen", REASON)).status_code == 403
    opened = await act(korea, path, "escorts", "reopen", {"reason": "One of them fell ill."})
    assert opened.status_code == 200, opened.text
    await completed(korea, path, "escorts", note="Three officers.")
    shown = await item(cambodia, path, "escorts")
    assert [(one["action"], one["note"]) for one in shown["history"]] == [
        ("complete", "Two officers."),
        ("reopen", "One of them fell ill."),
        ("complete", "Three officers."),
    ]
    assert (shown["state"], shown["note"]) == ("completed", "Three officers.")


async def test_persons_are_counted_as_they_come_and_go(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    path = await submitted(korea)
    first, second = [await add_person(korea, path, KIM) for _ in range(2)]
    unknown = await act(korea, path, "identity_verified", "complete", {"persons": [first, path.rpartition("/")[2]]})
    assert (unknown.status_code, flaws(unknown)) == (422, [("/persons/1", "unknown-reference")])
    assert flaws(await act(korea, path, "escorts", "complete", {"persons": [first]})) == [
        ("/persons", "not-for-persons")
    ]
    await completed(korea, path, "identity_verified", persons=[first])
    shown = await item(korea, path, "identity_verified")
    assert (shown["state"], shown["persons"]["completed"], shown["persons"]["open"]) == ("open", 1, [second])
    twice = await act(korea, path, "identity_verified", "complete", {"persons": [first, second]})
    assert (twice.status_code, flaws(twice)) == (409, [("/persons/0", "state-does-not-fit")])
    await completed(korea, path, "identity_verified")
    assert (await item(korea, path, "identity_verified"))["state"] == "completed"
    before = (await checklist(korea, path))["version"]
    third = await add_person(cambodia, path, KIM)
    shown = await item(korea, path, "identity_verified")
    assert (shown["state"], shown["persons"]["open"]) == ("open", [third])
    assert (await checklist(korea, path))["version"] == before + 1
    gone = await korea.call("DELETE", f"{path}/persons/{third}", headers={**PURPOSE, "If-Match": '"1"'})
    assert gone.status_code == 204
    shown = await item(korea, path, "identity_verified")
    assert (shown["state"], shown["persons"]["total"]) == ("completed", 2)


async def test_somebody_entered_after_the_request_was_cleared_does_not_leave_unexamined(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    path = await cleared(korea, cambodia)
    await add_person(korea, path, KIM)
    refused = await step(korea, path, "schedule")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/checklist-open")
    await settled(korea, cambodia, path)
    await stepped(korea, path, "schedule")
    await act(cambodia, path, "fitness_to_fly", "reopen", {"reason": "She has a fever."})
    assert flaws(await step(cambodia, path, "depart")) == [("/checklist/fitness_to_fly", "item-open")]
    await settled(korea, cambodia, path)
    await stepped(cambodia, path, "depart")
    over = await act(cambodia, path, "fitness_to_fly", "reopen", REASON)
    assert (over.status_code, over.json()["type"]) == (409, "/problems/conflict")


async def test_two_desks_that_work_on_one_checklist_do_not_pass_over_each_other(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    colleague = hub.caller(REQUESTING, "liaison_officer")
    path = await submitted(korea)
    await add_person(korea, path, KIM)
    tag = f'"{(await checklist(korea, path))["version"]}"'
    both = await asyncio.gather(
        act(korea, path, "escorts", "complete", {"note": "Two officers."}, etag=tag),
        act(colleague, path, "reception", "complete", {"note": "A social worker."}, etag=tag),
        act(cambodia, path, "exit_clearance", "complete", etag=tag),
    )
    assert sorted(answer.status_code for answer in both) == [200, 412, 412]
    same = await asyncio.gather(*(act(one, path, "identity_verified", "complete") for one in (korea, colleague)))
    assert sorted(answer.status_code for answer in same) in ([200, 409], [200, 412])
    missing = await korea.post(f"{path}/checklist/reception/complete", {})
    assert missing.status_code == 428
    assert (await act(korea, path, "reception", "complete", etag='"0"')).status_code == 412


async def test_a_repeated_call_does_nothing_twice_and_answers_what_the_first_one_made(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    path = await submitted(korea)
    await add_person(korea, path, KIM)
    options: dict[str, Any] = {"etag": "*", "headers": {"Idempotency-Key": "c-1"}}
    first = await act(korea, path, "identity_verified", "complete", {"note": "By fingerprints."}, **options)
    await add_person(cambodia, path, KIM)
    await completed(korea, path, "escorts")
    again = await act(korea, path, "identity_verified", "complete", {"note": "By fingerprints."}, **options)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.json(), again.headers["ETag"]) == (first.json(), first.headers["ETag"])
    assert (await item(korea, path, "identity_verified"))["persons"]["total"] == 2
    other = await act(korea, path, "identity_verified", "complete", {"note": "Otherwise."}, **options)
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-mismatch")


async def test_what_is_wrong_with_a_call_is_refused_in_the_contracts_order(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    path = await submitted(korea)
    complete, escorts = f"{path}/checklist/escorts/complete", {"note": "Two officers."}
    analyst, connector = hub.caller(REQUESTING, "analyst"), hub.caller(REQUESTING, "connector")
    assert (await analyst.get(f"{path}/checklist")).status_code == 403
    assert (await connector.get(f"{path}/checklist")).status_code == 200
    assert (await connector.post(complete, escorts, etag="*")).status_code == 403
    assert (await cambodia.post(complete, escorts)).json()["type"] == "/problems/not-your-side"
    assert (await korea.post(f"{path}/checklist/nothing/complete", escorts)).status_code == 404
    assert (await korea.post(complete, escorts)).status_code == 428
    assert (await korea.post(complete, {"note": 5}, etag='"7"')).status_code == 412
    large = {"note": "x" * (hub.settings.body_limit + 1)}
    assert (await korea.post(complete, large, etag="*")).status_code == 413
    typed = {"If-Match": "*", "Content-Type": "text/plain"}
    assert (await korea.call("POST", complete, content="{}", headers=typed)).status_code == 415
    wrong = await korea.post(
        complete, {"note": " ", "by": "me", "document": {"title": "A", "issued_on": "2999-01-01"}}, "*"
    )
    assert sorted(flaws(wrong)) == [
        ("/by", "extra-forbidden"),
        ("/document/issued_on", "date-ahead"),
        ("/note", "string-too-short"),
    ]
    assert (await checklist(korea, path))["version"] == 1
    done = await korea.post(complete, escorts, etag='"1"')
    assert (done.status_code, done.headers["ETag"]) == (200, '"2"')
    hub.operator("UPDATE credentials SET status = 'revoked', revoked_at = now() WHERE client_id = %s", korea.client_id)
    assert (await korea.post(complete, escorts, etag="*")).status_code == 401


async def test_a_caveat_is_acknowledged_before_the_checklist_is_shown(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    caveat = "Ask before you act on it."
    path = await submitted(korea, handling={"tlp": "AMBER", "codes": ["H3"], "caveat": caveat})
    for answer in (
        await cambodia.get(f"{path}/checklist"),
        await act(cambodia, path, "exit_clearance", "waive", REASON),
    ):
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/acknowledgement-required")
    assert (await cambodia.post(f"{path}/handling/acknowledge", {"caveat": caveat})).status_code == 200
    assert (await checklist(cambodia, path))["version"] == 1


async def test_a_file_of_the_request_shows_that_an_item_is_done(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    path, other = await submitted(korea), await submitted(korea)
    await add_person(korea, path, KIM)
    kind = "repatriation-requests"
    foreign, ours = [await attached(cambodia, one, kind=kind) for one in (other, path)]
    for wrong in (foreign.rpartition("/")[2], path.rpartition("/")[2]):
        refused = await act(cambodia, path, "fitness_to_fly", "complete", {"attachment": wrong})
        assert (refused.status_code, flaws(refused)) == (422, [("/attachment", "unknown-reference")])
    await completed(cambodia, path, "fitness_to_fly", attachment=ours.rpartition("/")[2])
    shown = await item(korea, path, "fitness_to_fly")
    assert (shown["state"], shown["attachment"]) == ("completed", ours.rpartition("/")[2])
    assert shown["history"][0]["attachment"] == shown["attachment"]
