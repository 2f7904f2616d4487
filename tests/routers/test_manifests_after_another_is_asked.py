"""An agency that is asked in the place of another reads nothing of what that one did, and that one nothing any more."""

from typing import Any

from tests.conftest import Hub
from tests.events.following import Follower, follower, place
from tests.routers import repatriating
from tests.routers.transporting import (
    HOST,
    ORGANIZER,
    OTHER,
    STRANGER,
    added,
    cleared,
    manifest,
    mark,
    marked,
    moved,
    officer,
    planned,
)

KEY = {"headers": {"Idempotency-Key": "board-1"}}


async def asked_instead(organizer: Any, request: str, agency: str) -> None:
    answer = await organizer.patch(f"{repatriating.PATH}/{request}", {"requested_agency": agency}, etag="*")
    assert (answer.status_code, answer.json()["state"]) == (200, "submitted"), answer.text


async def told(hub: Hub, following: Follower) -> list[dict[str, Any]]:
    place(hub)
    await following.follow()
    return [event["data"]["detail"] for event in following.events if event["type"].endswith("manifest_changed")]


async def test_whoever_put_them_there_learns_that_they_came_off(hub: Hub) -> None:
    korea, cambodia, thailand = officer(hub, ORGANIZER), officer(hub, HOST), officer(hub, OTHER)
    vietnam = officer(hub, STRANGER)
    path = await planned(vietnam, ORGANIZER, HOST, OTHER)
    request, persons = await cleared(korea, cambodia, 2)
    await added(cambodia, path, request, persons)
    following = [await follower(one) for one in (vietnam, korea, cambodia, thailand)]

    await asked_instead(korea, request, OTHER)

    withdrawn = [{"action": "withdraw", "count": 2}]
    assert [await told(hub, one) for one in following] == [withdrawn, withdrawn, withdrawn, []]
    seen = [[item["state"] for item in (await manifest(one, path))["items"]] for one in (korea, cambodia, thailand)]
    assert seen == [["withdrawn"] * 2, [], []]


async def test_what_a_former_side_wrote_of_them_stays_with_it(hub: Hub) -> None:
    korea, cambodia, thailand = officer(hub, ORGANIZER), officer(hub, HOST), officer(hub, OTHER)
    path = await planned(korea, HOST, OTHER)
    request, persons = await cleared(korea, cambodia)
    other, people = await cleared(korea, cambodia)
    (missing,) = await added(korea, path, request, persons)
    boarded = await added(korea, path, other, people)
    await moved(korea, path, "freeze")
    assert (await mark(cambodia, path, "no-show", [missing], reason="Ill, says the shelter.")).status_code == 200
    await marked(cambodia, path, "board", boarded)
    await moved(korea, path, "depart")

    await asked_instead(korea, request, OTHER)

    assert (await korea.get(f"{path}/manifest/{missing}")).json()["reason"] == "Ill, says the shelter."
    for former_or_new in (cambodia, thailand):
        assert (await former_or_new.get(f"{path}/manifest/{missing}")).status_code == 404
    refused = await mark(thailand, path, "board", [missing])
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "unknown-reference")


async def test_a_repeated_call_tells_nothing_of_a_request_that_was_lost(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    hub.register(OTHER)
    path = await planned(korea, HOST)
    request, persons = await cleared(korea, cambodia)
    body = {"request": request, "persons": persons}
    first = await cambodia.post(f"{path}/manifest", body, **KEY)
    assert (await cambodia.post(f"{path}/manifest", body, **KEY)).json() == first.json()

    await asked_instead(korea, request, OTHER)

    repeated = await cambodia.post(f"{path}/manifest", body, **KEY)
    never = await cambodia.post("/v1/transports/01920000-0000-7000-8000-000000000000/manifest", body)
    assert (repeated.status_code, repeated.json()["type"]) == (never.status_code, never.json()["type"])
    assert repeated.status_code == 404
    assert "Idempotency-Replayed" not in repeated.headers
    assert persons[0] not in repeated.text
