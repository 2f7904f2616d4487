"""Checklists in tests: read, and worked off over HTTP."""

from typing import Any

import httpx

from tests.conftest import Partner

PURPOSE = {"Access-Purpose": "case 2026-2207"}
DOCUMENT = {"title": "Certificate", "number": "2026-0117", "issuer": "Provincial hospital"}
REASON = {"reason": "Decided with the ministry."}
SOMEBODY: dict[str, Any] = {"roles": [{"role": "victim", "since": "2026-11"}]}


async def checklist(partner: Partner, path: str, *, purpose: bool = False) -> dict[str, Any]:
    """A checklist as a partner reads it."""
    answer = await partner.get(f"{path}/checklist", headers=PURPOSE if purpose else {})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert answer.headers["ETag"] == f'"{found["version"]}"'
    return found


async def item(partner: Partner, path: str, code: str, *, purpose: bool = False) -> dict[str, Any]:
    """One of its items."""
    (found,) = [one for one in (await checklist(partner, path, purpose=purpose))["items"] if one["code"] == code]
    return dict(found)


async def act(partner: Partner, path: str, code: str, action: str, body: Any = None, **options: Any) -> httpx.Response:
    """Do something with an item, based on the checklist as it stands."""
    options.setdefault("etag", "*")
    headers = {**PURPOSE, **options.pop("headers", {})}
    return await partner.post(f"{path}/checklist/{code}/{action}", body or {}, headers=headers, **options)


async def completed(partner: Partner, path: str, code: str, **fields: Any) -> dict[str, Any]:
    """Complete an item; the checklist after it."""
    answer = await act(partner, path, code, "complete", fields)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def settled(requesting: Partner, requested: Partner, path: str, before: str = "clear") -> None:
    """Complete whatever is open before a step, each item by its side."""
    for one in (await checklist(requesting, path))["items"]:
        if one["before"] == before and one["state"] == "open":
            fields: dict[str, Any] = {"document": DOCUMENT} if one["needs"] == "document" else {}
            if one["needs"] == "result":
                fields = {"result": "no_indication"}
            await completed(requesting if one["side"] == "requesting" else requested, path, one["code"], **fields)
