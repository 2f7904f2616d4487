"""Operations that collide, in the world of the examples: two live ones, and a draft that asks."""

from typing import Any

from tests.contract.world import World, documented_id
from tests.contract.world_operations import PATH, plan
from tests.routers.entrance import below_policies

LIVE, CONFLICT, DRAFT = 230, 231, 232
SIHANOUKVILLE = {"latitude": 10.6093, "longitude": 103.5296}
KAMPOT = {"latitude": 10.6104, "longitude": 104.1815}


def _plan(days: int, center: dict[str, float], *others: str) -> dict[str, Any]:
    """A plan for another place and day than the other examples', without tasks and targets."""
    participants = [{"agency": agency, "role": "assault"} for agency in others]
    area = {"country": "KH", "center": center, "radius_m": 3000}
    parts = {"participants": participants, "area": area, "targets": [], "phases": [], "resources": []}
    return {**plan(days), "title": "Search of the hotel", "codename": None, **parts}


async def build(world: World) -> None:
    contact = "UPDATE agencies SET contact_phone = '+6620000000', contact_email = 'duty@police.example' WHERE code = %s"
    below_policies(world.hub, contact, "TH-RTP")
    korea = world.caller("KR-KNPA operations_officer")
    thailand = world.caller("TH-RTP operations_officer")
    for days, center in ((40, SIHANOUKVILLE), (50, KAMPOT)):
        theirs = await thailand.post(PATH, _plan(days, center, "INTERPOL"))
        assert (await thailand.post(f"{PATH}/{theirs.json()['id']}/propose", etag='"1"')).status_code == 200
    live = f"{PATH}/{world.name(LIVE, await korea.post(PATH, _plan(40, SIHANOUKVILLE, 'KH-CNP')))}"
    assert (await korea.post(f"{live}/propose", etag='"1"')).status_code == 200
    (conflict,) = (await korea.get(f"{live}/conflicts")).json()["items"]
    world.names[documented_id(CONFLICT)] = conflict["id"]
    world.name(DRAFT, await korea.post(PATH, _plan(50, KAMPOT, "KH-CNP")))
