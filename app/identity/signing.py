"""The installation's signing keys, kept sealed in the database: made at the first start, read at every start and after.

A key that another process adds is known here long before it signs: see `KeyRing`.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Self

import psycopg
from psycopg.rows import AsyncRowFactory, tuple_row
from psycopg.types.json import Jsonb
from psycopg_pool import PoolTimeout

from app.core import clock
from app.core.crypto import MasterKey
from app.core.db import Connection, Database
from app.identity.keys import RETIRE_AFTER, KeyRing, SigningKey, SigningKeyError

RELOAD = timedelta(minutes=1)
"""How often a process looks for added and retired keys; several times within `PUBLISH_LEAD`."""

SHORTEST_RELOAD = timedelta(seconds=5)
"""How soon after the last look a token with an unknown key may send a process to look again."""

log = logging.getLogger("interdesk.signing")

_Row = tuple[str, bytes, datetime, datetime | None]
_ROWS: AsyncRowFactory[Any] = tuple_row


async def rotate(connection: Connection, master_key: MasterKey, *, compromised: bool = False) -> SigningKey:
    """Add a signing key; the others go on verifying until their tokens have expired.

    The transaction is the operator's, as the role interdesk_worker: the audit names who it was.
    `compromised`: the others retire at once, and every token they signed is worth nothing from the next reload on
    (`RELOAD`) in each process.
    """
    at = clock.now()
    key = SigningKey.generate(at)
    retires_at = at if compromised else at + RETIRE_AFTER
    await connection.execute(
        "SELECT rotate_signing_key(%s, %s, %s, %s, %s)",
        (key.kid, Jsonb(key.public_jwk), key.seal(master_key), at, retires_at),
    )
    return key


async def every_public_key(connection: Connection) -> list[dict[str, Any]]:
    """The public half of every key that ever signed for the hub, retired ones too, newest first."""
    async with connection.cursor(row_factory=_ROWS) as cursor:
        await cursor.execute("SELECT public_jwk FROM statement_public_keys()")
        return [jwk for (jwk,) in await cursor.fetchall()]


class KeyKeeper:
    """Holds the ring of a process and brings it up to date, once a minute and when a token names an unknown key.

    `ring` is replaced only when something changed, since verified tokens are remembered for one ring.
    """

    def __init__(self, database: Database, master_key: MasterKey) -> None:
        self.ring = KeyRing(())
        self._database = database
        self._master_key = master_key
        self._rows: list[_Row] = []
        self._looked_at = 0.0
        self._looking = asyncio.Lock()

    @classmethod
    async def open(cls, database: Database, master_key: MasterKey) -> Self:
        """Load the keys in force; make the first one of an installation.

        Raises:
            SigningKeyError: the keys were sealed with another master key.
        """
        keeper = cls(database, master_key)
        await keeper._load()
        if not keeper._rows:
            key = SigningKey.generate(clock.now())
            async with database.pool.connection() as connection:
                await connection.execute(
                    "SELECT found_signing_key(%s, %s, %s, %s)",
                    (key.kid, Jsonb(key.public_jwk), key.seal(master_key), key.created_at),
                )
            await keeper._load()
        return keeper

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Look once a minute for as long as the block lasts; what cannot be loaded leaves the ring as it was."""
        work = asyncio.create_task(self._keep_looking())
        try:
            yield
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(RELOAD.total_seconds())
            await self.look()

    async def learns(self, kid: str) -> bool:
        """Whether a key of this name, unknown so far, was found in the database just now.

        Whoever sends tokens with invented key names makes a process look once in `SHORTEST_RELOAD`, not more.
        """
        if self._has(kid):
            return False
        async with self._looking:
            if not self._has(kid) and time.monotonic() - self._looked_at >= SHORTEST_RELOAD.total_seconds():
                await self.look()
        return self._has(kid)

    async def look(self) -> None:
        """Load the keys and take them over if they differ."""
        try:
            await self._load()
        except (psycopg.Error, PoolTimeout, SigningKeyError):
            log.exception("the signing keys could not be loaded; those known before stay in use")

    async def _load(self) -> None:
        self._looked_at = time.monotonic()
        async with self._database.pool.connection() as connection, connection.cursor(row_factory=_ROWS) as cursor:
            await cursor.execute("SELECT kid, sealed_private_key, created_at, retires_at FROM load_signing_keys()")
            rows = sorted(await cursor.fetchall())
        if rows != self._rows:
            self.ring = KeyRing(
                SigningKey.unseal(kid, sealed, self._master_key, created_at=created_at, retires_at=retires_at)
                for kid, sealed, created_at, retires_at in rows
            )
            self._rows = rows

    def _has(self, kid: str) -> bool:
        return self.ring.verification_key(kid, clock.now()) is not None
