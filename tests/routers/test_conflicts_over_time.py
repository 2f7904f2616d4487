"""Whatever several leads do at the same time: the conflicts that stand are those of the operations that are live."""

import asyncio
import random
from itertools import combinations
from typing import Any
from uuid import UUID

from tests.conftest import Hub, Partner
from tests.domain.joint_operations.test_collisions import Claimed, collide
from tests.routers.deconflicting import KOREA, near
from tests.routers.operating import draft, hours, move, officer

LEADS = (KOREA, "KH-CNP", "TH-RTP", "VN-MPS", "SG-SPF")
ROUNDS, AT_ONCE = 12, 5


def _plan(chance: random.Random) -> dict[str, Any]:
    """A plan in a small place and a short time, in which most collide somehow."""
    begin = chance.choice((24, 30, 50, 70, 200))
    return {
        "window": {"starts_at": hours(begin), "ends_at": hours(begin + chance.choice((2, 12)))},
        "area": near(chance.choice((0, 0.03, 0.06, 1)), chance.choice((0, 0.03)), chance.choice((500, 2000))),
        "targets": [{"type": "place", "value": f"House {chance.randrange(4)}"}] * chance.randrange(2),
    }


async def _do(lead: Partner, paths: list[str], chance: random.Random) -> int:
    """Something that a lead may try; what it comes to depends on what others do meanwhile."""
    other = next(agency for agency in LEADS if agency != lead.agency)
    if not paths or chance.random() < 0.3:
        paths.append(await draft(lead, other, **_plan(chance)))
        return (await move(lead, paths[-1], "propose")).status_code
    path = chance.choice(paths)
    act = chance.choice(("propose", "patch", "cancel", "check", "resolve"))
    if act == "patch":
        return (await lead.patch(path, _plan(chance), "*")).status_code
    if act == "check":
        return (await lead.post(f"{path}/conflicts")).status_code
    if act == "resolve":
        found = (await lead.get(f"{path}/conflicts", params={"state": "open"})).json()["items"]
        said = {"outcome": "joint", "note": "Together."}
        return (
            (await lead.post(f"{path}/conflicts/{chance.choice(found)['id']}/resolve", said, "*")).status_code
            if found
            else 200
        )
    return (await move(lead, path, act, {"reason": "No more."} if act == "cancel" else None)).status_code


def _expected(hub: Hub) -> dict[frozenset[UUID], tuple[list[str], str]]:
    """The collisions of all live operations, looked at pair by pair."""
    numbers: dict[UUID, int] = {}
    claims = [
        Claimed(*row[:5], frozenset(numbers.setdefault(target, len(numbers)) for target in row[5]), *row[6:])
        for row in hub.look(
            "SELECT lower(period), upper(period), latitude, longitude, radius_m, targets, originator, record_id"
            " FROM operation_claims"
        )
    ]
    pairs = {frozenset((a.id, b.id)): collide(a, b) for a, b in combinations(claims, 2)}
    return {pair: found for pair, found in pairs.items() if found is not None}


async def test_the_standing_conflicts_are_those_of_what_is_live(hub: Hub) -> None:
    chance = random.Random(20261122)  # noqa: S311 - no secret
    leads = [officer(hub, agency) for agency in LEADS]
    paths: dict[str, list[str]] = {agency: [] for agency in LEADS}
    answers: set[int] = set()
    for _ in range(ROUNDS):
        acting = chance.sample(leads, AT_ONCE)
        answers |= set(await asyncio.gather(*(_do(lead, paths[lead.agency], chance) for lead in acting)))
        live = {row[0] for row in hub.look("SELECT id FROM records WHERE life IN ('proposed', 'approved')")}
        assert {row[0] for row in hub.look("SELECT record_id FROM operation_claims")} == live
        standing = {
            frozenset(records): (kinds, severity)
            for records, kinds, severity in hub.look(
                "SELECT records, kinds, severity FROM operation_conflicts WHERE state <> 'cleared' AND NOT from_check"
            )
        }
        assert standing == _expected(hub)
        drafts = hub.look("SELECT records FROM operation_conflicts WHERE state <> 'cleared' AND from_check")
        assert all(len(live & set(records)) == 1 for (records,) in drafts)
    assert 500 not in answers
    assert standing
