"""Passing on where the law must reach: a grant needs a legal basis like every disclosure, and ends with it."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from app.core import clock
from app.core.ids import uuid7
from app.settings import Settings
from tests.conftest import PUBLIC_URL, Hub
from tests.routers.entrance import below_policies

PATH = "/v1/criminal-organizations"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data=tmp_path, public_url=PUBLIC_URL, legal_basis="required")  # type: ignore[call-arg]


def agree(hub: Hub, *parties: str) -> UUID:
    """An agreement in force, as it stands in the tables."""
    agreement = uuid7()
    below_policies(
        hub,
        "INSERT INTO agreements (id, reference, kind, title, originator, record_kinds, crime_types, purposes,"
        " persons_data, territory, valid_from, documents, content_hash, state, created_at, updated_at)"
        " VALUES (%s, %s, 'mou', 'Invented', %s, ARRAY['criminal-organizations'], '{}', '{}', false, '{}',"
        " '2026-01-01', '[]', '', 'in_force', now(), now())",
        agreement,
        str(agreement),
        parties[0],
    )
    for party in parties:
        below_policies(hub, "INSERT INTO agreement_parties (agreement_id, agency) VALUES (%s, %s)", agreement, party)
    below_policies(hub, "SELECT set_agreement_force(%s, true)", agreement)
    return agreement


async def test_a_grant_rests_on_an_agreement_and_ends_with_it(hub: Hub) -> None:
    korea, cambodia, thailand = hub.partner("KR-KNPA"), hub.partner("KH-CNP"), hub.partner("TH-RTP")
    first, second = agree(hub, "KR-KNPA", "KH-CNP"), agree(hub, "KR-KNPA", "TH-RTP")
    handling = {"tlp": "AMBER", "codes": ["H2"], "audience": {"agencies": ["KH-CNP"]}, "legal_basis": str(first)}
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

    granted = await korea.post(f"{place}/grant", {"legal_basis": str(second)}, '"1"')

    assert granted.status_code == 200, granted.text
    disclosure = (await korea.get(f"{path}/disclosures/{granted.json()['disclosure']}")).json()
    assert (disclosure["legal_basis"], disclosure["requested_by"]) == (str(second), "KH-CNP")
    assert (await thailand.get(path)).status_code == 200
    below_policies(hub, "SELECT set_agreement_force(%s, false)", second)
    assert (await thailand.get(path)).status_code == 404
    # What was granted stays said; the requester is told nothing of what became of it.
    assert (await cambodia.get(place)).headers["ETag"] == '"2"'


async def test_whoever_asked_loses_the_request_with_its_agreement(hub: Hub) -> None:
    korea, cambodia = hub.partner("KR-KNPA"), hub.partner("KH-CNP")
    hub.register("TH-RTP")
    agreement = agree(hub, "KR-KNPA", "KH-CNP")
    handling = {"tlp": "AMBER", "audience": {"agencies": ["KH-CNP"]}, "legal_basis": str(agreement)}
    path = f"{PATH}/{(await korea.profile(handling=handling))['id']}"
    respond_by = clock.rfc3339(clock.now() + timedelta(days=7))
    asked = await cambodia.post(
        f"{path}/onward-requests", {"agencies": ["TH-RTP"], "reason": "Arrests.", "respond_by": respond_by}
    )
    place = asked.headers["Location"]
    below_policies(hub, "SELECT set_agreement_force(%s, false)", agreement)
    assert (await cambodia.get(place)).status_code == 404
    assert (await cambodia.post(f"{place}/withdraw", etag='"1"')).status_code == 404
    assert (await korea.get(place)).status_code == 200
    below_policies(hub, "SELECT set_agreement_force(%s, true)", agreement)
    assert (await cambodia.get(place)).json() == asked.json()
