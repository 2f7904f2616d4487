"""The caller as it sees itself."""

from tests.conftest import Hub
from tests.routers.entrance import issue


async def test_a_caller_learns_who_it_is(hub: Hub) -> None:
    key = issue(hub, hub.register("KR-KNPA"), "analyst", "auditor", label="case system")
    partner = await key.sign_in(scope="profiles:read audit:read")

    answer = await partner.get("/v1/me")

    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body.pop("token_expires_at").endswith("Z")
    assert body == {
        "agency": "KR-KNPA",
        "client_id": key.client_id,
        "label": "case system",
        "roles": ["analyst", "auditor"],
        "permissions": ["audit:read", "profiles:read"],
        "groups": [],
        "expires_at": None,
    }
