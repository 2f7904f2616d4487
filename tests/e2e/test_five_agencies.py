"""An operation of five agencies, from draft to debrief by five credentials: with a secret operation of a sixth in the
same block, a change after two approvals, a quorum, a participant that leaves, and approvals at one moment."""

import asyncio
from typing import Any

from tests.access.scene import unknown_id
from tests.conftest import Hub, Partner
from tests.events.following import Follower, place
from tests.routers.operating import (
    ASSAULT,
    LEAD,
    OBSERVER,
    SUPPORT,
    WATCH,
    decide,
    draft,
    hours,
    move,
    moved,
    officer,
    read,
)

SIXTH, STRANGER = "PH-PNP", "SG-SPF"
SECRET = "Nightjar"


async def test_five_agencies_from_draft_to_debrief(hub: Hub) -> None:
    korea, cambodia, thailand, vietnam = (officer(hub, code) for code in (LEAD, ASSAULT, WATCH, SUPPORT))
    interpol = officer(hub, OBSERVER)
    sixth, stranger = officer(hub, SIXTH), officer(hub, STRANGER)
    hidden = await _secret(hub, sixth)

    path = await _planned(korea)
    await _changed_after_two_approvals(path, korea, cambodia, thailand)
    await _only_its_leads_know(path, hidden, korea, sixth, (cambodia, thailand, vietnam, interpol, stranger))

    # Thailand leaves before it begins: the plan is a draft again, and goes on with three who are asked.
    assert (await move(thailand, path, "leave", {"reason": "The officers are needed at home."})).status_code == 204
    assert (await read(cambodia, path))["state"] == "draft"
    proposed = await moved(korea, path, "propose")
    answers = await asyncio.gather(*(decide(partner, path) for partner in (korea, cambodia, vietnam)))
    # Two are a quorum; the third comes too late for this plan, or just in time.
    assert sorted(answer.status_code for answer in answers) in ([201, 201, 201], [201, 201, 409])
    approved = await read(korea, path)
    assert (approved["state"], approved["plan_hash"]) == ("approved", proposed["plan_hash"])

    refused = await move(korea, path, "activate")
    assert refused.status_code == 409
    assert SECRET not in refused.text
    await _settled(path, hidden, korea, sixth)
    assert (await moved(korea, path, "activate"))["state"] == "active"

    await _run(path, korea, cambodia, vietnam, interpol)
    await _nothing_shines_through(path, hidden, stranger)
    assert (await read(sixth, hidden))["state"] == "proposed"


async def _secret(hub: Hub, sixth: Partner) -> str:
    """The operation of a sixth agency in the same block, which it plans with one more."""
    hub.register("MY-RMP")
    path = await draft(sixth, "MY-RMP", title=f"Operation {SECRET}", codename=SECRET, targets=[])
    await moved(sixth, path, "propose")
    return path


async def _planned(korea: Partner) -> str:
    roles = {ASSAULT: "assault", WATCH: "surveillance", SUPPORT: "victim_support"}
    return await draft(
        korea,
        participants=[
            *({"agency": agency, "role": role} for agency, role in roles.items()),
            {"agency": OBSERVER, "role": "observer", "approval_required": False},
        ],
        approval={"rule": "quorum", "quorum": 2},
        phases=[{"name": "Entry", "tasks": [{"title": "Open the northern gate", "agency": ASSAULT}]}],
        resources=[{"agency": SUPPORT, "kind": "shelter_places", "quantity": 60}],
    )


async def _changed_after_two_approvals(path: str, korea: Partner, cambodia: Partner, thailand: Partner) -> None:
    # A quorum of three, so that two do not suffice yet.
    answer = await korea.patch(path, {"approval": {"rule": "quorum", "quorum": 3}}, "*")
    assert answer.status_code == 200, answer.text
    first = await moved(korea, path, "propose")
    for partner in (cambodia, thailand):
        assert (await decide(partner, path)).status_code == 201
    assert (await read(korea, path))["state"] == "proposed"
    change = {"window": {"ends_at": hours(40)}, "approval": {"rule": "quorum", "quorum": 2}}
    changed = await korea.patch(path, change, "*")
    assert (changed.json()["state"], changed.json()["plan_hash"]) == ("draft", None)
    voided = (await korea.get(f"{path}/approvals")).json()["items"]
    assert len(voided) == 2
    assert all(decision["voided_at"] for decision in voided)
    second = await moved(korea, path, "propose")
    assert second["plan_hash"] != first["plan_hash"]
    stale = {"decision": "approve", "plan_hash": first["plan_hash"]}
    assert (await cambodia.post(f"{path}/approvals", stale)).status_code == 409


async def _only_its_leads_know(
    path: str, hidden: str, korea: Partner, sixth: Partner, others: tuple[Partner, ...]
) -> None:
    """Both leads learn of the conflict and whom to call; no participant and no stranger learns anything."""
    conflict = await _open(korea, path)
    assert (conflict["agency"], conflict["severity"], conflict["state"]) == (SIXTH, "serious", "open")
    assert (await _open(sixth, hidden))["agency"] == LEAD
    for partner in others:
        told = await _told(partner)
        assert not any(name.startswith("conflict.") for name in told), partner.agency
        sees_it = (await partner.get(path)).status_code == 200
        assert sees_it is (partner.agency != STRANGER)
        assert (await partner.get(f"{path}/conflicts")).status_code == (403 if sees_it else 404)
        assert (await partner.get(hidden)).status_code == 404
    for answer in (await korea.get(path), await korea.get(f"{path}/conflicts"), await korea.get(f"{path}/versions")):
        assert SECRET not in answer.text
        assert hidden.rpartition("/")[2] not in answer.text


async def _open(lead: Partner, path: str) -> dict[str, Any]:
    """The one conflict of an operation that is open; what an earlier plan collided with is cleared."""
    listed = (await lead.get(f"{path}/conflicts")).json()["items"]
    (found,) = [conflict for conflict in listed if conflict["state"] == "open"]
    shown: dict[str, Any] = found
    return shown


async def _told(partner: Partner) -> list[str]:
    place(partner.hub)
    return [name for name, _ in await Follower(partner).follow()]


async def _settled(path: str, hidden: str, korea: Partner, sixth: Partner) -> None:
    """Both sides agree that Korea goes first."""
    conflict = await _open(korea, path)
    said = {"outcome": "proceed", "note": "We enter first; your officers stay in the valley."}
    for partner, operation in ((korea, path), (sixth, hidden)):
        answer = await partner.post(f"{operation}/conflicts/{conflict['id']}/resolve", said, etag="*")
        assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "resolved"


async def _run(path: str, korea: Partner, cambodia: Partner, vietnam: Partner, interpol: Partner) -> None:
    task = (await read(cambodia, path))["phases"][0]["tasks"][0]["id"]
    bed = (await read(vietnam, path))["resources"][0]["id"]
    assert (await cambodia.patch(f"{path}/tasks/{task}", {"done": True}, "*")).status_code == 200
    assert (await vietnam.patch(f"{path}/resources/{bed}", {"state": "deployed"}, "*")).status_code == 200
    for partner, kind in ((cambodia, "entry"), (vietnam, "rescue"), (korea, "decision")):
        entry = {"kind": kind, "entry": f"{kind} as planned.", "at": hours(0)}
        logged = await partner.post(f"{path}/log", entry, headers={"On-Behalf-Of": "Insp. Example"})
        assert logged.status_code == 201, logged.text
    assert len((await interpol.get(f"{path}/log")).json()["items"]) == 3
    counted = {"arrested": [{"nationality": "CN", "count": 9}], "rescued": [{"nationality": "KR", "count": 14}]}
    assert (await cambodia.put(f"{path}/outcome", counted, "*")).status_code == 200
    assert (await interpol.put(f"{path}/outcome", counted, "*")).status_code == 403
    assert (await moved(korea, path, "complete"))["state"] == "completed"
    learned = {"summary": "The gate was open on time.", "to_improve": ["More interpreters."]}
    for partner in (korea, vietnam):
        assert (await partner.put(f"{path}/debrief", learned, "*")).status_code == 200
    ended = await read(korea, path)
    assert {row["agency"] for row in ended["debrief"]} == {LEAD, SUPPORT}
    assert [(row["agency"], row["count"]) for row in ended["outcome"]["rescued"]] == [(ASSAULT, 14)]
    picture = await cambodia.get(f"{path}/timeline.svg")
    assert (picture.status_code, picture.headers["content-type"].partition(";")[0]) == (200, "image/svg+xml")


async def _nothing_shines_through(path: str, hidden: str, stranger: Partner) -> None:
    for known in (path, hidden):
        other = f"{known.rpartition('/')[0]}/{unknown_id()}"
        for call in ("", "/approvals", "/conflicts", "/log", "/plan", "/timeline.svg", "/versions", "/access"):
            same = {"X-Request-Id": "the-same"}
            there, nowhere = [await stranger.get(f"{at}{call}", headers=same) for at in (known, other)]
            assert (there.status_code, nowhere.status_code) == (404, 404), call
            assert there.text.replace(known, "PATH") == nowhere.text.replace(other, "PATH"), call
    assert (await stranger.get("/v1/joint-operations")).json()["items"] == []
    assert await _told(stranger) == []
