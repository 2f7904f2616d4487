"""Transports: lists, bodies and refusals tell of no transport, request or person that the caller may not know."""

from typing import Any

import pytest

from tests.access.scene import READER, SEES_BY_GROUP, STRANGER, Scene, set_scene, unknown_id
from tests.access.statements import heard, listen
from tests.conftest import Hub, Partner
from tests.routers.transporting import PATH, planned


def _people(scene: Scene) -> tuple[str, list[str]]:
    """The request behind the scene's transport, and its persons."""
    rows = scene.hub.look(
        "SELECT record_id, person_id FROM manifest_entries WHERE transport_id = %s ORDER BY id",
        scene.transport["transport_id"],
    )
    return str(rows[0][0]), [str(person) for _, person in rows]


async def test_no_list_shows_a_hidden_transport(hub: Hub) -> None:
    scene = await set_scene(hub)
    request, _ = _people(scene)
    for why, caller in scene.strangers.items():
        for parameters in ({}, {"request": request}, {"organizer": scene.originator.agency}):
            answer = await caller.get(PATH, params=parameters)
            assert answer.status_code in (200, 401, 403), why
            assert scene.transport["transport_id"] not in answer.text, why
    for agency in (READER, SEES_BY_GROUP):
        officer = hub.caller(agency, "liaison_officer")
        assert scene.transport["transport_id"] in (await officer.get(PATH)).text, agency
    # Who takes part and has nobody on it does not learn whose people are.
    member = hub.caller(SEES_BY_GROUP, "liaison_officer")
    assert (await member.get(PATH, params={"request": request})).json()["items"] == []
    read = await member.get(f"{PATH}/{scene.transport['transport_id']}/manifest")
    assert (read.json()["items"], read.json()["totals"]["taken"]) == ([], 2)
    assert request not in read.text


async def _told(caller: Partner, path: str, body: dict[str, Any], *names: str) -> tuple[Any, ...]:
    with heard() as statements:
        answer = await caller.post(path, body, headers={"X-Request-Id": "the-same"})
    text = answer.text
    for name in names:
        text = text.replace(name, "ID")
    return answer.status_code, text, sorted(set(answer.headers) - {"ratelimit"}), statements


async def test_a_body_learns_nothing_of_what_it_names(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = await set_scene(hub)
    listen(monkeypatch)
    stranger, member = hub.caller(STRANGER, "liaison_officer"), hub.caller(SEES_BY_GROUP, "liaison_officer")
    own = await planned(stranger)
    shared = f"{PATH}/{scene.transport['transport_id']}"
    request, persons = _people(scene)

    def calls(request: str, first: str, second: str, entry: str, record: str) -> list[tuple[Partner, str, Any]]:
        receipt = {"received_by": "Office", "at": "2026-11-22T08:15:30Z"}
        return [
            *(
                (caller, f"{path}/manifest", {"request": named, "persons": [first]})
                for caller, path in ((stranger, own), (member, shared))
                for named in (request, record)
            ),
            *(
                (caller, f"{path}/separations", {"persons": [first, second]})
                for caller, path in ((stranger, own), (member, shared))
            ),
            (member, f"{shared}/manifest/board", {"entries": [entry]}),
            (member, f"{shared}/manifest/no-show", {"entries": [entry], "reason": "None."}),
            (member, f"{shared}/manifest/hand-over", {"entries": [entry], **receipt}),
            (stranger, f"{own}/manifest/board", {"entries": [entry]}),
        ]

    entry, record = scene.transport["manifest_entry_id"], scene.record["id"]
    hidden = (request, *persons, entry, record)
    none = tuple(unknown_id() for _ in hidden)
    for told, of_none in zip(calls(*hidden), calls(*none), strict=True):
        answer = await _told(*told, *hidden)
        assert answer == await _told(*of_none, *none), told[1:]
        assert (answer[0], "/problems/unknown-reference" in answer[1]) == (422, True), answer


async def test_who_stands_on_a_hidden_transport_is_refused_without_a_word_of_it(hub: Hub) -> None:
    """The reader does not know of the other transport, only that its own person stands on one."""
    scene = await set_scene(hub)
    request, persons = _people(scene)
    reader = hub.caller(READER, "liaison_officer")
    changed = await scene.originator.patch(
        f"{PATH}/{scene.transport['transport_id']}", {"participants": [SEES_BY_GROUP]}, etag="*"
    )
    assert changed.status_code == 200, changed.text
    own = await planned(reader)

    answer = await reader.post(f"{own}/manifest", {"request": request, "persons": persons[:1]})

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "on-another-manifest")
    for secret in (*scene.transport.values(), SEES_BY_GROUP):
        assert secret not in answer.text
