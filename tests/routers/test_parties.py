"""Parties of a record on a hub that asks for a legal basis: they see what it is about on an agreement, and with its end
no more."""

from typing import Any

import pytest

from app.settings import Settings
from tests.conftest import PUBLIC_URL, Hub
from tests.routers.agreements_below import agree, expire
from tests.routers.operating import ASSAULT, LEAD, PATH, WATCH, approve, draft, move, moved, officer, plan, read

KINDS = ("joint-operations",)


@pytest.fixture
def settings(tmp_path: Any) -> Settings:
    """A hub that asks for a legal basis, as the operating guide has it."""
    return Settings(_env_file=None, data=tmp_path, public_url=PUBLIC_URL, legal_basis="required")


async def test_a_proposal_to_whom_nothing_covers_is_refused_with_its_place(hub: Hub) -> None:
    lead, one, two = officer(hub, LEAD), officer(hub, ASSAULT), officer(hub, WATCH)
    pact = agree(hub, LEAD, ASSAULT, kinds=KINDS)
    bare = await draft(lead, ASSAULT)
    partly = await draft(lead, ASSAULT, WATCH, handling={"tlp": "AMBER", "legal_basis": pact})
    for path, flaw in (
        (bare, ("/participants/1/agency", "basis-missing")),
        (partly, ("/participants/2/agency", "recipient-no-party")),
    ):
        refused = await move(lead, path, "propose")
        assert (refused.status_code, refused.json()["type"]) == (422, "/problems/no-legal-basis")
        assert [(found["pointer"], found["code"]) for found in refused.json()["errors"]] == [flaw]
        assert (await read(lead, path))["state"] == "draft"
        assert [(await partner.get(path)).status_code for partner in (one, two)] == [404, 404]


async def test_a_partys_sight_ends_with_the_agreement(hub: Hub) -> None:
    lead, one = officer(hub, LEAD), officer(hub, ASSAULT)
    pact = agree(hub, LEAD, ASSAULT, kinds=KINDS)
    path = await draft(lead, ASSAULT, handling={"tlp": "AMBER", "legal_basis": pact})
    await moved(lead, path, "propose")
    await approve(lead, path=path)
    access = {row["agency"]: row for row in (await lead.get(f"{path}/access")).json()["items"]}
    assert (access[ASSAULT]["via"], access[ASSAULT]["legal_basis"]) == ("party", pact)
    expire(hub, pact)
    assert (await one.get(path)).status_code == 404
    body = {"decision": "approve", "plan_hash": (await read(lead, path))["plan_hash"]}
    assert (await one.post(f"{path}/approvals", body)).status_code == 404
    assert (await one.get(PATH)).json()["items"] == []
    # It takes part still, and nothing begins without it.
    assert (await move(lead, path, "activate")).status_code == 409
    again = agree(hub, LEAD, ASSAULT, kinds=KINDS)
    etag = (await lead.get(f"{path}/handling")).headers["ETag"]
    moved_to = await lead.put(f"{path}/handling", {"tlp": "AMBER", "legal_basis": again}, etag)
    assert moved_to.status_code == 200, moved_to.text
    assert (await one.get(path)).status_code == 200
    await approve(one, path=path)
    assert (await moved(lead, path, "activate"))["state"] == "active"


async def test_another_basis_must_cover_the_parties_too(hub: Hub) -> None:
    lead, _, _ = officer(hub, LEAD), officer(hub, ASSAULT), officer(hub, WATCH)
    pact, other = agree(hub, LEAD, ASSAULT, kinds=KINDS), agree(hub, LEAD, WATCH, kinds=KINDS)
    path = await draft(lead, ASSAULT, handling={"tlp": "AMBER", "legal_basis": pact})
    await moved(lead, path, "propose")
    etag = (await lead.get(f"{path}/handling")).headers["ETag"]
    for dry_run in ({"dry_run": "true"}, {}):
        refused = await lead.put(f"{path}/handling", {"tlp": "AMBER", "legal_basis": other}, etag, params=dry_run)
        assert (refused.status_code, refused.json()["type"]) == (422, "/problems/no-legal-basis")
        assert [flaw["pointer"] for flaw in refused.json()["errors"]] == ["/legal_basis"]


async def test_a_retracted_operation_leaves_a_tombstone_to_those_who_took_part(hub: Hub) -> None:
    lead, one = officer(hub, LEAD), officer(hub, ASSAULT)
    pact = agree(hub, LEAD, ASSAULT, kinds=KINDS)
    path = await draft(lead, ASSAULT, handling={"tlp": "AMBER", "legal_basis": pact})
    await moved(lead, path, "propose")
    await moved(lead, path, "cancel", {"reason": "The site stands empty."})
    assert (await read(one, path))["state_reason"] == "The site stands empty."
    assert (await lead.post(f"{path}/retract", etag="*")).status_code == 200
    shown = await read(one, path)
    assert (shown["state"], set(shown)) == ("retracted", {"id", "reference", "state", "version", "updated_at"})
    # A party of what stood: of a tombstone nobody is one.
    for call, status in (("approvals", 403), ("plan", 403), ("versions", 200)):
        answer = await one.get(f"{path}/{call}")
        assert answer.status_code == status, call
        assert plan()["objective"] not in answer.text
