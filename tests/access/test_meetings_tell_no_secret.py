"""Meetings: lists, to-do lists, calendars, links and bodies tell of no meeting, group, record or agreement that the
caller may not know."""

from typing import Any

import pytest

from tests.access.scene import EXCLUDED, READER, SEES_BY_GROUP, STRANGER, Scene, set_scene, unknown_id
from tests.access.statements import heard, listen
from tests.conftest import PUBLIC_URL, Hub, Partner
from tests.routers.convening import PATH, call, content

LISTS = (PATH, f"{PATH}/actions", f"{PATH}/calendar")


def _of_meetings(scene: Scene) -> list[str]:
    return [*scene.meeting.values(), scene.draft_meeting, "Meeting of the scene"]


async def test_no_list_and_no_calendar_shows_a_hidden_meeting(hub: Hub) -> None:
    scene = await set_scene(hub)
    strangers = {why: one for why, one in scene.strangers.items() if why != "excluded inside the group"}
    looked, calendars = set(), 0
    for why, caller in strangers.items():
        for path in LISTS:
            answer = await caller.get(path)
            assert answer.status_code in (200, 401, 403), (why, path)
            looked |= {path} if answer.status_code == 200 else set()
            for secret in _of_meetings(scene):
                assert secret not in answer.text, (why, path)
        about = await caller.get(PATH, params={"about": scene.record["id"]})
        assert about.json().get("items", []) == [], why
        made = await caller.post(f"{PATH}/calendar")
        if made.status_code == 201:
            seen = await hub.client.get(made.json()["address"].removeprefix(PUBLIC_URL))
            assert seen.status_code == 200, why
            assert all(secret not in seen.text for secret in _of_meetings(scene)), why
            calendars += 1
    # Refused are those who may not ask at all: what the others are told has been looked at.
    assert (looked, calendars > 0) == (set(LISTS), True)
    for agency in (READER, SEES_BY_GROUP):
        officer = hub.caller(agency, "operations_officer")
        for path in LISTS:
            assert scene.meeting["meeting_id"] in (await officer.get(path)).text, (agency, path)
            assert scene.draft_meeting not in (await officer.get(path)).text, (agency, path)


async def test_who_is_named_beside_a_group_learns_nothing_of_it(hub: Hub) -> None:
    scene = await set_scene(hub)
    path = f"{PATH}/{scene.meeting['meeting_id']}"
    reader, member = (hub.caller(agency, "operations_officer") for agency in (READER, SEES_BY_GROUP))

    assert (await reader.get(path)).json()["participants"] == {"agencies": [READER], "groups": []}
    assert (await member.get(path)).json()["participants"]["groups"] == [str(scene.group)]
    for where in ("", "/actions", "/links"):
        assert str(scene.group) not in (await reader.get(path + where)).text
    # Whoever takes part by the group and is excluded from the record does not learn that it was spoken of.
    excluded = hub.caller(EXCLUDED, "operations_officer")
    seen = [len((await one.get(f"{path}/links")).json()["items"]) for one in (reader, member, excluded)]
    about = {"about": scene.record["id"]}
    found = [len((await one.get(PATH, params=about)).json()["items"]) for one in (reader, member, excluded)]
    # The reader takes part in the operation that the meeting is about, too.
    assert (seen, found) == ([2, 1, 0], [1, 1, 0])
    assert (await excluded.get(f"{path}/links/{scene.meeting['link_id']}")).status_code == 404


async def _told(caller: Partner, method: str, path: str, body: dict[str, Any], *names: str) -> tuple[Any, ...]:
    headers = {"If-Match": "*", "X-Request-Id": "the-same"}
    with heard() as statements:
        answer = await caller.call(method, path, json=body, headers=headers)
    text = answer.text
    for name in names:
        text = text.replace(name, "ID")
    return answer.status_code, text, sorted(set(answer.headers) - {"ratelimit"}), statements


async def test_a_body_learns_nothing_of_what_it_names(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = await set_scene(hub)
    listen(monkeypatch)
    officer = hub.caller(STRANGER, "operations_officer")
    own = await call(officer, READER)

    def bodies(record: str, group: str, agreement: str, operation: str) -> list[tuple[str, str, dict[str, Any]]]:
        links = [
            {"kind": "criminal-organizations", "id": record},
            {"kind": "agreements", "id": agreement},
            {"kind": "joint-operations", "id": operation},
            {"kind": "joint-operations", "id": record},
            {"kind": "agreements", "id": group},
        ]
        return [
            ("POST", PATH, content(groups=[group])),
            ("PATCH", own, {"participants": {"groups": [group]}}),
            *(("POST", PATH, content(links=[link])) for link in links),
            *(("POST", f"{own}/links", link) for link in links),
        ]

    agreement, operation = scene.agreement.rpartition("/")[2], scene.operation["record_id"]
    hidden = (scene.record["id"], str(scene.group), agreement, operation)
    none = (unknown_id(), unknown_id(), unknown_id(), unknown_id())
    for told, of_none in zip(bodies(*hidden), bodies(*none), strict=True):
        answer = await _told(officer, *told, *hidden)
        assert answer == await _told(officer, *of_none, *none), told
        assert answer[0] == 422, answer
        assert "/problems/unknown-reference" in answer[1]
    assert (await officer.get(own)).headers["ETag"] == '"2"'


async def test_an_address_that_ended_answers_like_none(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    await set_scene(hub)
    listen(monkeypatch)
    officer = hub.caller(READER, "operations_officer")
    path = (await officer.post(f"{PATH}/calendar")).json()["address"].removeprefix(PUBLIC_URL)
    hub.operator(
        "UPDATE credentials SET status = 'revoked', revoked_at = now() WHERE client_id = %s", officer.client_id
    )
    told = []
    for where in (path, f"{PATH}/calendar/idf_{'0' * 43}.ics", f"{PATH}/calendar/x.ics"):
        with heard() as statements:
            answer = await hub.client.get(where, headers={"X-Request-Id": "the-same"})
        told.append((answer.status_code, answer.text.replace(where, "PATH"), sorted(answer.headers), statements))
    assert told[0] == told[1] == told[2]
    assert told[0][0] == 404
