"""Meetings in tests: drafted, called, held."""

from typing import Any

import httpx

from tests.conftest import Hub, Partner

PATH = "/v1/meetings"
STARTS, ENDS = "2026-11-23T01:00:00Z", "2026-11-23T03:00:00Z"


def officer(hub: Hub, agency: str) -> Partner:
    """A newly registered agency with a system that calls meetings, and chairs groups."""
    return hub.partner(agency, "operations_officer", "commander", "analyst")


def content(*agencies: str, **fields: Any) -> dict[str, Any]:
    said = {
        "kind": "working",
        "title": "The site at Bokor",
        "starts_at": STARTS,
        "ends_at": ENDS,
        "participants": {"agencies": list(agencies), "groups": fields.pop("groups", [])},
    }
    return {**said, **fields}


async def draft(convener: Partner, *agencies: str, **fields: Any) -> str:
    """Draft a meeting; its path."""
    answer = await convener.post(PATH, content(*agencies, **fields))
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"])


async def move(partner: Partner, path: str, step: str, body: Any = None, etag: str = "*") -> httpx.Response:
    return await partner.post(f"{path}/{step}", body, etag=etag)


async def moved(partner: Partner, path: str, step: str, body: Any = None) -> dict[str, Any]:
    """Take a step that must succeed; what it answers."""
    answer = await move(partner, path, step, body)
    assert answer.status_code == 200, answer.text
    after: dict[str, Any] = answer.json()
    return after


async def call(convener: Partner, *agencies: str, **fields: Any) -> str:
    """Draft a meeting and call it; its path."""
    path = await draft(convener, *agencies, **fields)
    await moved(convener, path, "call")
    return path


async def assign(convener: Partner, path: str, owner: str, **fields: Any) -> str:
    """Add an action item to a meeting; its path."""
    body = {"text": "Send the list.", "owner": owner, "due_on": "2999-12-31", **fields}
    answer = await convener.post(f"{path}/actions", body)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"])


async def titles(partner: Partner, **parameters: Any) -> list[str]:
    answer = await partner.get(PATH, params=parameters)
    assert answer.status_code == 200, answer.text
    return [item["title"] for item in answer.json()["items"]]
