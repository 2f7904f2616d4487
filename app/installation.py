"""What a host has: an embedded or a managed database, how to reach it as each role, and the master key.

This is the one place that decides from the settings where the database is; server, worker and command line ask here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import SecretStr

from app.core import migrations
from app.core.crypto import MasterKey, create_master_key_file, load_master_key
from app.core.database_roles import ENGINE, DatabaseRole
from app.core.embedded import EmbeddedPostgres
from app.core.migrations import SchemaState
from app.settings import Settings

MASTER_KEY_FILE = "master.key"
"""The master key's name in the data folder, beside the embedded database and outside its server's own folder."""

_SETTING = {
    DatabaseRole.API: "DATABASE_URL",
    DatabaseRole.OWNER: "INTERDESK_OWNER_DATABASE_URL",
    DatabaseRole.WORKER: "INTERDESK_WORKER_DATABASE_URL",
    DatabaseRole.BACKUP: "INTERDESK_BACKUP_DATABASE_URL",
}

_POWER = """\
SELECT current_user,
  EXISTS (SELECT FROM pg_roles r WHERE r.rolsuper AND pg_has_role(current_user, r.oid, 'MEMBER')) AS superuser,
  EXISTS (SELECT FROM pg_roles r WHERE r.rolbypassrls AND pg_has_role(current_user, r.oid, 'MEMBER')) AS bypasses,
  EXISTS (SELECT FROM pg_roles r WHERE r.rolname = ANY (%s) AND pg_has_role(current_user, r.oid, 'MEMBER')) AS member,
  EXISTS (SELECT FROM pg_class c JOIN pg_roles r ON r.rolname = current_user AND r.oid = c.relowner
    WHERE c.relkind IN ('r', 'p')) AS owns
"""


class InstallationError(Exception):
    """The set-up lacks something, or something in it is not as it must be; the message says how to mend it."""


@dataclass(frozen=True)
class Installation:
    """An installation whose database can be asked; made by `open_installation`."""

    settings: Settings
    postgres: EmbeddedPostgres | None
    """The embedded server; None where DATABASE_URL names a managed one."""

    def conninfo(self, role: DatabaseRole) -> str:
        """The connection string of a role.

        Raises:
            InstallationError: it is not set, or is none; the message never quotes it, since it may hold a password.
        """
        if self.postgres is not None:
            return self.postgres.conninfo(role)
        url = self._url(role)
        if url is None:
            message = (
                f"DATABASE_URL names a managed database, and {_SETTING[role]} is not set. "
                f"Set it to the same database as the role {role.value}."
            )
            raise InstallationError(message)
        try:
            address = url.get_secret_value().replace("postgresql+psycopg://", "postgresql://", 1)
            parts: dict[str, Any] = conninfo_to_dict(address)
        except psycopg.ProgrammingError:
            message = f"{_SETTING[role]} is not a PostgreSQL address (postgresql://user:password@host:port/database)."
            raise InstallationError(message) from None
        return make_conninfo("", **{"connect_timeout": "10", **parts})

    def _url(self, role: DatabaseRole) -> SecretStr | None:
        settings = self.settings
        urls = {
            DatabaseRole.API: settings.database_url,
            DatabaseRole.OWNER: settings.owner_database_url,
            DatabaseRole.WORKER: settings.worker_database_url,
            DatabaseRole.BACKUP: settings.backup_database_url,
        }
        return urls[role]

    def schema(self) -> SchemaState:
        """How far the schema is."""
        return migrations.status(self.conninfo(DatabaseRole.API))

    def upgrade(self) -> tuple[SchemaState, SchemaState]:
        """Apply the migrations that are missing, as the owner; the states before and after."""
        conninfo = self.conninfo(DatabaseRole.OWNER)
        return migrations.status(conninfo), migrations.upgrade(conninfo)

    def prepare(self) -> None:
        """Bring the embedded database's schema up to date; refuse a managed one that is not.

        On a managed database a server with the owner's rights would be a server that can change its own rules.
        """
        if self.postgres is not None:
            self.upgrade()
            return
        state = self.schema()
        if not state.up_to_date:
            message = (
                f"The database's schema is at {state.current or 'nothing'}, and this version needs {state.newest}. "
                "Run: interdesk db upgrade"
            )
            raise InstallationError(message)

    def has_signing_keys(self) -> bool:
        """Whether the database holds signing keys, and so something that a master key must open."""
        with psycopg.connect(self.conninfo(DatabaseRole.API), autocommit=True) as connection:
            try:
                return connection.execute("SELECT FROM load_signing_keys() LIMIT 1").fetchone() is not None
            except psycopg.errors.UndefinedFunction:
                return False

    def master_key(self) -> MasterKey:
        """The master key: the one that was given, else the one kept beside the embedded database, made if need be.

        Raises:
            InstallationError: two were given, or none with a managed database, or the one that was made is lost.
            MasterKeyError: it is malformed or not kept safely.
        """
        settings = self.settings
        if settings.master_key is not None and settings.master_key_file is not None:
            message = "INTERDESK_MASTER_KEY and INTERDESK_MASTER_KEY_FILE are both set. Keep one of them."
            raise InstallationError(message)
        if settings.master_key is not None:
            return MasterKey.from_text(settings.master_key.get_secret_value())
        if settings.master_key_file is not None:
            return load_master_key(settings.master_key_file)
        if settings.database_url is not None:
            message = (
                "DATABASE_URL names a managed database, and there is no master key. Make one "
                "(openssl rand -base64 32), keep it as safe as the database's backups and apart from them, and set "
                "INTERDESK_MASTER_KEY_FILE to its file or INTERDESK_MASTER_KEY to itself."
            )
            raise InstallationError(message)
        return self._kept_master_key(settings.data / MASTER_KEY_FILE)

    def _kept_master_key(self, path: Path) -> MasterKey:
        if not path.exists():
            if self.has_signing_keys():
                message = (
                    f"{path} is gone, and the database holds keys that were sealed with it. Put it back from a backup; "
                    "a new one would open nothing."
                )
                raise InstallationError(message)
            try:
                return create_master_key_file(path)
            except FileExistsError:
                pass  # another process was faster: its key it is
        return load_master_key(path)


@contextmanager
def open_installation(settings: Settings) -> Iterator[Installation]:
    """The installation that the settings describe, its embedded database started or found running.

    Raises:
        EmbeddedPostgresError: the embedded database cannot be started.
    """
    if settings.database_url is not None:
        yield Installation(settings, None)
        return
    with EmbeddedPostgres.start(settings.data) as postgres:
        yield Installation(settings, postgres)


def excess_power(conninfo: str) -> tuple[str, list[str]]:
    """The role that a connection string signs in as, and everything it may that a server must not, as clauses."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        row = connection.execute(_POWER, ([DatabaseRole.OWNER.value, ENGINE],)).fetchone()
    if row is None:
        message = "the database did not say who is signed in"
        raise InstallationError(message)
    role, superuser, bypasses, member, owns = row
    clauses = {
        "is a superuser": superuser,
        "bypasses row-level security": bypasses and not superuser,
        f"is or can become {DatabaseRole.OWNER} or {ENGINE}": member and not superuser,
        "owns tables": owns,
    }
    return str(role), [clause for clause, holds in clauses.items() if holds]


def require_plain_role(conninfo: str, setting: str) -> None:
    """Refuse a database role above the policies: with it a mistake in the server would show everything to everybody."""
    role, excess = excess_power(conninfo)
    if excess:
        message = (
            f"{setting} signs in as {role}, which {' and '.join(excess)}. A server must not be able to pass over "
            f"row-level security: use the roles that `interdesk db roles` makes."
        )
        raise InstallationError(message)
