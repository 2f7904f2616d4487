"""The picture of an operation over HTTP: shown like the operation, and what was logged to those alone who take part."""

import xml.etree.ElementTree as ET

from tests.conftest import Hub
from tests.routers.operating import ASSAULT, LEAD, WATCH, active, draft, hours, moved, officer

SVG = "{http://www.w3.org/2000/svg}"
NASTY = '</text><script>alert("1")</script>'


def _words(text: str) -> set[str]:
    return {part.text or "" for part in ET.fromstring(text).iter(f"{SVG}text")}  # noqa: S314 - our own


async def test_it_is_drawn_for_whoever_may_read_the_operation(hub: Hub) -> None:
    lead, other = officer(hub, LEAD), officer(hub, ASSAULT)
    reader, stranger = officer(hub, WATCH), officer(hub, "VN-MPS")
    tasks = [{"title": NASTY, "agency": ASSAULT, "due_at": hours(26)}]
    phases = [
        {"name": "ចូល", "starts_at": hours(24), "ends_at": hours(30), "tasks": tasks},
        {"name": "돌봄", "tasks": []},
    ]
    handling = {"tlp": "AMBER", "audience": {"agencies": [WATCH]}}
    path = await active(lead, other, phases=phases, handling=handling)
    entry = {"kind": "sighting", "entry": "رأينا ضوءا"}
    assert (await other.post(f"{path}/log", entry)).status_code == 201

    drawn = await lead.get(f"{path}/timeline.svg")

    assert (drawn.status_code, drawn.headers["content-type"]) == (200, "image/svg+xml")
    policy = drawn.headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert "sandbox" in policy
    assert drawn.headers["cache-control"] == "no-store"
    assert {"ចូល", "돌봄", NASTY[:31] + "…", "رأينا ضوءا", "Lantern: Entry into the Bokor site"} <= _words(drawn.text)
    assert "<script" not in drawn.text
    assert _words((await other.get(f"{path}/timeline.svg")).text) == _words(drawn.text)
    seen = _words((await reader.get(f"{path}/timeline.svg")).text)
    assert "돌봄" in seen
    assert not {"رأينا ضوءا", "Log"} & seen
    assert (await stranger.get(f"{path}/timeline.svg")).status_code == 404
    assert (await hub.caller(LEAD, "analyst").get(f"{path}/timeline.svg")).status_code == 403


async def test_a_draft_is_drawn_for_its_lead_alone(hub: Hub) -> None:
    lead, other = officer(hub, LEAD), officer(hub, ASSAULT)
    path = await draft(lead, ASSAULT, window=None)
    assert "No moment is planned yet." in _words((await lead.get(f"{path}/timeline.svg")).text)
    assert (await other.get(f"{path}/timeline.svg")).status_code == 404


async def test_only_the_newest_entries_are_drawn(hub: Hub) -> None:
    lead, other = officer(hub, LEAD), officer(hub, ASSAULT)
    path = await active(lead, other)
    for number in range(102):
        sent = {"kind": "other", "entry": f"entry {number}", "at": hours(-200 + number)}
        assert (await lead.post(f"{path}/log", sent)).status_code == 201
    words = _words((await other.get(f"{path}/timeline.svg")).text)
    assert {f"entry {number}" for number in range(2, 102)} | {"Older entries are left out."} <= words
    assert "entry 1" not in words


async def test_nothing_is_drawn_of_what_is_taken_back(hub: Hub) -> None:
    lead, other = officer(hub, LEAD), officer(hub, ASSAULT)
    path = await active(lead, other)
    await moved(lead, path, "complete")
    assert (await lead.post(f"{path}/retract", etag="*")).status_code == 200
    for partner in (lead, other):
        answer = await partner.get(f"{path}/timeline.svg")
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/retracted")
