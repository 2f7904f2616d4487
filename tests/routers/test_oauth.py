"""Signing in over HTTP."""

from tests.conftest import Hub
from tests.routers.entrance import basic, issue


async def test_a_client_signs_in_with_its_secret_in_the_form_or_by_basic(hub: Hub) -> None:
    key = issue(hub, hub.register("KR-KNPA"), "auditor")

    by_form = await key.ask()
    by_basic = await hub.client.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, headers=basic(key.client_id, key.secret)
    )

    for answer in (by_form, by_basic):
        assert answer.status_code == 200, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        body = answer.json()
        assert set(body) == {"access_token", "token_type", "expires_in", "scope"}
        assert (body["token_type"], body["expires_in"]) == ("Bearer", 900)
        assert body["scope"] == "agreements:read audit:read desks:read directory:read groups:read statistics:read"
