"""The transports that the examples are about: one at every step of its way, and people for them."""

from datetime import datetime
from typing import Any

from app.core import clock
from app.domain.transports.shapes import local_time
from tests.contract.world import IN_TWO_WEEKS, TWELVE_HOURS_LATER, World, documented_id
from tests.contract.world_persons import PURPOSE, VICTIM, WITNESS
from tests.contract.world_repatriations import REQUEST
from tests.routers.checking import settled
from tests.routers.repatriating import stepped

PATH = "/v1/transports"
REQUESTS = "/v1/repatriation-requests"

PLAN: dict[str, Any] = {
    "participants": ["KH-CNP"],
    "mode": "charter",
    "carrier": "Example Air",
    "number": "XA 9001",
    "departure": {"place": "Phnom Penh, PNH", "country": "KH", "at": IN_TWO_WEEKS, "time_zone": "Asia/Phnom_Penh"},
    "arrival": {"place": "Incheon, ICN", "country": "KR", "at": TWELVE_HOURS_LATER, "time_zone": "Asia/Seoul"},
    "seats": 180,
    "sections": [{"name": "rows 1 to 20", "seats": 120}, {"name": "rows 21 to 26", "seats": 36}],
    "escorts": [{"agency": "KR-KNPA", "count": 20}, {"agency": "KH-CNP", "count": 4}],
    "escort_rule": {"suspects_per_escort": 2, "victims_per_escort": 20},
    "permits": [
        {"type": "landing", "country": "KR", "number": "L-2026-88", "state": "granted", "valid_until": "2099-12-31"}
    ],
    "note": "Gate opens at 06:00.",
}
STEPS = ("freeze", "board", "depart", "arrive")
SECTION = "rows 1 to 20"
FREED: dict[str, Any] = {"roles": [{"role": "victim", "since": "2026-10"}]}
KOREA = "KR-KNPA liaison_officer"
LOCAL = {
    "2026-12-06T16:00:00+07:00": (IN_TWO_WEEKS, "Asia/Phnom_Penh"),
    "2026-12-07T06:00:00+09:00": (TWELVE_HOURS_LATER, "Asia/Seoul"),
}
"""What the clocks say there; the actual moments are counted from today."""
RECEIVED = "2026-11-22T17:30:00.000000Z"
"""When people are received in the examples: actually once the last of these transports has arrived."""


async def build(world: World) -> None:
    """Two who are cleared and on no manifest; an open manifest with two, and others each a step further on."""
    for documented, (at, zone) in LOCAL.items():
        world.names[documented] = local_time(datetime.fromisoformat(world.names[at]), zone)
    await _people(world, 400, (401, 402))
    await _transport(world, 403, permits=[{"type": "overflight", "country": "VN"}])
    await _fill(world, 403, 404, 407, persons=(405, 406))
    named = {"persons": [world.names[documented_id(number)] for number in (405, 406)]}
    open_one = f"{PATH}/{world.names[documented_id(403)]}"
    reason = {"reason": "One testifies against the other."}
    world.name(408, await world.caller(KOREA).post(f"{open_one}/separations", {**named, **reason}))
    # 409 is ready to be frozen, each one after it a step further: frozen, boarding, departed, arrived.
    for further in range(len(STEPS) + 1):
        number = 409 + 3 * further
        path = await _transport(world, number)
        entries = await _fill(world, number, number + 1, number + 2, persons=() if further else (424, 425))
        for step in STEPS[:further]:
            await _step(world, path, step, entries)
    world.names[RECEIVED] = clock.rfc3339(clock.now())


async def _transport(world: World, number: int, **fields: Any) -> str:
    times = {stop: {**PLAN[stop], "at": world.names[PLAN[stop]["at"]]} for stop in ("departure", "arrival")}
    return f"{PATH}/{world.name(number, await world.caller(KOREA).post(PATH, {**PLAN, **times, **fields}))}"


async def _step(world: World, path: str, step: str, entries: list[str]) -> None:
    korea = world.caller(KOREA)
    if step == "board":
        answer = await korea.post(f"{path}/manifest/board", {"entries": entries})
    else:
        answer = await korea.post(f"{path}/{step}", etag="*")
    assert answer.status_code == 200, answer.text


async def _people(world: World, number: int, persons: tuple[int, ...] = ()) -> list[str]:
    """A cleared request with two persons; the persons' ids, documented under their numbers if there are such."""
    korea, cambodia = world.caller(KOREA), world.caller("KH-CNP liaison_officer")
    path = f"{REQUESTS}/{world.name(number, await korea.post(REQUESTS, REQUEST))}"
    await stepped(korea, path, "submit")
    people = []
    # Those who travel are others than those who wait: nobody stands on two manifests.
    for place, person in enumerate((VICTIM, WITNESS) if number == 400 else (FREED, FREED)):
        added = await korea.post(f"{path}/persons", person, headers=PURPOSE)
        people.append(world.name(persons[place], added) if persons else str(added.json()["id"]))
    await stepped(cambodia, path, "acknowledge")
    await stepped(world.caller("KH-CNP commander"), path, "accept")
    await settled(korea, cambodia, path)
    await stepped(cambodia, path, "clear")
    return people


async def _fill(world: World, transport: int, request: int, entry: int, persons: tuple[int, ...]) -> list[str]:
    """Put the two people of a cleared request on a transport; their entries, the first of them documented."""
    people = await _people(world, request, persons)
    body = {"request": world.names[documented_id(request)], "persons": people, "section": SECTION}
    path = f"{PATH}/{world.names[documented_id(transport)]}/manifest"
    added = await world.caller(KOREA).post(path, body)
    assert added.status_code == 200, added.text
    entries = [made["id"] for made in added.json()["entries"]]
    world.names[documented_id(entry)] = entries[0]
    return entries
