"""(b) The floor under any framework: bare ASGI and the driver, with Interdesk's own token check and its own SQL.

It answers one profile and one page of profiles by the functions that Interdesk calls, so credential state, policy and
audit row are inside; one call of its own for every request. What a request has besides (a request id, rate limits,
conditions, filters, refusals in full, metrics, a log) it does without.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any, LiteralString
from urllib.parse import parse_qs

import orjson
import psycopg
from psycopg_pool import AsyncConnectionPool

from app.core import clock
from app.core.db import Database
from app.domain.criminal_organizations.profiles import KIND
from app.identity.keys import KeyRing
from app.identity.roles import Permission, roles_granting
from app.identity.signing import KeyKeeper
from app.identity.tokens import InvalidToken, VerifiedTokens
from bench.hub import DATABASE_VARIABLE, master_key, settings

POOL_SIZE = 6
PATH = "/v1/criminal-organizations"
JSON_TYPE = (b"content-type", b"application/json")
READ: LiteralString = "SELECT convert_to(document, 'UTF8') FROM read_records(%s::jsonb) WHERE outcome = 'ok'"
PAGE: LiteralString = "SELECT convert_to(items, 'UTF8') FROM list_records(%s::jsonb) WHERE outcome = 'ok'"
ROLES = sorted(roles_granting(Permission.PROFILES_READ))

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class BareApp:
    """The ASGI application on a database."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._ring = KeyRing(())
        url = settings().public_url
        self._tokens = VerifiedTokens(issuer=url, audience=url)
        self._pool: AsyncConnectionPool[psycopg.AsyncConnection[tuple[Any, ...]]] = AsyncConnectionPool(
            conninfo, kwargs={"autocommit": True}, min_size=POOL_SIZE, max_size=POOL_SIZE, open=False
        )

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Live as long as the server does, or answer one request."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        status, body = await self._answer(scope)
        headers = [JSON_TYPE, (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        database = Database(self._conninfo, connections=1)
        await database.open()
        self._ring = (await KeyKeeper.open(database, master_key())).ring
        await asyncio.gather(database.close(), self._pool.open(wait=True))
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._pool.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Message) -> tuple[int, bytes]:
        token = next((value[7:] for name, value in scope["headers"] if name == b"authorization"), b"")
        try:
            claims = self._tokens.verify(token.decode("ascii"), self._ring, clock.now())
        except (InvalidToken, UnicodeDecodeError):
            return 401, b"{}"
        request = {
            "client": claims.client_id,
            "jti": claims.jti,
            "issued": claims.issued_at.timestamp(),
            "peer": scope["client"][0],
            "roles": ROLES if Permission.PROFILES_READ in claims.scope else [],
            "kind": KIND.value,
        }
        path: str = scope["path"]
        if path == PATH:
            limit = int(parse_qs(scope["query_string"]).get(b"limit", [b"50"])[0])
            items = await self._ask(PAGE, request | {"order": "updated_at", "limit": limit})
            return (404, b"{}") if items is None else (200, b"".join([b'{"items":[', items, b"]}"]))
        document = await self._ask(READ, [request | {"n": 0, "id": path.removeprefix(PATH + "/")}])
        return (404, b"{}") if document is None else (200, document)

    async def _ask(self, statement: LiteralString, request: object) -> bytes | None:
        async with self._pool.connection() as connection, connection.cursor(binary=True) as cursor:
            await cursor.execute(statement, [orjson.dumps(request).decode()])
            row = await cursor.fetchone()
        return row[0] if row else None


def create_app() -> BareApp:
    """The application on the database that BENCH_DATABASE names."""
    return BareApp(os.environ[DATABASE_VARIABLE])
