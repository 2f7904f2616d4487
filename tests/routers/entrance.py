"""Signing in as partners' systems do, over HTTP, with credentials that can really sign in."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import psycopg

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


@asynccontextmanager
async def called_from(hub: Hub, address: str) -> AsyncIterator[Hub]:
    """The same hub, called from another address."""
    transport = httpx.ASGITransport(hub.app, raise_app_exceptions=False, client=(address, 50000))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
        yield replace(hub, client=client)


def below_policies(hub: Hub, statement: str, *parameters: object) -> None:
    """Change what nobody may change, to move time for what the database keeps: as the engine, through the owner."""
    with psycopg.connect(hub.conninfo(DatabaseRole.OWNER)) as connection:
        connection.execute("SET ROLE interdesk_engine")
        connection.execute(statement, parameters)  # type: ignore[arg-type]
