"""Restoring a backup into an installation that is new."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg

from app.core.database_roles import DatabaseRole
from app.core.migrations import newest_revision
from app.core.programs import Programs, find_programs
from app.installation import Installation
from app.keeping.envelope import Key
from app.keeping.errors import BackupError
from app.keeping.filling import fill
from app.keeping.homes import fresh_home
from app.keeping.reading import Backup, examine
from app.keeping.stages import Stage, silent
from app.settings import Settings

OLDEST_SERVER: Final = 15


def open_backup(path: Path, key: Key, stage: Stage = silent) -> Backup:
    """Find a backup whole, before anything is begun.

    Raises:
        BackupError: it is not, or the key does not open it, or a later version made it.
        ProgramsError: the programs that are installed are too old for any server.
    """
    with stage("Checking the file", path.stat().st_size) as read:
        backup = examine(path, key, find_programs(OLDEST_SERVER, newest=True), read)
    if int(re.sub(r"\D", "", backup.manifest.schema) or 0) > int(newest_revision()):
        message = (
            f"The backup's schema is at {backup.manifest.schema}, and this version knows {newest_revision()}: restore "
            f"it with Interdesk {backup.manifest.version} or later."
        )
        raise BackupError(message)
    return backup


@contextmanager
def restored(settings: Settings, backup: Backup, stage: Stage = silent) -> Iterator[Installation]:
    """Restore into the installation of the settings, and use it for the length of a block before it is final.

    Whatever goes wrong, also in the block, nothing is left but what was there before; on a managed server, a database
    that was filled already stays so.

    Raises:
        BackupError: there is a database or a master key already, or what came of it is not what was backed up.
    """
    with fresh_home(settings, backup.manifest.master_key) as installation:
        bring_in(installation, backup, stage)
        yield installation


def bring_in(installation: Installation, backup: Backup, stage: Stage = silent) -> None:
    """Fill the empty database, and bring its schema up to date."""
    conninfo = installation.conninfo(DatabaseRole.OWNER)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        server = connection.info.server_version // 10_000
    with stage("Restoring", backup.path.stat().st_size) as read:
        fill(conninfo, server, backup, _programs_for(server, backup), read)
    installation.upgrade()


def _programs_for(server: int, backup: Backup) -> Programs:
    """A dump is read by programs of the version that made it, or later ones."""
    return find_programs(max(server, backup.manifest.postgresql))


def summary(backup: Backup, installation: Installation) -> dict[str, Any]:
    """What an operator is told after a restore."""
    state = installation.schema()
    return {**backup.manifest.summary, "file": str(backup.path), "schema": state.current}
