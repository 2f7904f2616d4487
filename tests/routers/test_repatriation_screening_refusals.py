"""What a refusal says of a screening: to whoever reads results by name, to everybody else as if it were open."""

from typing import Any

import pytest

from tests.conftest import Hub, Partner
from tests.persons.people import KIM
from tests.routers.checking import PURPOSE, REASON, act, completed, item
from tests.routers.repatriating import PATH, REQUESTED, REQUESTING, SUSPECT, officer, step
from tests.routers.transporting import cleared

CODE = "trafficking_screening"


def refused(answer: Any) -> tuple[int, str, list[tuple[str, str]]]:
    body = answer.json()
    return answer.status_code, body["type"], [(flaw["pointer"], flaw["code"]) for flaw in body["errors"]]


async def screened_again(korea: Partner, cambodia: Partner) -> tuple[str, str]:
    """A cleared suspect who was found to be a victim since: the request's path, and the person."""
    request, (person,) = await cleared(korea, cambodia, person=KIM, **SUSPECT)
    path = f"{PATH}/{request}"
    await act(cambodia, path, CODE, "reopen", REASON)
    await completed(cambodia, path, CODE, result="victim")
    return path, person


async def test_who_reads_results_for_a_purpose_is_told_by_name_and_the_audit_keeps_of_whom(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    path, person = await screened_again(korea, cambodia)
    for partner in (korea, cambodia):
        answer = await step(partner, path, "schedule", headers=PURPOSE)
        assert refused(answer) == (409, "/problems/screened-as-victim", [(f"/persons/{person}", "screened-as-victim")])
        ((purpose, detail),) = hub.look(
            "SELECT purpose, detail FROM audit_entries WHERE agency = %s AND outcome = 'screened-as-victim'",
            partner.agency,
        )
        assert purpose == PURPOSE["Access-Purpose"]
        assert person in detail["reason"]


@pytest.mark.parametrize("agency", [REQUESTING, REQUESTED])
async def test_everybody_else_is_told_that_the_screening_is_open(hub: Hub, agency: str) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    path, person = await screened_again(korea, cambodia)
    narrow = hub.caller(agency, "liaison_officer")
    narrow.access_token = hub.token(narrow.client_id, scope=["repatriations:read", "repatriations:write"])
    for partner, headers in ((korea if agency == REQUESTING else cambodia, {}), (narrow, {}), (narrow, PURPOSE)):
        answer = await step(partner, path, "schedule", headers=headers)
        assert refused(answer) == (409, "/problems/checklist-open", [(f"/checklist/{CODE}", "item-open")])
        assert person not in answer.text
        assert "victim" not in answer.text
    assert not hub.look("SELECT FROM audit_entries WHERE outcome = 'screened-as-victim'")
    assert (await item(korea, path, CODE))["state"] == "completed"


async def test_a_screening_that_is_open_stands_in_a_refusal_once(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    path, _ = await screened_again(korea, cambodia)
    await act(cambodia, path, CODE, "reopen", REASON)
    assert refused(await step(korea, path, "schedule"))[2] == [(f"/checklist/{CODE}", "item-open")]
