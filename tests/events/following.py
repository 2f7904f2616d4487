"""A partner that follows the feed, and the means to let the hub's background work happen at a chosen moment."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.conftest import Hub, Partner

DEADLINE = 10.0
"""Seconds within which the loss of sight is told."""


@dataclass
class Follower:
    """Reads the feed page by page, and keeps what it was told."""

    partner: Partner
    cursor: str | None = None
    limit: int = 50
    events: list[dict[str, Any]] = field(default_factory=list)

    async def step(self) -> bool:
        """Read one page; whether there is more at once."""
        parameters = {"limit": self.limit, **({"cursor": self.cursor} if self.cursor else {})}
        answer = await self.partner.get("/v1/events", params=parameters)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        self.events += page["items"]
        self.cursor = page["next_cursor"]
        return bool(page["more"])

    async def follow(self) -> list[tuple[str, str]]:
        """Read to the end of the feed; what is new, as type and reference (or id)."""
        known = len(self.events)
        while await self.step():
            pass
        return [told(event) for event in self.events[known:]]


def told(event: dict[str, Any]) -> tuple[str, str]:
    return event["type"].removeprefix("interdesk."), event["subject"]


async def follower(partner: Partner) -> Follower:
    """A partner that begins with the end of the feed, once everything so far is placed."""
    place(partner.hub)
    answer = await partner.get("/v1/events", params={"cursor": "now"})
    assert (answer.status_code, answer.json()["items"], answer.json()["more"]) == (200, [], False)
    return Follower(partner, answer.json()["next_cursor"])


def place(hub: Hub) -> int:
    """Let the sequencer place what is committed."""
    ((count,),) = hub.operator("SELECT sequence_events()")
    return int(count)


def tell(hub: Hub, batch: int = 500) -> int:
    """Let the worker announce every change of sight that waits, then place the events; how many batches it took."""
    batches = 0
    while hub.operator("SELECT tell_sight_changes(%s)", batch)[0][0]:
        batches += 1
    place(hub)
    return batches


async def until(happened: Callable[[], Awaitable[bool]], seconds: float = DEADLINE) -> float:
    """Wait until something has happened, and fail if it has not in time; the seconds it took."""
    started = time.monotonic()
    while not await happened():
        assert time.monotonic() - started < seconds, "it did not happen in time"
        await asyncio.sleep(0.02)
    return time.monotonic() - started


def only(events: Iterable[tuple[str, str]], kind: str) -> list[str]:
    """Subjects of the events of one type."""
    return [subject for type_, subject in events if type_ == kind]
