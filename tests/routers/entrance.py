"""Signing in as partners' systems do, over HTTP, with credentials that can really sign in."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx

from app.core.database_roles import DatabaseRole
from app.identity.secrets import hash_secret, new_client_id, new_client_secret
from tests.conftest import PUBLIC_URL, Hub, Partner


@dataclass
class Key:
    """A credential with its secret."""

    hub: Hub
    agency: str
    client_id: str
    secret: str

    async def ask(self, **fields: str) -> httpx.Response:
        """Ask for a token with the secret in the form."""
        form = {"grant_type": "client_credentials", "client_id": self.client_id, "client_secret": self.secret, **fields}
        return await self.hub.client.post("/oauth/token", data=form)

    async def sign_in(self, scope: str | None = None) -> Partner:
        answer = await self.ask(**({"scope": scope} if scope else {}))
        assert answer.status_code == 200, answer.text
        return Partner(self.hub, self.agency, self.client_id, answer.json()["access_token"])


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def issue(hub: Hub, agency: str, *roles: str, **columns: object) -> Key:
    """A credential that the operator issued at the host."""
    client_id, secret = new_client_id(), new_client_secret()
    values: dict[str, Any] = {
        "client_id": client_id,
        "agency": agency,
        "label": "test",
        "roles": list(roles),
        "auth_method": "client_secret",
        "secret_hash": hash_secret(secret),
        **columns,
    }
    names, marks = ", ".join(values), ", ".join(["%s"] * len(values))
    hub.operator(f"INSERT INTO credentials ({names}) VALUES ({marks})", *values.values())  # noqa: S608 - own names
    return Key(hub, agency, client_id, secret)


async def platform_admin(hub: Hub) -> Partner:
    """The hub's first administrator, whose credential the operator issues at the host."""
    return await issue(hub, "HUB", "platform_admin").sign_in()


def key_of(hub: Hub, answer: httpx.Response) -> Key:
    """The credential in an answer that shows its secret."""
    assert answer.status_code in (200, 201), answer.text
    body = answer.json()
    return Key(hub, body["agency"], body["client_id"], body["client_secret"])


async def admit(root: Partner, code: str, **fields: Any) -> Partner:
    """An agency admitted over HTTP, as its first administrator, signed in."""
    body = {"code": code, "name": f"Agency {code}", "kind": "national_police", **fields}
    answer = await root.post("/v1/agencies", body)
    assert answer.status_code == 201, answer.text
    first = {"label": "first administrator", "roles": ["agency_admin"]}
    return await key_of(root.hub, await root.post(f"/v1/agencies/{code}/credentials", first)).sign_in()


async def grant(admin: Partner, *roles: str, **fields: Any) -> Key:
    """A credential that an agency's administrator issues."""
    body = {"label": "case system", "roles": list(roles), **fields}
    return key_of(admin.hub, await admin.post(f"/v1/agencies/{admin.agency}/credentials", body))


@asynccontextmanager
async def called_from(hub: Hub, address: str) -> AsyncIterator[Hub]:
    """The same hub, called from another address."""
    transport = httpx.ASGITransport(hub.app, raise_app_exceptions=False, client=(address, 50000))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
        yield replace(hub, client=client)


def below_policies(hub: Hub, statement: str, *parameters: object) -> None:
    """Change what nobody may change, to move time for what the database keeps: as the engine, through the owner."""
    with hub.transaction(DatabaseRole.OWNER) as connection:
        connection.execute("SET LOCAL ROLE interdesk_engine")
        connection.execute(statement, parameters)  # type: ignore[arg-type]
