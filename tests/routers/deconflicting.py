"""Operations that collide, in tests."""

from typing import Any

from tests.conftest import Hub, Partner
from tests.events.following import Follower, place
from tests.routers.entrance import below_policies
from tests.routers.operating import BOKOR, draft, moved, officer

KOREA, CAMBODIA, THAILAND, VIETNAM = "KR-KNPA", "KH-CNP", "TH-RTP", "VN-MPS"
PHONE, EMAIL = "+85523000000", "duty@police.example"
SAID = {"outcome": "delayed", "note": "We wait for you."}


def leads(hub: Hub) -> tuple[Partner, Partner, Partner]:
    """Two agencies that will be in each other's way, and one that takes part in both operations."""
    korea, cambodia, vietnam = officer(hub, KOREA), officer(hub, CAMBODIA), officer(hub, VIETNAM)
    below_policies(
        hub, "UPDATE agencies SET contact_phone = %s, contact_email = %s WHERE code = %s", PHONE, EMAIL, CAMBODIA
    )
    return korea, cambodia, vietnam


def nothing_in_the_way(hub: Hub) -> None:
    """As if no operation had been before: for tests that plan the same thing again and again."""
    below_policies(hub, "DELETE FROM operation_claims")
    below_policies(hub, "DELETE FROM deconfliction_runs")


async def proposed(lead: Partner, *others: str, **fields: Any) -> str:
    """An operation that is proposed; its path."""
    path = await draft(lead, *(others or (VIETNAM,)), **fields)
    await moved(lead, path, "propose")
    return path


def near(north: float = 0.0, east: float = 0.0, radius_m: int = 2000) -> dict[str, Any]:
    """An area so many degrees from Bokor."""
    center = {"latitude": BOKOR["latitude"] + north, "longitude": BOKOR["longitude"] + east}
    return {"country": "KH", "center": center, "radius_m": radius_m}


FAR: dict[str, Any] = {"area": near(5), "targets": []}
"""Out of everybody's way."""


async def conflicts(lead: Partner, path: str, **filters: Any) -> list[dict[str, Any]]:
    answer = await lead.get(f"{path}/conflicts", params=filters)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def only_conflict(lead: Partner, path: str, **filters: Any) -> dict[str, Any]:
    (conflict,) = await conflicts(lead, path, **filters)
    return conflict


async def resolve(lead: Partner, path: str, body: Any = SAID, etag: str | None = None) -> Any:
    """Say something to the operation's only standing conflict, as it is now."""
    (conflict,) = [it for it in await conflicts(lead, path) if it["state"] != "cleared"]
    return await lead.post(f"{path}/conflicts/{conflict['id']}/resolve", body, etag or f'"{conflict["version"]}"')


async def told(partner: Partner) -> list[str]:
    """The events about conflicts that an agency has had."""
    place(partner.hub)
    return [name for name, _ in await Follower(partner).follow() if name.startswith("conflict.")]


def trail(hub: Hub, agency: str) -> list[tuple[str, bool]]:
    """What an agency's audit says of conflicts: the action, and whether it was one of its own systems."""
    rows = hub.look(
        "SELECT action, client_id IS NOT NULL FROM audit_entries"
        " WHERE agency = %s AND action LIKE 'conflict.%%' ORDER BY at, id",
        agency,
    )
    return [(action, own) for action, own in rows]
