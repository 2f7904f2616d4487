"""Whatever is done to transports: nobody twice, never over the seats, and requests where their people are."""

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from app.domain.transports.workflow import WORKFLOW
from app.models.transport_vocabularies import TransportState
from tests.conftest import Hub, Partner
from tests.routers.transporting import HOST, ORGANIZER, add, cleared, manifest, mark, move, officer, planned

SEATS = 4
LIVE = ("listed", "boarded", "handed_over")
STEPS = 90
SETTLES = ("freeze", "unfreeze", "depart", "cancel", "hand-over")


class Walk:
    """Two sides do at random what they may try, and what must hold is looked at below every policy."""

    def __init__(self, hub: Hub, seed: int) -> None:
        self.hub = hub
        self.sides: Sequence[Partner] = (officer(hub, ORGANIZER), officer(hub, HOST))
        self.requests: list[tuple[str, list[str]]] = []
        self.paths: list[str] = []
        self.taken: Counter[str] = Counter()
        self.random = random.Random(seed)  # noqa: S311 - an order of steps, no secret

    async def begin(self) -> None:
        for _ in range(3):
            self.requests.append(await cleared(*self.sides, 3))
        for _ in range(3):
            self.paths.append(await planned(self.sides[0], HOST, seats=SEATS))

    async def step(self) -> None:
        path, side = self.random.choice(self.paths), self.random.choice(self.sides)
        action = self.random.choice(
            (*("add",) * 4, *("board",) * 4, "no-show", "remove", "freeze", "freeze", "unfreeze", "depart", "depart")
            + ("arrive", "arrive", "hand-over", "hand-over", "hand-over")
            + (("cancel",) if self.random.random() < 0.2 else ())
        )
        touched = self._requests_on(path)
        answer = await self._try(action, path, side)
        if answer is None:
            return
        assert answer.status_code in (200, 204, 403, 409), (action, answer.text)
        if answer.is_success:
            self.taken[action] += 1
            if action in ("cancel", "depart"):
                self.paths.append(await planned(self.sides[0], HOST, seats=SEATS))
        self.check(touched if answer.is_success and action in SETTLES else [])

    async def _try(self, action: str, path: str, side: Partner) -> httpx.Response | None:
        if action == "add":
            request, persons = self.random.choice(self.requests)
            return await add(side, path, request, self.random.sample(persons, self.random.randint(1, 3)))
        if action in ("board", "no-show", "hand-over", "remove"):
            entries = [entry["id"] for entry in (await manifest(side, path))["items"]]
            some = self.random.sample(entries, min(len(entries), self.random.randint(1, 4)))
            if not some:
                return None
            if action == "remove":
                return await side.call("DELETE", f"{path}/manifest/{some[0]}")
            return await mark(side, path, action, some)
        return await move(self.sides[0], path, action)

    def _requests_on(self, path: str) -> list[str]:
        rows = self.hub.look(
            "SELECT DISTINCT record_id::text FROM manifest_entries WHERE transport_id = %s", path.rpartition("/")[2]
        )
        return [request for (request,) in rows]

    def check(self, settled: Sequence[str]) -> None:
        """What must hold after every step; and for requests that one has just settled, where they are."""
        entries = self.hub.look(
            "SELECT e.person_id::text, e.record_id::text, e.state, t.id, t.state, t.seats FROM manifest_entries e"
            " JOIN transports t ON t.id = e.transport_id"
        )
        seated = [entry for entry in entries if entry[2] in LIVE]
        assert max(Counter(person for person, *_ in seated).values(), default=0) <= 1
        for transport, seats in {(entry[3], entry[5]) for entry in entries}:
            assert sum(entry[3] == transport for entry in seated) <= seats
        for _, _, state, _, transport_state, _ in entries:
            assert (state, transport_state) in POSSIBLE, (state, transport_state)
        for request in settled:
            ((life,),) = self.hub.look("SELECT life FROM records WHERE id = %s", request)
            assert life == self._expected(request, seated), request

    def _expected(self, request: str, seated: Sequence[tuple[Any, ...]]) -> str:
        people = next(persons for known, persons in self.requests if known == request)
        placed = {entry[0]: (entry[2], entry[4]) for entry in seated if entry[4] != "planned"}
        where = [placed.get(person) for person in people]
        if None in where:
            return "cleared"
        if all(place is not None and place[0] == "handed_over" for place in where):
            return "handed_over"
        gone = any(place is not None and place[1] in ("departed", "arrived", "completed") for place in where)
        return "in_transit" if gone else "scheduled"


POSSIBLE = {
    *((state, "planned") for state in ("listed", "withdrawn")),
    *((state, "frozen") for state in ("listed", "withdrawn")),
    *((state, "boarding") for state in ("listed", "boarded", "no_show", "withdrawn")),
    *((state, "departed") for state in ("boarded", "no_show", "withdrawn")),
    *((state, "arrived") for state in ("boarded", "no_show", "handed_over", "withdrawn")),
    *((state, "completed") for state in ("handed_over", "no_show", "withdrawn")),
    *((state, "cancelled") for state in ("no_show", "withdrawn")),
}
"""What can have become of somebody on a transport of each state."""


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_is_done_in_whatever_order(hub: Hub, seed: int) -> None:
    walk = Walk(hub, seed)
    await walk.begin()
    for _ in range(STEPS):
        await walk.step()
    assert {"add", "freeze", "board"} <= set(walk.taken)


def test_the_walk_can_come_everywhere() -> None:
    reached, before = {WORKFLOW.initial}, set()
    while reached != before:
        before = set(reached)
        reached |= {row.leads_to(state) for row in WORKFLOW.transitions for state in before if state in row.sources}
    assert reached == set(TransportState)
