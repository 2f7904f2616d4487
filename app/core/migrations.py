"""Bringing the schema up to date, and saying whether it is."""

from dataclasses import dataclass
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, text

import migrations

_LOCK = 7_331_004


@dataclass(frozen=True)
class SchemaState:
    """Revision of the database (None before the first upgrade) and the newest this version knows."""

    current: str | None
    newest: str

    @property
    def up_to_date(self) -> bool:
        """Whether nothing is left to upgrade."""
        return self.current == self.newest


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    return config


def _state(connection: Connection) -> SchemaState:
    newest = ScriptDirectory.from_config(_config()).get_current_head() or ""
    return SchemaState(MigrationContext.configure(connection).get_current_revision(), newest)


def _engine(conninfo: str) -> Engine:
    return create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(conninfo))


def upgrade(conninfo: str) -> SchemaState:
    """Apply what is missing, as the role interdesk_owner; two processes at once wait for one another."""
    engine = _engine(conninfo)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
            connection.commit()
            if not _state(connection).up_to_date:
                connection.execute(text("SET lock_timeout = '5s'"))
                config = _config()
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
                # A server asks before it starts, and on a managed database it is not the owner.
                connection.execute(text("GRANT SELECT ON alembic_version TO interdesk_api, interdesk_worker"))
                connection.commit()
            return _state(connection)
    finally:
        engine.dispose()


def status(conninfo: str) -> SchemaState:
    """Where the database stands; the owner, the server and the worker can ask."""
    engine = _engine(conninfo)
    try:
        with engine.connect() as connection:
            return _state(connection)
    finally:
        engine.dispose()
