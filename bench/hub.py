"""Interdesk as a contestant: its own application on a database of the bench, and tokens it will believe.

Only what the bench could not measure with is set otherwise than by default: no client is ever too fast.
"""

import os
import secrets
from collections.abc import Mapping

from fastapi import FastAPI

from app.core import clock, logs
from app.core.crypto import MasterKey
from app.core.database_roles import DatabaseRole
from app.core.db import Database
from app.identity import tokens
from app.identity.keys import SigningKey
from app.identity.roles import permissions_of
from app.identity.signing import KeyKeeper
from app.main import create_app as application
from app.settings import Settings
from bench.database import Cluster
from bench.installation import ROLE, client_id
from bench.profiles import Caller
from bench.servers import Application

DATABASE_VARIABLE = "BENCH_DATABASE"
MASTER_KEY_VARIABLE = "BENCH_MASTER_KEY"
_UNLIMITED = 10**9
_MASTER_KEY = secrets.token_hex(32)
"""One for a run of the bench: the database that is run on is a copy without a signing key."""


def settings() -> Settings:
    """The settings of a bench server, whatever the environment says."""
    limits = {"rate_limit": _UNLIMITED, "sign_in_rate_limit": _UNLIMITED}
    return Settings(_env_file=None, **limits)  # type: ignore[arg-type]


def create_app() -> FastAPI:
    """The application as `interdesk serve` runs it, log lines included."""
    chosen = settings()
    logs.configure(chosen.log_level)
    return application(chosen, os.environ[DATABASE_VARIABLE], master_key())


def master_key() -> MasterKey:
    """The master key that the bench gave its servers."""
    return MasterKey.from_text(os.environ.get(MASTER_KEY_VARIABLE, _MASTER_KEY))


def environment(cluster: Cluster, database: str) -> Mapping[str, str]:
    """What a server of the bench finds its database and keys by."""
    return {DATABASE_VARIABLE: cluster.conninfo(DatabaseRole.API, database), MASTER_KEY_VARIABLE: _MASTER_KEY}


def interdesk(cluster: Cluster, database: str) -> Application:
    """How to start Interdesk on a database."""
    return Application("bench.hub:create_app", factory=True, environment=environment(cluster, database))


async def signing_key(cluster: Cluster, database: str) -> SigningKey:
    """The key that the servers on this database sign and verify with; made, if none is there, as they would make it."""
    pool = Database(cluster.conninfo(DatabaseRole.API, database), connections=1)
    await pool.open()
    try:
        return (await KeyKeeper.open(pool, master_key())).ring.signing_key(clock.now())
    finally:
        await pool.close()


def token(key: SigningKey, caller: Caller) -> str:
    """A token as /oauth/token would issue it to the caller now; it lasts a quarter of an hour."""
    url = settings().public_url
    scope = [permission.value for permission in permissions_of([ROLE])]
    issued = tokens.issue(key, client_id=client_id(caller), scope=scope, issuer=url, audience=url, now=clock.now())
    return issued.token
