"""A deportation while an extradition is pending: told to whoever sees both, and to nobody who sees one."""

from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from app.core.database_roles import DatabaseRole
from tests.conftest import Hub, Partner
from tests.events.following import place
from tests.persons.people import KIM, PURPOSE
from tests.routers.checking import REASON, act, checklist, completed, item, settled
from tests.routers.grouping import found
from tests.routers.repatriating import (
    SUSPECT,
    accepted,
    add_person,
    draft,
    officer,
    step,
    stepped,
    submitted,
)

CODE = "no_extradition_pending"
EXTRADITION = {**SUSPECT, "legal_act": "extradition"}
ELSEWHERE: dict[str, Any] = {
    "names": [{"name": "Gana Kim"}],
    "birth_date": "1998-04-17",
    "travel_documents": [{"type": "passport", "number": "m70689098", "issuing_state": "KOR"}],
    "roles": [{"role": "suspect", "since": "2026-10"}],
}
"""Kim as another agency knows him."""


@dataclass
class Case:
    """Korea has somebody deported by Cambodia; Japan wants him extradited by Cambodia, and Korea does not know."""

    hub: Hub
    korea: Partner
    cambodia: Partner
    japan: Partner

    async def deportation(self, **fields: Any) -> str:
        return await accepted(self.korea, self.cambodia, **{**SUSPECT, **fields})

    async def extradition(self, **fields: Any) -> str:
        path = await submitted(self.japan, **{**EXTRADITION, "to_country": "JP", **fields})
        await add_person(self.japan, path, ELSEWHERE)
        return path

    def told(self) -> list[tuple[str, dict[str, Any]]]:
        place(self.hub)
        rows = self.hub.look("SELECT audience, data FROM events WHERE type = 'repatriation.flagged' ORDER BY at")
        return [(agency, data) for (audience, data) in rows for agency in audience]


@pytest.fixture
async def case(hub: Hub) -> Case:
    return Case(hub, officer(hub, "KR-KNPA"), officer(hub, "KH-CNP"), officer(hub, "JP-NPA"))


async def test_who_sees_both_is_told_and_cannot_clear_without_a_waiver(case: Case) -> None:
    deported = await case.deportation()
    person = await add_person(case.korea, deported, KIM)
    other = await add_person(case.korea, deported, {"roles": [{"role": "suspect", "since": "2026-11"}]})
    assert (await item(case.cambodia, deported, CODE))["flagged"] is False
    await case.extradition()
    shown = await item(case.cambodia, deported, CODE)
    assert (shown["flagged"], shown["persons"]["flagged"]) == (True, [person])
    assert case.told() == [("KH-CNP", {"person": person})]
    audited = case.hub.look("SELECT agency, originators, detail FROM audit_entries WHERE action = 'repatriation.flag'")
    assert audited == [("KH-CNP", [], {"person": person})]
    refused = await act(case.cambodia, deported, CODE, "complete")
    assert (refused.status_code, [flaw["pointer"] for flaw in refused.json()["errors"]]) == (
        409,
        [f"/persons/{person}"],
    )
    await completed(case.cambodia, deported, CODE, persons=[other])
    for one in (await checklist(case.korea, deported))["items"]:
        if one["code"] != CODE:
            await _done(case, deported, one)
    blocked = await step(case.cambodia, deported, "clear")
    assert (blocked.status_code, blocked.json()["type"]) == (409, "/problems/checklist-open")
    assert [(flaw["pointer"], flaw["code"]) for flaw in blocked.json()["errors"]] == [
        (f"/checklist/{CODE}", "extradition-pending")
    ]
    waived = await act(case.cambodia, deported, CODE, "waive", {"reason": "Japan has withdrawn it by letter."})
    assert waived.status_code == 200, waived.text
    still = await item(case.cambodia, deported, CODE)
    assert (still["state"], still["flagged"]) == ("completed", True)
    await stepped(case.cambodia, deported, "clear")


async def _done(case: Case, path: str, one: dict[str, Any]) -> None:
    side = case.korea if one["side"] == "requesting" else case.cambodia
    fields: dict[str, Any] = {"document": {"title": "Paper"}} if one["needs"] == "document" else {}
    await completed(side, path, one["code"], **({"result": "no_indication"} if one["needs"] == "result" else fields))


async def test_who_sees_one_of_them_notices_nothing_at_all(case: Case) -> None:
    deported = await case.deportation()
    await add_person(case.korea, deported, KIM)
    await settled(case.korea, case.cambodia, deported)
    blind = await case.korea.get(f"{deported}/checklist", headers=PURPOSE)
    seeing = await case.cambodia.get(f"{deported}/checklist", headers=PURPOSE)
    assert blind.text == seeing.text
    wanted = await case.extradition()
    after = await case.korea.get(f"{deported}/checklist", headers=PURPOSE)
    assert (after.text, after.headers["ETag"]) == (blind.text, blind.headers["ETag"])
    other = await case.cambodia.get(f"{deported}/checklist", headers=PURPOSE)
    assert (other.headers["ETag"], other.text != blind.text) == (blind.headers["ETag"], True)
    assert {one["flagged"] for one in (await checklist(case.japan, wanted))["items"]} == {False}
    place(case.hub)
    for partner in (case.korea, case.japan):
        events = (await partner.get("/v1/events?limit=500")).json()["items"]
        assert not [one for one in events if one["type"].endswith("flagged")]
    # What was done before the other request came in was not done knowing of it.
    refused = await step(case.cambodia, deported, "clear")
    assert [flaw["code"] for flaw in refused.json()["errors"]] == ["extradition-pending"]


async def test_a_requested_side_that_does_not_see_the_other_request_goes_on(case: Case) -> None:
    deported = await case.deportation()
    await add_person(case.korea, deported, KIM)
    # Asked of another agency of the same country: only Korea sees both.
    case.hub.register("KH-GDI")
    wanted = await submitted(case.korea, **{**EXTRADITION, "requested_agency": "KH-GDI"})
    await add_person(case.korea, wanted, ELSEWHERE)
    assert [agency for agency, _ in case.told()] == ["KR-KNPA"]
    assert (await item(case.korea, deported, CODE))["flagged"] is True
    assert (await item(case.cambodia, deported, CODE))["flagged"] is False
    for one in (await checklist(case.cambodia, deported))["items"]:
        await _done(case, deported, one)
    await stepped(case.cambodia, deported, "clear")
    late = await step(case.korea, deported, "schedule")
    assert [flaw["code"] for flaw in late.json()["errors"]] == ["extradition-pending"]
    await stepped(case.cambodia, deported, "schedule")


async def test_only_what_is_under_way_counts(case: Case) -> None:
    deported = await case.deportation()
    person = await add_person(case.korea, deported, KIM)
    wanted = await draft(case.japan, **{**EXTRADITION, "to_country": "JP"})
    known = await add_person(case.japan, wanted, ELSEWHERE)
    assert (case.told(), (await item(case.cambodia, deported, CODE))["flagged"]) == ([], False)
    await stepped(case.japan, wanted, "submit")
    assert case.told() == [("KH-CNP", {"person": person})]
    other = {"travel_documents": [], "birth_date": "1998-04"}
    headers = {**PURPOSE, "If-Match": "*"}
    assert (await case.japan.patch(f"{wanted}/persons/{known}", other, headers=headers)).status_code == 200
    assert (await item(case.cambodia, deported, CODE))["flagged"] is False
    back = {"birth_date": "1998-04-17"}
    assert (await case.japan.patch(f"{wanted}/persons/{known}", back, headers=headers)).status_code == 200
    assert (await item(case.cambodia, deported, CODE))["flagged"] is True
    await stepped(case.japan, wanted, "withdraw")
    assert (await item(case.cambodia, deported, CODE))["flagged"] is False
    assert len(case.told()) == 1


async def test_a_request_that_becomes_a_deportation_is_compared_then(case: Case) -> None:
    await case.extradition()
    path = await case.deportation(category="victim", legal_act="voluntary_repatriation")
    person = await add_person(case.korea, path, KIM)
    assert case.told() == []
    changed = await case.korea.patch(path, {"category": "suspect", "legal_act": "deportation"}, etag="*")
    assert changed.status_code == 200, changed.text
    assert case.told() == [("KH-CNP", {"person": person})]


async def test_whoever_comes_to_see_both_is_told_by_the_next_run_of_the_worker(case: Case) -> None:
    group = await found(case.korea, "KH-CNP", "JP-NPA")
    deported = await case.deportation(handling={"tlp": "AMBER", "audience": {"groups": [group.rpartition("/")[2]]}})
    person = await add_person(case.korea, deported, KIM)
    await case.extradition()
    assert [agency for agency, _ in case.told()] == ["KH-CNP"]
    await case.japan.accept(group)
    _work(case.hub)
    assert case.told() == [("KH-CNP", {"person": person}), ("JP-NPA", {"person": person})]
    _work(case.hub)
    assert len(case.told()) == 2


def _work(hub: Hub) -> None:
    with psycopg.connect(hub.conninfo(DatabaseRole.WORKER), autocommit=True) as connection:
        connection.execute("SELECT tell_extraditions()")


async def test_marks_are_kept_of_repatriation_requests_alone_and_go_with_the_person(case: Case) -> None:
    path = await case.deportation()
    person = await add_person(case.korea, path, KIM)
    assert case.hub.look("SELECT count(*) FROM person_marks") == [(4,)]
    assert (await act(case.cambodia, path, CODE, "waive", REASON)).status_code == 200
    gone = await case.korea.call("DELETE", f"{path}/persons/{person}", headers={**PURPOSE, "If-Match": "*"})
    assert gone.status_code == 204
    assert case.hub.look("SELECT count(*) FROM person_marks") == [(0,)]
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        psycopg.connect(case.hub.conninfo(DatabaseRole.API)) as connection,
    ):
        connection.execute("SELECT * FROM person_marks")


async def test_a_waiver_given_before_the_other_request_came_is_not_given_knowing_of_it(case: Case) -> None:
    deported = await case.deportation()
    person = await add_person(case.korea, deported, KIM)
    assert (await act(case.cambodia, deported, CODE, "waive", REASON)).status_code == 200
    await case.extradition()
    seen, blind = await item(case.cambodia, deported, CODE), await item(case.korea, deported, CODE)
    assert (seen["state"], seen["persons"]["open"], blind["state"]) == ("open", [person], "waived")
    again = await act(case.cambodia, deported, CODE, "waive", {"reason": "Japan knows, and agrees."})
    assert again.status_code == 200, again.text
    seen, blind = await item(case.cambodia, deported, CODE), await item(case.korea, deported, CODE)
    assert (seen["state"], seen["flagged"], blind["flagged"]) == ("waived", True, False)
    assert [entry["note"] for entry in blind["history"]] == [REASON["reason"], "Japan knows, and agrees."]
