"""What one partner's system does, or leaves undone, keeps no other from its answers."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tests.access.scene import PATH
from tests.conftest import Hub, Partner

SOON = 5.0
"""Seconds within which the others are answered; a transaction that waits for a caller would be ended after fifteen."""


def _call(
    partner: Partner, method: str, path: str, receive: Callable[[], Awaitable[dict[str, Any]]]
) -> asyncio.Task[Any]:
    """A call as the server hands it to the application, whose body comes when the caller pleases."""
    headers = {
        "authorization": f"Bearer {partner.access_token}",
        "content-type": "application/json",
        "if-match": '"1"',
        "idempotency-key": path,
    }
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("hub.test", 80),
    }

    async def send(_message: Any) -> None:
        return

    return asyncio.create_task(partner.hub.app(scope, receive, send))


async def test_bodies_that_never_come_hold_no_connection(hub: Hub) -> None:
    slow, other = hub.partner("TH-RTP", "analyst", "commander"), hub.partner("KR-KNPA")
    record = f"{PATH}/{(await slow.profile('Slow'))['id']}"
    never = asyncio.Event()
    waiting: asyncio.Queue[None] = asyncio.Queue()

    async def receive() -> dict[str, Any]:
        waiting.put_nowait(None)
        await never.wait()
        return {"type": "http.disconnect"}

    calls = [("PATCH", record), ("POST", PATH), ("PUT", f"{record}/handling"), ("POST", f"{record}/disclosures")]
    calls += [("POST", f"{record}/relations"), ("POST", f"{record}/sightings"), ("POST", "/v1/groups")]
    stalled = [_call(slow, method, path, receive) for method, path in calls * 3]
    async with asyncio.timeout(SOON):
        for _ in stalled:
            await waiting.get()
    async with asyncio.timeout(SOON):
        assert (await other.get(PATH)).status_code == 200
        created = await other.profile("Quick")
        assert (await other.patch(f"{PATH}/{created['id']}", {"status": "active"}, '"1"')).status_code == 200
    never.set()
    await asyncio.gather(*stalled)


async def test_huge_records_of_one_fill_no_pages_of_others(hub: Hub) -> None:
    """A page is as long as its limit or some megabytes; the walk goes on where it ended."""
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    aliases = [{"name": "x" * 190, "note": "y" * 3900} for _ in range(200)]
    handling = {"tlp": "GREEN", "audience": {"community": True}}
    made = [(await korea.profile(f"Huge {number}", aliases=aliases, handling=handling))["id"] for number in range(12)]
    for query in ({}, {"order": "created_at"}, {"q": "huge"}, {"status": "suspected"}):
        found: list[str] = []
        parameters: dict[str, Any] = {"limit": 500, **query}
        while True:
            answer = await cambodia.get(PATH, params=parameters)
            assert len(answer.content) < 6_000_000
            found += [item["id"] for item in answer.json()["items"]]
            parameters["cursor"] = answer.json()["next_cursor"]
            if parameters["cursor"] is None:
                break
        assert sorted(found) == sorted(made)
        assert len(set(found)) == len(found)
