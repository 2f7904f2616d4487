"""Signing in with a signed assertion over HTTP."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from psycopg.types.json import Jsonb

from app.core import clock
from app.domain.sign_in.requests import ASSERTION_TYPE
from app.identity.jwks import public_jwk, validate_jwks
from app.identity.secrets import new_client_id
from tests.conftest import PUBLIC_URL, Hub, Partner
from tests.identity.forging import compact, ecdsa
from tests.routers.entrance import Key, issue

FIRST, SECOND = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def client_id(hub: Hub) -> str:
    jwks = validate_jwks(
        {"keys": [public_jwk(FIRST.public_key()) | {"kid": "a"}, public_jwk(SECOND.public_key()) | {"kid": "b"}]}
    )
    columns: dict[str, Any] = {"auth_method": "private_key_jwt", "secret_hash": None, "jwks": Jsonb(jwks)}
    return issue(hub, hub.register("KR-KNPA"), "auditor", **columns).client_id


def assertion(client_id: str, *, key: ec.EllipticCurvePrivateKey = FIRST, kid: str = "a", **claims: object) -> str:
    at = clock.now().timestamp()
    body = {"iss": client_id, "sub": client_id, "aud": PUBLIC_URL, "exp": at + 60, "iat": at, "jti": str(uuid4())}
    return compact({"alg": "ES256", "kid": kid, "typ": "JWT"}, body | claims, ecdsa(key))


async def send(hub: Hub, signed: str, **fields: str) -> httpx.Response:
    form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}
    return await hub.client.post("/oauth/token", data=form | fields)


async def test_a_client_signs_in_with_either_of_its_keys(hub: Hub, client_id: str) -> None:
    for key, kid in ((FIRST, "a"), (SECOND, "b")):
        answer = await send(hub, assertion(client_id, key=key, kid=kid), client_id=client_id)
        assert answer.status_code == 200, answer.text
        me = await Partner(hub, "KR-KNPA", client_id, answer.json()["access_token"]).get("/v1/me")
        assert me.json()["client_id"] == client_id


async def test_an_assertion_works_once(hub: Hub, client_id: str) -> None:
    signed = assertion(client_id)
    assert (await send(hub, signed)).status_code == 200
    again = await send(hub, signed)
    assert (again.status_code, again.json()["error"]) == (401, "invalid_client")
    assert hub.look("SELECT detail ->> 'reason' FROM audit_entries WHERE outcome = 'invalid_client'") == [
        ("assertion: used before",)
    ]
    assert hub.look("SELECT failures FROM sign_in_failures") == [(1,)]


async def test_what_is_not_the_clients_own_assertion_for_this_hub_is_refused_alike(hub: Hub, client_id: str) -> None:
    other = new_client_id()
    answers = [
        await send(hub, assertion(client_id, key=SECOND)),
        await send(hub, assertion(client_id, kid="c")),
        await send(hub, assertion(client_id, aud=f"{PUBLIC_URL}/oauth/token")),
        await send(hub, assertion(client_id, aud=[PUBLIC_URL])),
        await send(hub, assertion(client_id, exp=clock.now().timestamp() - 1)),
        await send(hub, assertion(other)),
        await send(hub, "a.b.c"),
        await send(hub, assertion(client_id), client_id=other),
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(401, answers[0].text)}
    by_secret = await Key(hub, "", client_id, "").ask(client_secret="guess")
    assert by_secret.text == answers[0].text
