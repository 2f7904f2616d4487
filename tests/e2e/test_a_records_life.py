"""One record through share, onward request, emergency, recall, suspension, expiry and purge; and at each step who sees
it and why, as its originator is told and as each agency finds it."""

from datetime import timedelta
from typing import Any

import pytest

from app.core import clock
from app.settings import Settings
from tests.conftest import PUBLIC_URL, Hub, Partner
from tests.events.following import Follower, follower, tell
from tests.records.retaining import purge
from tests.routers.agreeing import conclude, moved
from tests.routers.agreements_below import expire
from tests.routers.entrance import below_policies

PATH = "/v1/criminal-organizations"
KOREA, CAMBODIA, THAILAND, PHILIPPINES = "KR-KNPA", "KH-CNP", "TH-RTP", "PH-PNP"


@pytest.fixture
def settings(tmp_path: Any) -> Settings:
    return Settings(_env_file=None, data=tmp_path, public_url=PUBLIC_URL, legal_basis="required")


class Life:
    """The record, and everybody who has anything to do with it."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.partners = {
            code: hub.partner(code, "analyst", "commander") for code in (KOREA, CAMBODIA, THAILAND, PHILIPPINES)
        }
        self.followers: dict[str, Follower] = {}
        self.path = ""

    @property
    def korea(self) -> Partner:
        return self.partners[KOREA]

    async def agreed(self, other: str) -> str:
        path = await conclude(self.korea, self.partners[other], valid_until="2031-01-01")
        return path.rpartition("/")[2]

    async def why(self) -> dict[str, tuple[str, str | None]]:
        """Who sees the record, through what, and on which agreement; as told, and as it is."""
        rows = (await self.korea.get(f"{self.path}/access")).json()["items"]
        told = {row["agency"]: (row["via"], row["legal_basis"]) for row in rows}
        for code, partner in self.partners.items():
            listed = (await partner.get(PATH)).json()["items"]
            status = (await partner.get(self.path)).status_code
            assert (status == 200, bool(listed)) == (code in told, code in told), code
        return told

    async def events(self, code: str) -> list[str]:
        tell(self.hub)
        return [kind for kind, _ in await self.followers[code].follow()]


@pytest.fixture
async def life(hub: Hub) -> Life:
    life = Life(hub)
    for code, partner in life.partners.items():
        life.followers[code] = await follower(partner)
    return life


async def test_one_record_from_share_to_purge(life: Life) -> None:
    mou, treaty = await life.agreed(CAMBODIA), await life.agreed(THAILAND)
    handling = {"tlp": "AMBER", "codes": ["H2"], "legal_basis": mou, "audience": {"agencies": [CAMBODIA]}}
    record = await life.korea.profile(handling=handling)
    life.path = f"{PATH}/{record['id']}"
    own, shared = {KOREA: ("originator", None)}, {CAMBODIA: ("agency", mou)}
    assert await life.why() == own | shared

    # Asked and granted, on an agreement with the third.
    asked = await life.partners[CAMBODIA].post(
        f"{life.path}/onward-requests",
        {"agencies": [THAILAND], "reason": "They hold the border.", "respond_by": _in(days=3)},
    )
    assert asked.status_code == 201, asked.text
    assert await life.why() == own | shared
    request = f"{life.path}/onward-requests/{asked.json()['id']}"
    bare = await life.korea.post(f"{request}/grant", {"legal_basis": mou}, asked.headers["ETag"])
    assert (bare.status_code, bare.json()["type"].rpartition("/")[2]) == (422, "no-legal-basis")
    granted = await life.korea.post(f"{request}/grant", {"legal_basis": treaty}, asked.headers["ETag"])
    assert granted.status_code == 200, granted.text
    onward = {THAILAND: ("agency", treaty)}
    assert await life.why() == own | shared | onward

    # An emergency that waits for no agreement, and lapses.
    urgent = {"agencies": [PHILIPPINES], "purpose": "Search.", "emergency": True, "reason": "A victim called."}
    assert (await life.korea.post(f"{life.path}/disclosures", urgent)).status_code == 201
    assert await life.why() == own | shared | onward | {PHILIPPINES: ("emergency", None)}
    below_policies(life.hub, "UPDATE emergencies SET until = clock_timestamp()")
    assert await life.why() == own | shared | onward
    life.hub.operator("SELECT lapse_emergencies()")
    assert await life.events(PHILIPPINES) == ["record.lost"]

    # Recalled from one, who says what became of its copies.
    recall = {"agencies": [THAILAND], "reason": "The source took back its consent."}
    assert (await life.korea.post(f"{life.path}/recalls", recall)).status_code == 201
    assert await life.why() == own | shared
    assert {"record.lost", "recall.requested"} <= set(await life.events(THAILAND))
    ((received,),) = [(await life.partners[THAILAND].get("/v1/recalls")).json()["items"]]
    done = await life.partners[THAILAND].post(f"/v1/recalls/{received['id']}/acknowledge", {"outcome": "deleted"})
    assert done.status_code == 200, done.text
    ((recipient,),) = [row["recipients"] for row in (await life.korea.get(f"{life.path}/recalls")).json()["items"]]
    assert (recipient["agency"], recipient["outcome"]) == (THAILAND, "deleted")

    # Suspended and reinstated, ended by its last day: the record is not touched by it.
    agreement = f"/v1/agreements/{mou}"
    before = life.hub.look("SELECT xmin::text, * FROM records")
    await moved(life.partners[CAMBODIA], agreement, "suspend", {"reason": "Under review."})
    assert await life.why() == own
    await moved(life.partners[CAMBODIA], agreement, "reinstate")
    assert await life.why() == own | shared
    expire(life.hub, mou)
    assert await life.why() == own
    assert life.hub.look("SELECT xmin::text, * FROM records") == before
    assert "record.lost" in await life.events(CAMBODIA)

    # Purged: of all that nothing is left but that it was.
    await purge(life.hub, record["id"])
    left = (await life.korea.get(life.path)).json()
    assert (left["state"], left["reference"]) == ("purged", record["reference"])
    assert (await life.partners[CAMBODIA].get(life.path)).status_code == 404


def _in(**span: int) -> str:
    return (clock.now() + timedelta(**span)).isoformat()
