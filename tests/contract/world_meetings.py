"""Meetings of the documented world: one that was called, with action items, a draft, and one that was cancelled."""

from datetime import timedelta
from typing import TYPE_CHECKING

from app.core import clock

if TYPE_CHECKING:
    from tests.contract.world import World

STARTS, ENDS = "2026-12-06T01:00:00.000000Z", "2026-12-06T03:00:00.000000Z"
"""Of every meeting; the actual moments are counted from today."""
DUE = "2026-12-02"
"""The day of the action items, counted from today likewise."""
ADDRESS = f"idf_{'0' * 43}"

MEETING = {
    "kind": "council",
    "title": "Third session of the Bokor council",
    "starts_at": STARTS,
    "ends_at": ENDS,
    "time_zone": "Asia/Phnom_Penh",
    "place": "Phnom Penh, room 4",
    "agenda": [
        {"title": "Where the people held at Bokor are now", "presenter": "KH-CNP"},
        {"title": "Joint search of the site", "note": "Bring what is known of its guards."},
    ],
}


def documented_id(number: int) -> str:
    return f"01a202b0-{number:04x}-7c52-9d3f-2a6b8e1f4c70"


async def build(world: "World") -> None:
    """Korea calls the council, of which Cambodia is a member, and INTERPOL by name."""
    soon = (clock.now() + timedelta(days=14)).replace(hour=1, minute=0, second=0, microsecond=0)
    world.names |= {
        STARTS: clock.rfc3339(soon),
        ENDS: clock.rfc3339(soon + timedelta(hours=2)),
        DUE: (clock.now().date() + timedelta(days=10)).isoformat(),
    }
    korea, cambodia = (world.caller(f"{agency} operations_officer") for agency in ("KR-KNPA", "KH-CNP"))
    council = world.names[documented_id(9)]
    said = {
        **MEETING,
        "starts_at": world.names[STARTS],
        "ends_at": world.names[ENDS],
        "participants": {"agencies": ["INTERPOL"], "groups": [council]},
        "links": [{"kind": "agreements", "id": world.names[documented_id(42)], "note": "Its legal basis."}],
    }
    path = f"/v1/meetings/{world.name(270, await korea.post('/v1/meetings', said))}"
    called = await korea.post(f"{path}/call", etag='"1"')
    assert called.status_code == 200, called.text
    linked = await korea.get(f"{path}/links")
    world.names[documented_id(271)] = linked.json()["items"][0]["link_id"]
    item = {"text": "Send the list of the site's telephones.", "due_on": world.names[DUE]}
    world.name(272, await korea.post(f"{path}/actions", {**item, "owner": "KH-CNP"}))
    done = world.name(273, await korea.post(f"{path}/actions", {**item, "text": "Book room 4.", "owner": "KH-CNP"}))
    closed = await cambodia.post(f"{path}/actions/{done}/complete", {"note": "Booked."}, etag='"1"')
    assert closed.status_code == 200, closed.text
    world.name(274, await korea.post("/v1/meetings", {**said, "title": "Fourth session", "links": []}))
    made = await korea.post("/v1/meetings/calendar")
    assert made.status_code == 201, made.text
    world.names[documented_id(275)] = made.json()["id"]
    world.names[ADDRESS] = made.json()["address"].rpartition("/")[2].removesuffix(".ics")
