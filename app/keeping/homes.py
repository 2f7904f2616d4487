"""Where a backup may be restored to: an installation that has neither a database nor a master key."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psycopg

from app.core.crypto import MasterKey, create_master_key_file
from app.core.database_roles import DatabaseRole
from app.core.embedded import EmbeddedPostgres
from app.core.embedded.layout import Layout
from app.installation import MASTER_KEY_FILE, Installation
from app.keeping.errors import BackupError
from app.settings import Settings

_STRANGERS: Final = """
SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
  AND NOT EXISTS (SELECT FROM pg_depend d
    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
UNION ALL
SELECT nspname FROM pg_namespace WHERE nspname NOT IN ('public', 'information_schema') AND nspname NOT LIKE 'pg\\_%'
LIMIT 1
"""
_OWNED: Final = "SELECT nspowner = current_user::regrole FROM pg_namespace WHERE nspname = 'public'"


def refuse_used(settings: Settings) -> None:
    """Refuse an installation that has a database already.

    Raises:
        BackupError: it has, and is left as it is.
    """
    if settings.database_url is None:
        _refuse_folder(settings.data)
    else:
        _refuse_filled(Installation(settings, None).conninfo(DatabaseRole.OWNER))


@contextmanager
def fresh_home(settings: Settings, master_key: MasterKey) -> Iterator[Installation]:
    """An installation with an empty database, for the length of a block; whole at its end, or as before it.

    Raises:
        BackupError: there is something already.
    """
    home = embedded_home if settings.database_url is None else _managed_home
    with home(settings, master_key) as installation:
        yield installation


@contextmanager
def embedded_home(settings: Settings, master_key: MasterKey) -> Iterator[Installation]:
    """An embedded installation in `settings.data`.

    It is made in a folder inside, and moved into place when the block has ended well: a server that is started
    meanwhile, or after a power cut, never finds half of it.
    """
    data = settings.data
    _refuse_folder(data)
    key_file = _place_for_key(settings, master_key, data / MASTER_KEY_FILE)
    made = not data.exists()
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix="restoring-", dir=data))
    except OSError as error:
        message = f"{data} cannot be used: {error.strerror or error}"
        raise BackupError(message) from error
    try:
        with EmbeddedPostgres.start(staging) as postgres:
            yield Installation(settings.model_copy(update={"data": staging}), postgres)
        _refuse_folder(data)
        # The database first: one whose key is missing is refused by the server, a key alone would get an empty one.
        Layout(staging).cluster.rename(Layout(data).cluster)
        try:
            Layout(staging).roles_mark.rename(Layout(data).roles_mark)
            if key_file is not None:
                create_master_key_file(key_file, master_key)
        except BaseException:
            Layout(data).cluster.rename(Layout(staging).cluster)
            Layout(data).roles_mark.unlink(missing_ok=True)
            raise
    finally:
        shutil.rmtree(staging)
        if made:
            with suppress(OSError):
                data.rmdir()  # only where nothing is in it


def _refuse_folder(data: Path) -> None:
    for path in (Layout(data).cluster, data / MASTER_KEY_FILE):
        if os.path.lexists(path):
            message = (
                f"{path} is there already, and a backup is restored into an empty place only. Name a folder that holds "
                "nothing by INTERDESK_DATA, or move this one away."
            )
            raise BackupError(message)


def _place_for_key(settings: Settings, master_key: MasterKey, kept: Path | None) -> Path | None:
    """The file that the backup's key is to be written to: the one of the settings, else `kept`; None if it is given.

    Raises:
        BackupError: another key is given, or there is no place for it.
    """
    file = settings.master_key_file
    if settings.master_key is None and (file is None or not os.path.lexists(file)):
        if file is None and kept is None:
            message = (
                "DATABASE_URL names a managed database. Set INTERDESK_MASTER_KEY_FILE to a file that is not there yet: "
                "the backup's master key is written to it."
            )
            raise BackupError(message)
        return file or kept
    given = Installation(settings, None).master_key()
    if given.text() != master_key.text():
        message = (
            "A master key is given by the settings already, and it is not the backup's: with it nothing would open. "
            "Set INTERDESK_MASTER_KEY_FILE alone, to a file that is not there yet: the backup's key is written to it."
        )
        raise BackupError(message)
    return None


@contextmanager
def _managed_home(settings: Settings, master_key: MasterKey) -> Iterator[Installation]:
    """An empty database on a managed server, whose roles are made; the master key goes to the file of the settings."""
    installation = Installation(settings, None)
    key_file = _place_for_key(settings, master_key, None)
    for role in (DatabaseRole.API, DatabaseRole.WORKER):
        psycopg.connect(installation.conninfo(role)).close()
    owner = installation.conninfo(DatabaseRole.OWNER)
    _refuse_filled(owner)
    if key_file is not None:
        create_master_key_file(key_file, master_key)
    try:
        yield installation
    except BaseException:
        if key_file is not None and _something_in(owner) is None:
            key_file.unlink(missing_ok=True)
        raise


def _something_in(conninfo: str) -> str | None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        row = connection.execute(_STRANGERS).fetchone()
    return row[0] if row else None


def _refuse_filled(conninfo: str) -> None:
    found = _something_in(conninfo)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        owned = connection.execute(_OWNED).fetchone()
        name = connection.info.dbname
    if found:
        message = (
            f"The database {name} is not empty: {found} is there. A backup is restored into an empty one only: as the "
            "server's administrator create another, run interdesk db roles in it, and name it in the four addresses."
        )
        raise BackupError(message)
    if owned is None or not owned[0]:
        message = (
            f"The roles have no rights in the database {name} yet. As the server's administrator: "
            f"interdesk db roles --database {name} | psql --dbname {name} --set ON_ERROR_STOP=1"
        )
        raise BackupError(message)
