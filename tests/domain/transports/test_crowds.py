"""Many who put people on transports, move them, and take people and requests away, all at once: nothing gets stuck, and
nobody is left on a manifest who cannot travel."""

import asyncio
import random
from collections import Counter
from typing import Any

import httpx
import pytest

from tests.conftest import Hub, Partner
from tests.routers import repatriating
from tests.routers.transporting import HOST, ORGANIZER, add, cleared, manifest, mark, move, officer, planned

WORKERS, STEPS = 5, 30
PURPOSE = {"Access-Purpose": "case 2026-2207", "If-Match": "*"}
LEFT_BEHIND = (
    "SELECT count(*) FROM manifest_entries e JOIN transports t ON t.id = e.transport_id"
    " JOIN records r ON r.id = e.record_id WHERE t.state IN ('planned', 'frozen', 'boarding')"
    " AND e.state IN ('listed', 'boarded') AND (r.life IN ('submitted', 'withdrawn', 'declined')"
    " OR NOT EXISTS (SELECT FROM persons p WHERE p.id = e.person_id))"
)
ACTIONS = (
    *("add",) * 5,
    *("remove", "board", "board", "no-show", "freeze", "freeze", "unfreeze", "depart"),
    *("hold", "resume", "forget", "withdraw", "separate", "read"),
)


class Crowd:
    """Two agencies with people for a few transports."""

    def __init__(self, hub: Hub) -> None:
        self.sides: tuple[Partner, Partner] = (officer(hub, ORGANIZER), officer(hub, HOST))
        self.requests: list[tuple[str, list[str]]] = []
        self.paths: list[str] = []

    async def begin(self) -> None:
        for _ in range(4):
            self.requests.append(await cleared(*self.sides, 4))
        for _ in range(3):
            self.paths.append(await planned(self.sides[0], HOST, seats=8))

    async def work(self, chance: random.Random, seen: Counter[tuple[str, int]]) -> None:
        for _ in range(STEPS):
            action = chance.choice(ACTIONS)
            answer = await self._act(action, chance)
            if answer is not None:
                assert answer.status_code < 500, (action, answer.text)
                seen[action, answer.status_code] += 1

    async def _act(self, action: str, chance: random.Random) -> httpx.Response | None:
        side, path = chance.choice(self.sides), chance.choice(self.paths)
        if action in ("freeze", "unfreeze", "depart"):
            return await move(self.sides[0], path, action)
        if action in ("board", "no-show", "remove"):
            entries = [entry["id"] for entry in (await manifest(side, path))["items"]]
            if not entries:
                return None
            if action == "remove":
                return await side.call("DELETE", f"{path}/manifest/{entries[0]}")
            return await mark(side, path, action, chance.sample(entries, min(3, len(entries))))
        return await self._act_on_request(action, chance, side, path)

    async def _act_on_request(
        self, action: str, chance: random.Random, side: Partner, path: str
    ) -> httpx.Response | None:
        request, people = chance.choice(self.requests)
        where = f"{repatriating.PATH}/{request}"
        reason: Any = {"reason": "The court has not decided."}
        if action == "add":
            return await add(side, path, request, chance.sample(people, chance.randint(1, 4)))
        if action == "forget":
            return await side.call("DELETE", f"{where}/persons/{chance.choice(people)}", headers=PURPOSE)
        if action == "separate":
            return await side.post(f"{path}/separations", {"persons": chance.sample(people, 2)})
        if action in ("hold", "resume"):
            return await repatriating.step(side, where, action, reason if action == "hold" else None)
        if action == "withdraw":
            seldom = chance.random() < 0.2
            return await repatriating.step(self.sides[0], where, action, reason) if seldom else None
        return await side.get(f"{path}/manifest")


@pytest.mark.parametrize("seed", [1, 2])
async def test_nothing_gets_stuck_and_nobody_is_left_behind(hub: Hub, seed: int) -> None:
    crowd = Crowd(hub)
    await crowd.begin()
    seen: Counter[tuple[str, int]] = Counter()

    work = [crowd.work(random.Random(seed * 100 + number), seen) for number in range(WORKERS)]  # noqa: S311 - no secret
    await asyncio.gather(*work)

    assert seen["add", 200] > 0
    assert hub.look(LEFT_BEHIND) == [(0,)]
    live = hub.look("SELECT person_id FROM manifest_entries WHERE state IN ('listed', 'boarded', 'handed_over')")
    assert len(live) == len(set(live))
