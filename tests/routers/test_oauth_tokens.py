"""Tokens already issued: what they are good for, how they are given back, and what ends them at once."""

from datetime import timedelta

import httpx
import pytest

from app.core import clock
from tests.conftest import PUBLIC_URL, Hub, Partner
from tests.routers.entrance import Key, basic, below_policies, issue


@pytest.fixture
def key(hub: Hub) -> Key:
    return issue(hub, hub.register("KR-KNPA"), "analyst", "auditor")


async def introspect(key: Key, token: str) -> httpx.Response:
    return await key.hub.client.post(
        "/oauth/introspect", data={"token": token}, headers=basic(key.client_id, key.secret)
    )


async def revoke(key: Key, token: str) -> httpx.Response:
    form = {"token": token, "token_type_hint": "access_token"}
    return await key.hub.client.post("/oauth/revoke", data=form, headers=basic(key.client_id, key.secret))


async def works(partner: Partner) -> bool:
    answer = await partner.get("/v1/me")
    assert answer.status_code in (200, 401), answer.text
    return answer.status_code == 200


async def test_a_client_learns_what_its_own_token_is_good_for(hub: Hub, key: Key) -> None:
    partner = await key.sign_in(scope="profiles:read audit:read")
    answer = await introspect(key, partner.access_token)
    body = answer.json()
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert body.pop("exp") - body.pop("iat") == 900
    assert body.pop("jti")
    assert body == {
        "active": True,
        "scope": "audit:read profiles:read",
        "client_id": key.client_id,
        "token_type": "Bearer",
        "sub": key.client_id,
        "aud": PUBLIC_URL,
        "iss": PUBLIC_URL,
    }
    hub.operator("UPDATE credentials SET roles = '{auditor}' WHERE client_id = %s", key.client_id)
    assert (await introspect(key, partner.access_token)).json()["scope"] == "audit:read"


async def test_to_anybody_else_a_token_is_not_active(hub: Hub, key: Key) -> None:
    other = issue(hub, "KR-KNPA", "auditor")
    token = (await key.sign_in()).access_token
    for asked, text in ((other, token), (key, "nonsense"), (key, token + "x"), (key, token.replace(".", "..", 1))):
        answer = await introspect(asked, text)
        assert (answer.status_code, answer.json()) == (200, {"active": False})
    assert (await hub.client.post("/oauth/introspect", data={"token": token})).json()["error"] == "invalid_client"
    without = await hub.client.post("/oauth/introspect", headers=basic(key.client_id, key.secret))
    assert (without.status_code, without.json()["error"]) == (400, "invalid_request")


async def test_a_token_given_back_ends_with_the_next_request_and_others_go_on(hub: Hub, key: Key) -> None:
    ended, kept = await key.sign_in(), await key.sign_in()
    assert await works(ended)

    for _ in range(2):
        answer = await revoke(key, ended.access_token)
        assert (answer.status_code, answer.content) == (200, b"")

    assert not await works(ended)
    assert await works(kept)
    assert (await introspect(key, ended.access_token)).json() == {"active": False}
    assert (await revoke(key, "nonsense")).status_code == 200
    done = hub.look("SELECT agency, client_id FROM audit_entries WHERE action = 'token.revoke' AND outcome = 'done'")
    assert done == [("KR-KNPA", key.client_id)] * 3


async def test_another_clients_token_cannot_be_ended(hub: Hub, key: Key) -> None:
    other, partner = issue(hub, "KR-KNPA", "auditor"), await key.sign_in()
    answer = await revoke(other, partner.access_token)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert await works(partner)
    wrong = await revoke(Key(hub, "", key.client_id, "guess"), partner.access_token)
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert await works(partner)


async def test_what_the_database_says_counts_for_tokens_already_issued(hub: Hub, key: Key) -> None:
    partner = await key.sign_in()
    changes = [
        (
            "UPDATE credentials SET expires_at = now() WHERE client_id = %s",
            "UPDATE credentials SET expires_at = NULL WHERE client_id = %s",
            key.client_id,
        ),
        (
            "UPDATE credentials SET allowed_networks = '{192.0.2.0/24}' WHERE client_id = %s",
            "UPDATE credentials SET allowed_networks = '{127.0.0.0/8}' WHERE client_id = %s",
            key.client_id,
        ),
    ]
    for end, mend, whose in changes:
        hub.operator(end, whose)
        assert not await works(partner), end
        hub.operator(mend, whose)
        assert await works(partner), mend


async def test_a_tokens_last_second_is_its_last(key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    partner, at = await key.sign_in(), clock.now()
    monkeypatch.setattr(clock, "now", lambda: at + timedelta(seconds=898))
    assert await works(partner)
    monkeypatch.setattr(clock, "now", lambda: at + timedelta(seconds=900))
    assert not await works(partner)


async def test_the_metadata_follows_from_the_public_url_and_never_from_the_host_header(hub: Hub) -> None:
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    server = await hub.client.get("/.well-known/oauth-authorization-server", headers=headers)
    resource = await hub.client.get("/.well-known/oauth-protected-resource", headers=headers)
    keys = await hub.client.get("/.well-known/jwks.json", headers=headers)

    assert not any("evil" in answer.text for answer in (server, resource, keys))
    body = server.json()
    assert body["issuer"] == PUBLIC_URL
    assert body["token_endpoint"] == f"{PUBLIC_URL}/oauth/token"
    assert body["jwks_uri"] == f"{PUBLIC_URL}/.well-known/jwks.json"
    assert body["response_types_supported"] == []
    assert body["token_endpoint_auth_methods_supported"] == [
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
    ]
    assert "profiles:read" in body["scopes_supported"]
    assert resource.json()["resource"] == PUBLIC_URL
    assert resource.json()["authorization_servers"] == [PUBLIC_URL]
    (key,) = keys.json()["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "alg", "use"}
    assert keys.headers["Cache-Control"] == "public, max-age=60"


async def test_what_is_spent_is_forgotten(hub: Hub, key: Key) -> None:
    partner = await key.sign_in()
    await revoke(key, partner.access_token)
    await Key(hub, "", key.client_id, "guess").ask()
    assert hub.operator("SELECT forget_expired()") == [(0,)]
    below_policies(hub, "UPDATE revoked_tokens SET expires_at = now() - interval '1 hour'")
    below_policies(hub, "UPDATE sign_in_failures SET last_at = now() - interval '2 days'")
    assert hub.operator("SELECT forget_expired()") == [(2,)]
