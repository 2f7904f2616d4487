"""(b) The floor under any framework: bare ASGI and the driver, with Interdesk's own token check and its own SQL.

It answers one profile and one page of profiles. What it sends to the database and how it reads a token is handed to it
as `Calls`, so that nothing of Interdesk is written a second time here.
"""

import importlib
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, LiteralString
from urllib.parse import parse_qs

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg_pool import AsyncConnectionPool

DATABASE_VARIABLE = "BENCH_DATABASE"
CALLS_VARIABLE = "BENCH_CALLS"
POOL_SIZE = 6
PATH = "/v1/criminal-organizations"
JSON_TYPE = (b"content-type", b"application/json")

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True)
class Calls:
    """Interdesk's part.

    `verify` turns a bearer token into SQL parameters and raises whatever it likes when it does not believe it. `read`
    takes those and `id`, `page` those and `limit`; each is one statement whose first row's first column is the answer's
    body, or no row, or NULL, for 404.
    """

    verify: Callable[[str], Mapping[str, object]]
    read: LiteralString
    page: LiteralString


class _Bytes(Loader):
    """Text as it came: nothing looks into a body on its way out."""

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


async def _configure(connection: psycopg.AsyncConnection[tuple[Any, ...]]) -> None:
    for name in ("text", "json"):
        connection.adapters.register_loader(name, _Bytes)


class BareApp:
    """The ASGI application, on a database and with the calls of the API it stands for."""

    def __init__(self, conninfo: str, calls: Calls) -> None:
        self.calls = calls
        self.pool: AsyncConnectionPool[psycopg.AsyncConnection[tuple[Any, ...]]] = AsyncConnectionPool(
            conninfo,
            kwargs={"autocommit": True},
            min_size=POOL_SIZE,
            max_size=POOL_SIZE,
            open=False,
            configure=_configure,
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
        await self.pool.open(wait=True)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.pool.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Message) -> tuple[int, bytes]:
        token = next((value[7:] for name, value in scope["headers"] if name == b"authorization"), b"")
        try:
            caller = self.calls.verify(token.decode("ascii"))
        except Exception:  # noqa: BLE001 - which errors a token can make is Interdesk's knowledge; all mean 401 here
            return 401, b"{}"
        path: str = scope["path"]
        if path == PATH:
            limit = int(parse_qs(scope["query_string"]).get(b"limit", [b"50"])[0])
            body = await self._ask(self.calls.page, {**caller, "limit": limit})
        else:
            body = await self._ask(self.calls.read, {**caller, "id": path.removeprefix(PATH + "/")})
        return (404, b"{}") if body is None else (200, body)

    async def _ask(self, statement: LiteralString, parameters: Mapping[str, object]) -> bytes | None:
        async with self.pool.connection() as connection:
            row = await (await connection.execute(statement, parameters)).fetchone()
        body: bytes | None = row[0] if row else None
        return body


def create_app() -> BareApp:
    """The application on the database of BENCH_DATABASE, with the calls that BENCH_CALLS names as module:function."""
    module, _, function = os.environ[CALLS_VARIABLE].partition(":")
    return BareApp(os.environ[DATABASE_VARIABLE], getattr(importlib.import_module(module), function)())
