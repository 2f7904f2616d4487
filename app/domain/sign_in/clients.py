"""Whether a client is who it says: two statements, the same in number and text for every client there is or is not."""

import hashlib
import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import AsyncRowFactory, namedtuple_row
from psycopg.types.json import Jsonb

from app.core.db import Database
from app.domain.sign_in.refusals import invalid_client, slow_down
from app.domain.sign_in.requests import Proof
from app.identity.assertions import AssertionClaims, claimed_client_id, verify_assertion
from app.identity.secrets import is_client_id, secret_matches
from app.identity.tokens import Claims, InvalidToken

_NAMED: AsyncRowFactory[Any] = namedtuple_row


@dataclass(frozen=True, slots=True)
class Lobby:
    """Where a client signs in: the database, who the hub is, and what is known of the request."""

    database: Database
    issuer: str
    action: str
    """What the client comes for, as the audit names it: `token.issue`, `token.introspect`, `token.revoke`."""
    request_id: str
    peer: str | None
    network: str
    """What the peer's address counts as when failures are counted."""


@dataclass(frozen=True, slots=True)
class Client:
    """A client whose proof holds; nothing of it is recorded yet."""

    client_id: str
    agency: str
    roles: tuple[str, ...]
    at: datetime
    """The moment of its sign-in, by the database's clock."""
    subject: bytes
    assertion: AssertionClaims | None


def _claimed(proof: Proof) -> str:
    """The client id to look up; empty, which no client has, where what was sent is not formed like one."""
    claimed = proof.client_id
    if proof.assertion is not None:
        try:
            signer = claimed_client_id(proof.assertion)
        except InvalidToken:
            return ""
        if claimed not in (None, signer):
            return ""
        claimed = signer
    return claimed if claimed is not None and is_client_id(claimed) else ""


def _subject(client_id: str, network: str) -> bytes:
    """What failures are counted for: a client as seen from one network, so that nobody elsewhere can lock it out."""
    return hashlib.sha256(f"{client_id}\n{network}".encode()).digest()


async def authenticate(lobby: Lobby, connection: AsyncConnection[Any], proof: Proof) -> Client:
    """Check a client's proof; the failure of one is counted and recorded before this returns.

    Raises:
        OAuthError: `invalid_client`, one for every reason; `slow_down` after failures.
    """
    client_id = _claimed(proof)
    subject = _subject(client_id, lobby.network)
    async with connection.cursor(row_factory=_NAMED) as cursor:
        await cursor.execute("SELECT * FROM begin_sign_in(%s, %s, %s)", (subject, client_id, lobby.peer))
        row: Any = await cursor.fetchone()
    if row.wait > 0:
        refusal = slow_down(math.ceil(row.wait))
        refusal.agency, refusal.client_id = row.agency, client_id or None
        raise refusal
    claims: AssertionClaims | None = None
    reason = ""
    if proof.assertion is None:
        if not secret_matches(proof.secret or "", row.secret_hashes):
            reason = "secret"
    else:
        try:
            claims = verify_assertion(proof.assertion, row.jwks, client_id=client_id, issuer=lobby.issuer, now=row.at)
        except InvalidToken as error:
            reason = f"assertion: {error.reason}"
    if row.state != "ok":
        reason = row.state
    client = Client(client_id, row.agency, tuple(row.roles), row.at, subject, claims)
    if reason:
        await _fail(lobby, connection, client, reason)
    return client


async def _fail(lobby: Lobby, connection: AsyncConnection[Any], client: Client, reason: str) -> None:
    await connection.execute(
        "SELECT sign_in_failed(%s, %s, %s, %s, %s, %s, %s)",
        (
            client.subject,
            client.agency,
            client.client_id or None,
            lobby.action,
            lobby.request_id,
            lobby.peer,
            Jsonb({"reason": reason}),
        ),
    )
    raise invalid_client()


async def admit(
    lobby: Lobby, connection: AsyncConnection[Any], client: Client, detail: dict[str, Any], ended: Claims | None = None
) -> None:
    """Record what an authenticated client came for, use up its assertion, and end the token it gives back.

    Raises:
        OAuthError: `invalid_client`, counted as a failure: the assertion was used before.
    """
    used = client.assertion
    cursor = await connection.execute(
        "SELECT sign_in_succeeded(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            client.subject,
            client.client_id,
            lobby.action,
            lobby.request_id,
            lobby.peer,
            Jsonb(detail),
            used.jti if used else None,
            used.expires_at if used else None,
            ended.jti if ended else None,
            ended.expires_at if ended else None,
        ),
    )
    row = await cursor.fetchone()
    if row is None or not row[0]:
        await _fail(lobby, connection, client, "assertion: used before")
