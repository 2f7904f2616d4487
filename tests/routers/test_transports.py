"""Transports over HTTP: planned, changed, read by those who take part, and not there for others."""

from typing import Any

import pytest

from tests.conftest import Hub, Partner
from tests.events.following import follower, place
from tests.routers import repatriating
from tests.routers.transporting import (
    HOST,
    ORGANIZER,
    OTHER,
    PATH,
    STRANGER,
    add,
    added,
    cleared,
    manifest,
    mark,
    marked,
    move,
    moved,
    officer,
    plan,
    planned,
    receipt,
    state_of,
)


async def test_a_transport_comes_home(hub: Hub) -> None:
    korea, cambodia = officer(hub, ORGANIZER), officer(hub, HOST)
    path = await planned(korea, HOST)
    request, persons = await cleared(korea, cambodia, 3)

    entries = await added(cambodia, path, request, persons)
    read = await manifest(korea, path)
    assert [item["person"] for item in read["items"]] == persons
    assert (read["totals"]["taken"], read["totals"]["free"]) == (3, 7)
    assert read["totals"]["by_agency"] == [{"agency": HOST, "people": 3}]

    frozen = await moved(korea, path, "freeze")
    assert (frozen["state"], await state_of(korea, request)) == ("frozen", "scheduled")
    await marked(cambodia, path, "board", entries[:2])
    assert (await korea.get(path)).json()["state"] == "boarding"
    stuck = await move(korea, path, "depart")
    assert [flaw["code"] for flaw in stuck.json()["errors"]] == ["not-boarded"]
    await marked(cambodia, path, "board", entries[2:])
    await moved(korea, path, "depart")
    assert await state_of(cambodia, request) == "in_transit"
    await moved(korea, path, "arrive")
    other_side = await mark(cambodia, path, "hand-over", entries)
    assert (other_side.status_code, other_side.json()["type"]) == (403, "/problems/not-your-side")
    await marked(korea, path, "hand-over", entries)
    assert await state_of(cambodia, request) == "handed_over"
    done = (await cambodia.get(path)).json()
    assert (done["state"], done["ended_at"] is not None) == ("completed", True)
