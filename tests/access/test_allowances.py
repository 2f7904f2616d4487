"""Allowances cannot be multiplied: not by tokens made up, and not by tokens fetched one after the other."""

from pathlib import Path

import pytest

from app.settings import Settings
from tests.access.scene import PATH
from tests.conftest import PUBLIC_URL, Hub, Partner

QUOTA = 20


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a small allowance."""
    return Settings(_env_file=None, data=tmp_path, public_url=PUBLIC_URL, rate_limit=QUOTA)


async def test_tokens_that_were_made_up_share_one_allowance(hub: Hub) -> None:
    known = hub.partner("KR-KNPA")
    assert (await known.get(PATH)).status_code == 200
    statuses = [
        (await hub.client.get(PATH, headers={"Authorization": f"Bearer made.up.{number}"})).status_code
        for number in range(QUOTA + 5)
    ]
    assert statuses.count(401) == QUOTA - 1  # the partner's first call was one of a token unknown until then
    assert set(statuses[QUOTA:]) == {429}
    # Each refusal is an entry of the audit, and there are no more of them than that.
    assert hub.look("SELECT count(*) FROM audit_entries WHERE outcome = 'unauthorized'") == [(QUOTA - 1,)]
    # Whoever has proved itself goes on.
    assert (await known.get(PATH)).status_code == 200


async def test_a_client_has_one_allowance_for_all_its_tokens(hub: Hub) -> None:
    partner = hub.partner("KR-KNPA")
    tokens = [
        partner,
        *(Partner(hub, "KR-KNPA", partner.client_id, hub.token(partner.client_id, "analyst")) for _ in range(3)),
    ]
    for token in tokens:
        assert (await token.get(PATH)).status_code == 200
    statuses = [(await tokens[number % 4].get(PATH)).status_code for number in range(QUOTA + 4)]
    assert statuses == [200] * QUOTA + [429] * 4
    other = hub.caller("KR-KNPA", "analyst")
    assert (await other.get(PATH)).status_code == 200
