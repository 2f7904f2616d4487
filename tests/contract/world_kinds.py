"""What the examples of the calls that every kind of record has are about, for the kinds beside profiles.

For each kind the same two records with everything that can hang on them, under documented ids that start at `base`:
0 and 1 the records, 2 their link, 3 a disclosure, 4 a retracted record, 5 a legal hold, 6 a record near its review, 7
an emergency, 8 and 9 a recall and its record, 10 and 11 a caveat and its acknowledgement, 12 an onward request.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.core import clock
from tests.conftest import Partner
from tests.contract.world import CAVEAT, IN_TWO_WEEKS, World, documented_id


@dataclass(frozen=True)
class Kind:
    """A kind of record in the examples' world."""

    noun: str
    role: str
    """The role of the systems that write and read records of this kind."""
    named: Callable[[str], dict[str, Any]]
    """What a record that is called so says at least."""
    base: int

    @property
    def path(self) -> str:
        return f"/v1/{self.noun}"


async def build_kind(world: World, kind: Kind) -> None:
    """Make everything that the common calls' examples of one kind name."""
    korea, cambodia = world.caller(f"KR-KNPA {kind.role}"), world.caller(f"KH-CNP {kind.role}")

    async def create(number: int, title: str, **fields: Any) -> str:
        answer = await korea.post(kind.path, {**kind.named(title), **fields})
        return f"{kind.path}/{world.name(kind.base + number, answer)}"

    shared = {"tlp": "AMBER", "codes": ["H2"], "audience": {"agencies": ["KH-CNP"], "excluded": ["TH-RTP"]}}
    first = await create(0, "Bokor", external_id="2026-1187", handling=shared)
    second = await create(1, "Sihanoukville", handling={"audience": {"agencies": ["KH-CNP"]}})
    await _hang_on(world, kind, korea, first, second)
    asked = {
        "agencies": ["INTERPOL", "SG-SPF"],
        "reason": "Two of the recruiters travel on to Singapore, case 2026-1188.",
        "respond_by": world.actual(IN_TWO_WEEKS),
    }
    world.name(kind.base + 12, await cambodia.post(f"{second}/onward-requests", asked))
    gone = await create(4, "Entered twice")
    assert (await korea.post(f"{gone}/retract", etag='"1"')).status_code == 200
    await _near_review(korea, await create(6, "Kampot", handling={"review_on": _in_days(90)}))
    await _taken_back(world, kind, korea, create)
    handling = {
        "tlp": "AMBER",
        "codes": ["H1", "H3"],
        "caveat": CAVEAT,
        "audience": {"agencies": ["KH-CNP", "INTERPOL"]},
    }
    covered = await create(10, "Lantern", handling=handling)
    interpol = world.caller(f"INTERPOL {kind.role}")
    read = await interpol.post(f"{covered}/handling/acknowledge", {"caveat": CAVEAT})
    assert read.status_code == 200, read.text
    world.names[documented_id(kind.base + 11)] = read.json()["id"]


def _in_days(number: int) -> str:
    return str(clock.now().date() + timedelta(days=number))


async def _hang_on(world: World, kind: Kind, korea: Partner, first: str, second: str) -> None:
    pointer = {"type": "related_to", "kind": kind.noun, "id": second.rpartition("/")[2]}
    world.name(kind.base + 2, await korea.post(f"{first}/links", pointer))
    opened = {"agencies": ["INTERPOL"], "purpose": "Notices for two of the recruiters, case 2026-1187."}
    officer = {"On-Behalf-Of": "Insp. Example"}
    world.name(kind.base + 3, await korea.post(f"{first}/disclosures", opened, headers=officer))
    held = {"reason": "Evidence in the Bokor trial.", "authority": "Seoul Central District Court, 2026Gahap1187"}
    world.name(kind.base + 5, await korea.post(f"{first}/legal-holds", held))
    urgent = {"agencies": ["SG-SPF"], "purpose": "Search at sea.", "emergency": True, "reason": "A victim called."}
    world.name(kind.base + 7, await world.caller("KR-KNPA commander").post(f"{first}/disclosures", urgent))


async def _near_review(korea: Partner, near: str) -> None:
    sooner = {"reason": "Trial pending.", "review_on": _in_days(180)}
    answer = await korea.post(f"{near}/renew", sooner, '"1"', headers={"On-Behalf-Of": "Insp. Example"})
    assert answer.status_code == 200, answer.text


async def _taken_back(world: World, kind: Kind, korea: Partner, create: Callable[..., Any]) -> None:
    shared = {"tlp": "AMBER", "audience": {"agencies": ["INTERPOL", "TH-RTP"]}}
    taken = await create(8, "Harbour", handling=shared)
    body = {"agencies": ["INTERPOL", "TH-RTP"], "reason": "The source took back its consent."}
    recall = await korea.post(f"{taken}/recalls", body)
    assert recall.status_code == 201, recall.text
    world.names[documented_id(kind.base + 9)] = recall.json()["id"]
    path = f"/v1/recalls/{recall.json()['id']}/acknowledge"
    done = await world.caller(f"INTERPOL {kind.role}").post(path, {"outcome": "deleted"})
    assert done.status_code == 200, done.text
