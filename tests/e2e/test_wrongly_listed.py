"""Five hundred were taken from the compounds, and some of them had been held there: a victim listed as a suspect is
found by the screening, and goes home as a victim. All of it is invented."""

from typing import Any

from tests.conftest import Hub
from tests.events.following import place
from tests.routers.checking import PURPOSE, act, checklist, completed, item, settled
from tests.routers.repatriating import (
    REQUESTED,
    REQUESTING,
    SUSPECT,
    VICTIM,
    accepted,
    add_person,
    officer,
    state,
    step,
    stepped,
)

CODE = "trafficking_screening"


def listed(name: str) -> dict[str, Any]:
    return {"names": [{"name": name}], "nationalities": ["KR"], "roles": [{"role": "suspect", "since": "2026-11"}]}


async def test_one_of_three_is_a_victim_and_goes_home_on_a_request_of_his_own(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    path = await accepted(korea, cambodia, **SUSPECT)
    first, second, third = [await add_person(korea, path, listed(name)) for name in ("ONE", "TWO", "THREE")]
    await completed(cambodia, path, CODE, persons=[first, third], result="no_indication")
    await completed(cambodia, path, CODE, persons=[second], result="victim", note="Held since July, passport taken.")
    await settled(korea, cambodia, path)
    refused = await step(cambodia, path, "clear", headers=PURPOSE)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/screened-as-victim")
    assert [flaw["pointer"] for flaw in refused.json()["errors"]] == [f"/persons/{second}"]
    assert await state(korea, path) == "accepted"
    # The way out that the refusal names: removed here, and entered with a request for victims.
    home = await accepted(korea, cambodia, **VICTIM)
    roles = [{"role": "suspect", "since": "2026-11", "until": "2026-11"}, {"role": "victim", "since": "2026-07"}]
    await add_person(korea, home, {**listed("TWO"), "roles": roles})
    removed = await korea.call("DELETE", f"{path}/persons/{second}", headers={"Access-Purpose": "x", "If-Match": "*"})
    assert removed.status_code == 204
    await stepped(cambodia, path, "clear")
    await settled(korea, cambodia, home)
    await stepped(cambodia, home, "clear")
    assert (await item(korea, path, CODE))["persons"]["total"] == 2
    assert hub.look("SELECT count(*) FROM screenings WHERE person_id = %s", second) == [(0,)]
    place(hub)
    told = hub.look("SELECT coalesce(string_agg(data::text, ''), '') FROM events")[0][0]
    assert "no_indication" not in told
    assert '"victim"' not in told


async def test_all_of_them_are_victims_and_the_request_becomes_one_for_victims(hub: Hub) -> None:
    korea, cambodia = officer(hub, REQUESTING), officer(hub, REQUESTED)
    path = await accepted(korea, cambodia, **SUSPECT)
    person = await add_person(korea, path, listed("ONE"))
    await completed(cambodia, path, CODE, result="victim")
    await settled(korea, cambodia, path)
    assert (await step(cambodia, path, "clear", headers=PURPOSE)).json()["type"] == "/problems/screened-as-victim"
    never = await korea.patch(path, {"category": "victim"}, etag="*")
    assert (never.status_code, never.json()["errors"][0]["code"]) == (422, "act-does-not-fit")
    changed = await korea.patch(path, {"category": "victim", "legal_act": "voluntary_repatriation"}, etag="*")
    assert (changed.status_code, changed.json()["state"]) == (200, "submitted")
    kept = {one["code"]: one["state"] for one in (await checklist(cambodia, path))["items"]}
    assert {code for code, how in kept.items() if how == "open"} == {"consent_or_order"}
    assert (await item(cambodia, path, CODE, purpose=True))["results"] == [{"person": person, "result": "victim"}]
    assert (await act(cambodia, path, CODE, "complete", {"result": "victim"})).status_code == 409
    await stepped(cambodia, path, "acknowledge", "accept")
    await settled(korea, cambodia, path)
    await stepped(cambodia, path, "clear")
