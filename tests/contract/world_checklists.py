"""The checklists that the examples are about."""

from typing import Any

from tests.contract.world import World, documented_id
from tests.contract.world_persons import PURPOSE
from tests.routers.checking import settled

PATH = "/v1/repatriation-requests"
ASKED: dict[str, Any] = {"requested_agency": "KH-CNP", "from_country": "KH", "to_country": "KR"}
REMAINS = {**ASKED, "category": "remains", "legal_act": "repatriation_of_remains"}
SUSPECTS = {**ASKED, "category": "suspect", "legal_act": "deportation"}
VICTIM = {"names": [{"name": "이예시", "language": "ko"}], "roles": [{"role": "victim", "since": "2026-11"}]}
DECEASED = {**VICTIM, "roles": [{"role": "deceased", "since": "2026-08-08"}]}
SUSPECT = {**VICTIM, "roles": [{"role": "suspect", "since": "2026-11"}]}


async def make_ready(world: World, path: str) -> None:
    """Enter somebody with an accepted request, and do what has to be done before it is cleared."""
    korea, cambodia = world.caller("KR-KNPA liaison_officer"), world.caller("KH-CNP liaison_officer")
    entered = await korea.post(f"{path}/persons", VICTIM, headers=PURPOSE)
    assert entered.status_code == 201, entered.text
    await settled(korea, cambodia, path)


async def build(world: World) -> None:
    """Make a request for remains that is worked on, one with a victim among suspects, and one that names nobody."""
    korea, cambodia = world.caller("KR-KNPA liaison_officer"), world.caller("KH-CNP liaison_officer")
    remains = await _accepted(world, 380, REMAINS)
    world.name(381, await korea.post(f"{remains}/persons", DECEASED, headers=PURPOSE))
    for partner, code, title in (
        (cambodia, "identification", "Fingerprint comparison"),
        (korea, "autopsy_requested", "Note verbale of the embassy"),
    ):
        body = {"document": {"title": title, "issued_on": "2026-11-20"}}
        answer = await partner.post(f"{remains}/checklist/{code}/complete", body, etag="*")
        assert answer.status_code == 200, answer.text
    suspects = await _accepted(world, 382, SUSPECTS)
    for number in (383, 384):
        world.name(number, await korea.post(f"{suspects}/persons", SUSPECT, headers=PURPOSE))
    screened = {"persons": [world.names[documented_id(383)]], "result": "victim"}
    answer = await cambodia.post(
        f"{suspects}/checklist/trafficking_screening/complete", screened, etag="*", headers=PURPOSE
    )
    assert answer.status_code == 200, answer.text
    await _accepted(world, 385, SUSPECTS)


async def _accepted(world: World, number: int, body: dict[str, Any]) -> str:
    made = await world.caller("KR-KNPA liaison_officer").post(PATH, {**body, "handling": {"tlp": "AMBER"}})
    path = f"{PATH}/{world.name(number, made)}"
    for step, who in (
        ("submit", "KR-KNPA liaison_officer"),
        ("acknowledge", "KH-CNP liaison_officer"),
        ("accept", "KH-CNP commander"),
    ):
        moved = await world.caller(who).post(f"{path}/{step}", etag="*")
        assert moved.status_code == 200, moved.text
    return path
