"""Repatriation requests in tests: drafted, submitted and brought along over HTTP."""

from typing import Any

import httpx

from tests.conftest import Hub, Partner
from tests.routers.checking import SOMEBODY, settled

PATH = "/v1/repatriation-requests"
REQUESTING, REQUESTED, TRANSIT, STRANGER = "KR-KNPA", "KH-CNP", "TH-RTP", "VN-MPS"

VICTIM: dict[str, Any] = {
    "category": "victim",
    "legal_act": "voluntary_repatriation",
    "requested_agency": REQUESTED,
    "from_country": "KH",
    "to_country": "KR",
    "handling": {"tlp": "AMBER"},
}
SUSPECT: dict[str, Any] = {**VICTIM, "category": "suspect", "legal_act": "deportation"}
REMAINS: dict[str, Any] = {**VICTIM, "category": "remains", "legal_act": "repatriation_of_remains"}


def officer(hub: Hub, agency: str) -> Partner:
    """A system of an agency that works on requests and decides on them."""
    return hub.partner(agency, "liaison_officer", "commander")


def request(**fields: Any) -> dict[str, Any]:
    """A request for a victim, with these fields instead."""
    return {**VICTIM, **fields}


async def draft(partner: Partner, **fields: Any) -> str:
    """Draft a request; its path."""
    answer = await partner.post(PATH, request(**fields))
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"])


async def step(partner: Partner, path: str, action: str, body: Any = None, **options: Any) -> httpx.Response:
    """Take a step, based on the request as it stands."""
    options.setdefault("etag", "*")
    return await partner.post(f"{path}/{action}", body, **options)


async def stepped(partner: Partner, path: str, *actions: str) -> dict[str, Any]:
    """Take steps that must succeed; the request after the last."""
    after: dict[str, Any] = {}
    for action in actions:
        answer = await step(partner, path, action, _said(action))
        assert answer.status_code == 200, answer.text
        after = answer.json()
    return after


def _said(action: str) -> dict[str, str] | None:
    return {"reason": "The court has not decided."} if action in ("decline", "hold", "withdraw") else None


async def submitted(requesting: Partner, **fields: Any) -> str:
    """A request that the requested side has before it; its path."""
    path = await draft(requesting, **fields)
    await stepped(requesting, path, "submit")
    return path


async def accepted(requesting: Partner, requested: Partner, **fields: Any) -> str:
    """A request that both sides agree on; its path."""
    path = await submitted(requesting, **fields)
    await stepped(requested, path, "acknowledge", "accept")
    return path


async def cleared(requesting: Partner, requested: Partner, **fields: Any) -> str:
    """A request for somebody, with nothing in the way of the journey; its path."""
    path = await accepted(requesting, requested, **fields)
    await add_person(requesting, path, SOMEBODY)
    await settled(requesting, requested, path)
    await stepped(requested, path, "clear")
    return path


async def state(partner: Partner, path: str) -> str:
    """How far a request has come, as a partner reads it."""
    answer = await partner.get(path)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["state"])


async def add_person(partner: Partner, path: str, person: dict[str, Any]) -> str:
    """Enter a person; its id."""
    headers = {"Access-Purpose": "case 2026-2207"}
    answer = await partner.post(f"{path}/persons", person, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])
