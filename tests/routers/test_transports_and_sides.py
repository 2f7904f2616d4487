"""What the sides of a request do by hand, and what they leave to the transport that carries its people."""

from typing import Any

import pytest

from tests.conftest import Hub, Partner
from tests.routers import repatriating
from tests.routers.transporting import (
    HOST,
    ORGANIZER,
    OTHER,
    added,
    cleared,
    manifest,
    mark,
    marked,
    move,
    moved,
    officer,
    planned,
    state_of,
)

REASON = {"reason": "A court stopped it."}


async def refused(partner: Partner, path: str, action: str, body: Any = None) -> str:
    """What a step is refused with, which is a conflict."""
    answer = await repatriating.step(partner, path, action, body)
    said = answer.json()
    assert (answer.status_code, said["type"]) == (409, "/problems/conflict"), (action, answer.text)
    return str(said["detail"])


async def reference_of(partner: Partner, path: str) -> str:
    return str((await partner.get(path)).json()["reference"])


async def test_the_transport_moves_those_who_stand_on_its_manifest(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    request, persons = await cleared(korea, cambodia)
    where = f"{repatriating.PATH}/{request}"
    path = await planned(korea, HOST)
    entries = await added(cambodia, path, request, persons)
    reference = await reference_of(korea, path)

    assert reference in await refused(cambodia, where, "schedule")
    await moved(korea, path, "freeze")
    assert reference in await refused(korea, where, "depart")
    await marked(cambodia, path, "board", entries)
    await moved(korea, path, "depart")
    assert reference in await refused(cambodia, where, "hand-over")
    await moved(korea, path, "arrive")
    assert reference in await refused(cambodia, where, "hand-over")
    await marked(korea, path, "hand-over", entries)
    assert await state_of(korea, request) == "handed_over"


async def test_a_side_stops_what_is_frozen_and_nobody_boards(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    request, persons = await cleared(korea, cambodia)
    path = await planned(korea, HOST)
    entries = await added(korea, path, request, persons)
    await moved(korea, path, "freeze")
    await refused(korea, f"{repatriating.PATH}/{request}", "depart")

    await repatriating.stepped(cambodia, f"{repatriating.PATH}/{request}", "hold")

    assert (await mark(korea, path, "board", entries)).status_code == 409
    await moved(korea, path, "unfreeze")
    assert [flaw["code"] for flaw in (await move(korea, path, "freeze")).json()["errors"]] == ["request-not-cleared"]


async def test_nothing_is_taken_back_of_those_who_have_travelled(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    request, persons = await cleared(korea, cambodia, 2)
    where = f"{repatriating.PATH}/{request}"
    path = await planned(korea, HOST)
    entries = await added(cambodia, path, request, persons)
    reference = await reference_of(korea, path)
    await moved(korea, path, "freeze")
    await marked(korea, path, "board", entries[:1])
    await marked(korea, path, "no-show", entries[1:])
    await moved(korea, path, "depart")
    assert await state_of(korea, request) == "cleared"

    async def nothing_is_taken_back() -> None:
        assert reference in await refused(cambodia, where, "decline", REASON)
        assert reference in await refused(korea, where, "withdraw", REASON)
        returned = await korea.patch(where, {"requested_agency": OTHER}, etag="*")
        assert (returned.status_code, reference in returned.json()["detail"]) == (409, True)

    hub.register(OTHER)
    await nothing_is_taken_back()
    assert reference in await refused(korea, where, "hold", REASON)
    await moved(korea, path, "arrive")
    await marked(korea, path, "hand-over", entries[:1])
    await nothing_is_taken_back()
    assert (await korea.patch(where, {"narrative": "One is to follow."}, etag="*")).status_code == 200
    # The one who is left can be waited for, and brought without a transport.
    await repatriating.stepped(cambodia, where, "hold")
    assert reference in await refused(korea, where, "withdraw", REASON)
    await repatriating.stepped(cambodia, where, "resume", "schedule", "depart", "hand-over")


async def test_a_transport_that_one_does_not_see_is_not_named(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    request, persons = await cleared(korea, cambodia)
    path = await planned(korea)
    await added(korea, path, request, persons)

    said = await refused(cambodia, f"{repatriating.PATH}/{request}", "schedule")

    assert said == "Its people stand on a manifest, and the transport moves the request."


@pytest.mark.parametrize("action", ["decline", "withdraw"])
async def test_whoever_has_not_left_can_be_taken_back(hub: Hub, action: str) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    request, persons = await cleared(korea, cambodia)
    path = await planned(korea, HOST)
    entries = await added(korea, path, request, persons)
    await moved(korea, path, "freeze")
    await marked(korea, path, "board", entries)

    await repatriating.stepped(cambodia if action == "decline" else korea, f"{repatriating.PATH}/{request}", action)

    assert (await manifest(korea, path))["totals"]["by_state"]["withdrawn"] == 1
