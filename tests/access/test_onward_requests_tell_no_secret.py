"""Asking to pass a record on tells nothing of its audience: whoever is asked for, the answer is the same, from the same
statements."""

from datetime import timedelta
from typing import Any

import pytest

from app.core import clock
from tests.access.scene import EXCLUDED, LAPSED, LOST, ORIGINATOR, PARTY, SEES_BY_GROUP, STRANGER, SUSPENDED, set_scene
from tests.access.statements import heard, listen
from tests.conftest import Hub

ASKED_FOR = {
    "does not see it": STRANGER,
    "sees it by name": SUSPENDED,
    "sees it by a group": SEES_BY_GROUP,
    "is excluded": EXCLUDED,
    "saw it once": LOST,
    "is named, on an agreement that is suspended": PARTY,
    "saw it in an emergency": LAPSED,
}


async def test_asking_tells_nothing_of_the_audience(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = await set_scene(hub)
    await scene.acknowledge(scene.reader)
    listen(monkeypatch)
    respond_by = clock.rfc3339(clock.now() + timedelta(days=1))
    told: dict[str, tuple[Any, ...]] = {}
    for why, agency in ASKED_FOR.items():
        body = {"agencies": [agency], "reason": "why", "respond_by": respond_by}
        with heard() as statements:
            made = await scene.reader.post(f"{scene.path}/onward-requests", body)
        request = made.json()
        with heard() as later:
            read = await scene.reader.get(made.headers["Location"])
        drawn = dict.fromkeys(("id", "created_at", "updated_at", "agencies"))
        assert read.json() == request
        told[why] = (made.status_code, {**request, **drawn}, made.headers["ETag"], statements, later)
    assert all(answer == told["does not see it"] for answer in told.values()), told
    assert told["is excluded"][0] == 201
    # Neither does what its agency is told about it: the feed and the trail hold ids, and names that it chose itself.
    hub.operator("SELECT sequence_events()")
    events = (await scene.reader.get("/v1/events", params={"limit": 500})).json()["items"]
    own = [event for event in events if event["subject"] == scene.record["reference"]]
    asked = [event for event in own if event["type"] == "interdesk.onward_request.requested"]
    assert len(asked) == len(ASKED_FOR)
    assert {tuple(event["data"]["detail"]) for event in asked} == {("onward_request",)}
    assert all(code not in str(asked) for code in ASKED_FOR.values())


async def test_answers_tell_nothing_of_the_audience(hub: Hub) -> None:
    """A grant that opens something and one that does not read alike."""
    scene = await set_scene(hub)
    await scene.acknowledge(scene.reader)
    respond_by = clock.rfc3339(clock.now() + timedelta(days=1))
    seen = []
    for agency in (STRANGER, SEES_BY_GROUP, SUSPENDED):
        body = {"agencies": [agency], "reason": "why", "respond_by": respond_by}
        place = (await scene.reader.post(f"{scene.path}/onward-requests", body)).headers["Location"]
        granted = await scene.originator.post(f"{place}/grant", {}, '"1"')
        assert granted.json()["disclosure"] is not None
        answer = (await scene.reader.get(place)).json()
        assert answer["granted_to"] == [agency]
        drawn = ("id", "created_at", "updated_at", "agencies", "granted_to")
        seen.append({name: value for name, value in answer.items() if name not in drawn})
    assert seen[0] == seen[1] == seen[2]
    assert ORIGINATOR not in str(seen)
    # What the requester can read of the record is as it was.
    assert (await scene.reader.get(scene.path)).headers["ETag"] == '"1"'
