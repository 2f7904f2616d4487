"""Joint operations in tests: drafted, proposed, decided on and run over HTTP."""

from datetime import timedelta
from typing import Any

import httpx

from app.core import clock
from tests.conftest import Hub, Partner

PATH = "/v1/joint-operations"
LEAD, ASSAULT, WATCH, SUPPORT, OBSERVER = "KR-KNPA", "KH-CNP", "TH-RTP", "VN-MPS", "INTERPOL"
BOKOR = {"latitude": 10.6333, "longitude": 104.05}


def officer(hub: Hub, agency: str) -> Partner:
    """A system of an agency that plans and runs operations, and decides on them."""
    return hub.partner(agency, "operations_officer", "commander")


def hours(number: float) -> str:
    """A moment so many hours from now."""
    return clock.rfc3339((clock.now() + timedelta(hours=number)).replace(microsecond=0))


def plan(*others: str, **fields: Any) -> dict[str, Any]:
    """A plan with everything that a proposal needs."""
    said: dict[str, Any] = {
        "title": "Entry into the Bokor site",
        "codename": "Lantern",
        "objective": "Free the people held there and arrest who runs it.",
        "crime_types": ["illegal_detention", "employment_scam"],
        "participants": [{"agency": agency, "role": "assault"} for agency in others],
        "window": {"starts_at": hours(24), "ends_at": hours(36)},
        "area": {"country": "KH", "subdivision": "KH-7", "center": BOKOR, "radius_m": 2000},
        "targets": [{"type": "place", "value": "Bokor mountain site"}, {"type": "phone", "value": "+855 23 000 000"}],
        "handling": {"tlp": "AMBER"},
    }
    return {**said, **fields}


async def draft(lead: Partner, *others: str, **fields: Any) -> str:
    """Draft an operation; its path."""
    answer = await lead.post(PATH, plan(*others, **fields))
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"])


async def move(partner: Partner, path: str, step: str, body: Any = None, etag: str = "*") -> httpx.Response:
    return await partner.post(f"{path}/{step}", body, etag=etag)


async def moved(partner: Partner, path: str, step: str, body: Any = None) -> dict[str, Any]:
    """Take a step that must succeed; the operation after it."""
    answer = await move(partner, path, step, body)
    assert answer.status_code == 200, answer.text
    after: dict[str, Any] = answer.json()
    return after


async def decide(partner: Partner, path: str, decision: str = "approve", **fields: Any) -> httpx.Response:
    """Decide on the plan as it reads now."""
    digest = (await partner.get(path)).json()["plan_hash"]
    return await partner.post(f"{path}/approvals", {"decision": decision, "plan_hash": digest, **fields})


async def approve(*partners: Partner, path: str) -> None:
    for partner in partners:
        answer = await decide(partner, path)
        assert answer.status_code == 201, answer.text


async def read(partner: Partner, path: str) -> dict[str, Any]:
    answer = await partner.get(path)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def active(lead: Partner, *others: Partner, **fields: Any) -> str:
    """An operation that all these approved and that is under way; its path."""
    path = await draft(lead, *(other.agency for other in others), **fields)
    await moved(lead, path, "propose")
    await approve(lead, *others, path=path)
    await moved(lead, path, "activate")
    return path
