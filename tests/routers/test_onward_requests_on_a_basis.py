"""Passing on where the law must reach: a grant needs a legal basis like every disclosure, and ends with it."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.core import clock
from app.core.ids import uuid7
from app.settings import Settings
from tests.conftest import PUBLIC_URL, Hub
from tests.routers.agreements_below import agree, put_in_force

PATH = "/v1/criminal-organizations"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data=tmp_path, public_url=PUBLIC_URL, legal_basis="required")  # type: ignore[call-arg]


async def test_a_grant_rests_on_an_agreement_and_ends_with_it(hub: Hub) -> None:
    korea, cambodia, thailand = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("TH-RTP")
    first, second = agree(hub, "KR-KNPA", "KH-CNP"), agree(hub, "KR-KNPA", "TH-RTP")
    handling = {"tlp": "AMBER", "codes": ["H2"], "audience": {"agencies": ["KH-CNP"]}, "legal_basis": first}
    path = f"{PATH}/{(await korea.profile(handling=handling))['id']}"
    respond_by = clock.rfc3339(clock.now() + timedelta(days=7))
    asked = await cambodia.post(
        f"{path}/onward-requests", {"agencies": ["TH-RTP"], "reason": "Arrests.", "respond_by": respond_by}
    )
    place = asked.headers["Location"]

    bare = await korea.post(f"{place}/grant", {}, '"1"')
    unknown = await korea.post(f"{place}/grant", {"legal_basis": str(uuid7())}, '"1"')

    assert (bare.status_code, bare.json()["type"]) == (422, "/problems/no-legal-basis")
    assert [flaw["pointer"] for flaw in bare.json()["errors"]] == ["/agencies/0"]
    assert (unknown.status_code, unknown.json()["type"]) == (422, "/problems/unknown-reference")
    assert [flaw["pointer"] for flaw in unknown.json()["errors"]] == ["/legal_basis"]
    # Nothing happened.
    assert (await cambodia.get(place)).json() == asked.json()
    assert (await korea.get(f"{path}/disclosures")).json()["items"] == []

    granted = await korea.post(f"{place}/grant", {"legal_basis": second}, '"1"')

    assert granted.status_code == 200, granted.text
    disclosure = (await korea.get(f"{path}/disclosures/{granted.json()['disclosure']}")).json()
    assert (disclosure["legal_basis"], disclosure["requested_by"]) == (second, "KH-CNP")
    assert (await thailand.get(path)).status_code == 200
    put_in_force(hub, second, in_force=False)
    assert (await thailand.get(path)).status_code == 404
    # What was granted stays said; the requester is told nothing of what became of it.
    assert (await cambodia.get(place)).headers["ETag"] == '"2"'


async def test_whoever_asked_loses_the_request_with_its_agreement(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    hub.register("TH-RTP")
    agreement = agree(hub, "KR-KNPA", "KH-CNP")
    handling = {"tlp": "AMBER", "audience": {"agencies": ["KH-CNP"]}, "legal_basis": agreement}
    path = f"{PATH}/{(await korea.profile(handling=handling))['id']}"
    respond_by = clock.rfc3339(clock.now() + timedelta(days=7))
    asked = await cambodia.post(
        f"{path}/onward-requests", {"agencies": ["TH-RTP"], "reason": "Arrests.", "respond_by": respond_by}
    )
    place = asked.headers["Location"]
    put_in_force(hub, agreement, in_force=False)
    assert (await cambodia.get(place)).status_code == 404
    assert (await cambodia.post(f"{place}/withdraw", etag='"1"')).status_code == 404
    assert (await korea.get(place)).status_code == 200
    put_in_force(hub, agreement, in_force=True)
    assert (await cambodia.get(place)).json() == asked.json()
