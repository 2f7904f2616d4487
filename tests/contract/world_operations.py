"""Joint operations in the world of the examples: one in each state that a call starts from."""

from datetime import timedelta
from typing import Any

from app.core import clock
from app.domain.joint_operations.shapes import HASH_EXAMPLE
from tests.conftest import Partner
from tests.contract.world import World, documented_id
from tests.contract.world_kinds import Kind, build_kind

OPERATIONS = Kind("joint-operations", "operations_officer", lambda title: {"title": title}, 200)
PATH = OPERATIONS.path

PROPOSED, DRAFT, APPROVED, ACTIVE, SUSPENDED = 213, 214, 215, 216, 217
RESOURCE, TASK, APPROVAL, AMENDMENT = 220, 221, 222, 223


def plan(days: int = 14) -> dict[str, Any]:
    """What a plan says that can be proposed, for a day so many days ahead."""
    begin = (clock.now() + timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
    return {
        "title": "Entry into the Bokor site",
        "codename": "Lantern",
        "objective": "Free the people held there and arrest who runs it.",
        "crime_types": ["illegal_detention", "employment_scam"],
        "participants": [
            {"agency": "KH-CNP", "role": "assault"},
            {"agency": "INTERPOL", "role": "observer", "approval_required": False},
        ],
        "window": {"starts_at": clock.rfc3339(begin), "ends_at": clock.rfc3339(begin + timedelta(hours=12))},
        "area": {
            "country": "KH",
            "subdivision": "KH-7",
            "center": {"latitude": 10.6333, "longitude": 104.05},
            "radius_m": 2000,
        },
        "targets": [{"type": "place", "value": "Bokor mountain site"}],
        "phases": [{"name": "Entry", "tasks": [{"title": "Watch the northern gate", "agency": "KH-CNP"}]}],
        "resources": [{"agency": "KH-CNP", "kind": "officers", "quantity": 40}],
        "risk": [{"description": "People are moved before the entry.", "mitigation": "Drones watch all gates."}],
        "handling": {"tlp": "AMBER"},
    }


async def build(world: World) -> None:
    await build_kind(world, OPERATIONS)
    lead = world.caller("KR-KNPA operations_officer")
    proposed = await _proposed(world, lead, PROPOSED)
    world.names[HASH_EXAMPLE] = proposed["plan_hash"]
    world.names[documented_id(RESOURCE)] = proposed["resources"][0]["id"]
    world.names[documented_id(TASK)] = proposed["phases"][0]["tasks"][0]["id"]
    amended = {"patch": {"codename": "Lighthouse"}, "note": "Lantern is the name of another operation of ours."}
    watcher = world.caller("KH-CNP operations_officer")
    world.name(AMENDMENT, await watcher.post(f"{PATH}/{proposed['id']}/amendments", amended))
    own = world.caller("KR-KNPA commander")
    world.name(APPROVAL, await _approve(own, f"{PATH}/{proposed['id']}", proposed["plan_hash"]))
    world.name(DRAFT, await lead.post(PATH, plan()))
    for number, steps in ((APPROVED, ()), (ACTIVE, ("activate",)), (SUSPENDED, ("activate", "suspend"))):
        made = await _proposed(world, lead, number)
        path = f"{PATH}/{made['id']}"
        for commander in (own, world.caller("KH-CNP commander")):
            await _approve(commander, path, made["plan_hash"])
        for step in steps:
            body = {"reason": "Fog in the valley."} if step == "suspend" else None
            answer = await lead.post(f"{path}/{step}", body, etag="*")
            assert answer.status_code == 200, answer.text


async def _proposed(world: World, lead: Partner, number: int) -> dict[str, Any]:
    # Each on a day of its own: none is in another's way.
    path = f"{PATH}/{world.name(number, await lead.post(PATH, plan(14 + 2 * (number - PROPOSED))))}"
    answer = await lead.post(f"{path}/propose", etag='"1"')
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def _approve(commander: Partner, path: str, digest: str) -> Any:
    answer = await commander.post(f"{path}/approvals", {"decision": "approve", "plan_hash": digest})
    assert answer.status_code == 201, answer.text
    return answer
