"""Operations that are run, in the world of the examples: one under way with its log, one completed, one to be drawn.

Those that are counted and drawn take place in a year in which nothing else does, so that neither what the clock says
nor what else is in the world shows.
"""

from typing import Any

from app.core import clock
from tests.contract.world import World
from tests.contract.world_operations import PATH

RUNNING, ENTRY, COMPLETED, DRAWN = 250, 251, 252, 253

_DAY = "2094-03-01"
_WATCH = {"title": "Watch the northern gate", "agency": "KH-CNP", "due_at": f"{_DAY}T02:00:00Z"}


def _plan(title: str, longitude: float = 105.5) -> dict[str, Any]:
    """A plan that is in nobody's way, if each has a place of its own."""
    return {
        "title": title,
        "objective": "Free the people held there and arrest who runs it.",
        "crime_types": ["illegal_detention", "employment_scam"],
        "participants": [{"agency": "KH-CNP", "role": "assault"}],
        "window": {"starts_at": f"{_DAY}T00:00:00Z", "ends_at": f"{_DAY}T12:00:00Z"},
        "area": {"country": "KH", "center": {"latitude": 11.5, "longitude": longitude}, "radius_m": 1000},
        "phases": [
            {
                "name": "Surveillance",
                "starts_at": f"{_DAY}T00:00:00Z",
                "ends_at": f"{_DAY}T03:00:00Z",
                "tasks": [_WATCH],
            },
            {"name": "Entry", "starts_at": f"{_DAY}T03:00:00Z", "ends_at": f"{_DAY}T05:00:00Z"},
        ],
        "handling": {"tlp": "AMBER"},
    }


async def build(world: World) -> None:
    lead, other = world.caller("KR-KNPA operations_officer"), world.caller("KH-CNP operations_officer")
    running = await _active(world, RUNNING, "Search of the harbour")
    officer = {"On-Behalf-Of": "Insp. Example"}
    said = {"kind": "entry", "entry": "Northern gate opened.", "at": clock.rfc3339(clock.now())}
    world.name(ENTRY, await other.post(f"{running}/log", said, headers=officer))
    completed = await _active(world, COMPLETED, "Entry into the Kampot site", 106.5)
    outcome = {
        "arrested": [{"nationality": "KR", "count": 12}],
        "rescued": [{"nationality": "VN", "count": 7}],
        "seized": [{"kind": "cash", "value": {"amount": "51000.50", "currency": "USD"}}],
    }
    assert (await lead.put(f"{completed}/outcome", outcome, "*")).status_code == 200
    assert (await lead.post(f"{completed}/complete", etag="*")).status_code == 200
    world.name(DRAWN, await lead.post(PATH, {**_plan("Entry into the Bokor site"), "codename": "Lantern"}))


async def _active(world: World, number: int, title: str, longitude: float = 105.5) -> str:
    lead = world.caller("KR-KNPA operations_officer")
    path = f"{PATH}/{world.name(number, await lead.post(PATH, _plan(title, longitude)))}"
    proposed = await lead.post(f"{path}/propose", etag="*")
    decided = {"decision": "approve", "plan_hash": proposed.json()["plan_hash"]}
    for commander in ("KR-KNPA commander", "KH-CNP commander"):
        assert (await world.caller(commander).post(f"{path}/approvals", decided)).status_code == 201
    assert (await lead.post(f"{path}/activate", etag="*")).status_code == 200
    return path
