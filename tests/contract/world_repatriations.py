"""The repatriation requests that the examples are about."""

from typing import Any

from tests.contract import world_checklists
from tests.contract.world import World, documented_id
from tests.contract.world_kinds import Kind, build_kind
from tests.contract.world_persons import PURPOSE, VICTIM, WITNESS

PATH = "/v1/repatriation-requests"


def named(title: str) -> dict[str, Any]:
    """The least that a request says."""
    return {
        "category": "suspect",
        "legal_act": "deportation",
        "requested_agency": "KH-CNP",
        "from_country": "KH",
        "to_country": "KR",
        "narrative": title,
    }


REQUEST: dict[str, Any] = {
    "category": "victim",
    "legal_act": "voluntary_repatriation",
    "requested_agency": "KH-CNP",
    "transit_agencies": ["TH-RTP"],
    "from_country": "KH",
    "to_country": "KR",
    "priority": "urgent",
    "due_at": "2099-12-01T00:00:00Z",
    "narrative": "Freed from the site near Bokor; in a shelter in Phnom Penh.",
    "handling": {"tlp": "AMBER"},
}
STEPS = (
    ("acknowledge", "KH"),
    ("accept", "KH"),
    ("clear", "KH"),
    ("schedule", "KR"),
    ("depart", "KR"),
    ("hand-over", "KH"),
)


async def build(world: World) -> None:
    """Make a request at every step of its way, one with persons and messages, one on hold and a draft."""
    await build_kind(world, Kind("repatriation-requests", "liaison_officer", named, 350))
    korea = world.caller("KR-KNPA liaison_officer")
    linked = {"type": "incident", "kind": "incident-reports", "id": world.names[documented_id(303)]}
    path = await _make(world, 363, links=[linked], external_id="2026-2207")
    world.name(364, await korea.post(f"{path}/persons", VICTIM, headers=PURPOSE))
    world.name(365, await korea.post(f"{path}/persons", WITNESS, headers=PURPOSE))
    written = await korea.post(f"{path}/messages", {"text": "Her passport is at the embassy."})
    world.name(366, written)
    # 367 is a draft, each one after it a step further than the one before.
    await _make(world, 367, submit=False)
    for number in range(len(STEPS) + 1):
        made = await _make(world, 368 + number)
        for step, side in STEPS[:number]:
            await _step(world, made, step, side)
            if step == "accept":
                await world_checklists.make_ready(world, made)
    held = await _make(world, 375)
    reason = {"reason": "A typhoon closes the airport."}
    assert (await korea.post(f"{held}/hold", reason, etag='"2"')).status_code == 200


async def _make(world: World, number: int, *, submit: bool = True, **fields: Any) -> str:
    made = await world.caller("KR-KNPA liaison_officer").post(PATH, {**REQUEST, **fields})
    path = f"{PATH}/{world.name(number, made)}"
    if submit:
        await _step(world, path, "submit", "KR")
    return path


async def _step(world: World, path: str, step: str, side: str) -> None:
    role = "commander" if step == "accept" else "liaison_officer"
    partner = world.caller(f"{'KR-KNPA' if side == 'KR' else 'KH-CNP'} {role}")
    moved = await partner.post(f"{path}/{step}", etag=(await partner.get(path)).headers["ETag"])
    assert moved.status_code == 200, moved.text
