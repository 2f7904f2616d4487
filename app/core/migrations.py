"""Bringing the schema up to date, and saying whether it is.

Alembic is read only where there is something to upgrade: it takes a third of a second, and most starts find nothing.
"""

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from alembic.config import Config

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


def upgrade(conninfo: str) -> SchemaState:
    """Apply what is missing, as the role interdesk_owner; two processes at once wait for one another."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        if not _state(connection).up_to_date:
            _run_migrations(conninfo)
            # A server asks before it starts, and on a managed database it is not the owner.
            connection.execute("GRANT SELECT ON alembic_version TO interdesk_api, interdesk_worker")
        return _state(connection)


def status(conninfo: str) -> SchemaState:
    """Where the database stands; the owner, the server and the worker can ask."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        return _state(connection)


def newest_revision() -> str:
    """The newest revision this version knows: the files of the migrations begin with their revisions, in order."""
    return max(path.stem.partition("_")[0] for path in (_folder() / "versions").glob("[0-9]*_*.py"))


def _state(connection: psycopg.Connection) -> SchemaState:
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except psycopg.errors.UndefinedTable:
        row = None
    return SchemaState(row[0] if row else None, newest_revision())


def _run_migrations(conninfo: str) -> None:
    from alembic import command  # noqa: PLC0415 - see the docstring of the module
    from sqlalchemy import create_engine, text  # noqa: PLC0415

    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(conninfo))
    try:
        with engine.connect() as connection:
            connection.execute(text("SET lock_timeout = '5s'"))
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    finally:
        engine.dispose()


def _config() -> "Config":
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_folder()).replace("%", "%%"))
    return config


def _folder() -> Path:
    spec = importlib.util.find_spec("migrations")
    if spec is None or spec.origin is None:
        message = "the migrations are not installed with the application"
        raise RuntimeError(message)
    return Path(spec.origin).parent
