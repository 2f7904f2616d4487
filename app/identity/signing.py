"""The installation's signing keys, kept sealed in the database: made at the first start, read at every start."""

from datetime import timedelta

import psycopg
from psycopg.types.json import Jsonb

from app.core import clock
from app.core.crypto import MasterKey
from app.core.db import Database
from app.identity.keys import KeyRing, SigningKey

RETIREMENT = timedelta(hours=1)
"""How long a replaced key still verifies: longer than its last token lives, with room for slow clocks."""


async def load_keys(database: Database, master_key: MasterKey) -> KeyRing:
    """The keys in force; makes the first one of an installation.

    Raises:
        SigningKeyError: the keys were sealed with another master key.
    """
    async with database.reads.connection() as connection:
        ring = await _read(connection, master_key)
        if ring is None:
            key = SigningKey.generate(clock.now())
            await connection.execute(
                "SELECT found_signing_key(%s, %s, %s, %s)",
                (key.kid, Jsonb(key.public_jwk), key.seal(master_key), key.created_at),
            )
            ring = await _read(connection, master_key)
    if ring is None:
        message = "the signing key that was just made is not there"
        raise RuntimeError(message)
    return ring


async def rotate(database: Database, master_key: MasterKey) -> SigningKey:
    """Add a signing key; the others go on verifying until their tokens have expired. Needs the role interdesk_worker."""
    at = clock.now()
    key = SigningKey.generate(at)
    async with database.reads.connection() as connection:
        await connection.execute(
            "SELECT rotate_signing_key(%s, %s, %s, %s, %s)",
            (key.kid, Jsonb(key.public_jwk), key.seal(master_key), at, at + RETIREMENT),
        )
    return key


async def _read(connection: psycopg.AsyncConnection[tuple[object, ...]], master_key: MasterKey) -> KeyRing | None:
    cursor = await connection.execute("SELECT kid, sealed_private_key, created_at, retires_at FROM load_signing_keys()")
    keys = [
        SigningKey.unseal(str(kid), bytes(sealed), master_key, created_at=created_at, retires_at=retires_at)  # type: ignore[arg-type]
        for kid, sealed, created_at, retires_at in await cursor.fetchall()
    ]
    return KeyRing(keys) if keys else None
