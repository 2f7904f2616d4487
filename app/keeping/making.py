"""Making a backup: one consistent state of the database, the master key and what both are, in one encrypted file."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE
from typing import IO, Final

import psycopg

from app.core.crypto import MasterKey
from app.core.programs import find_programs, piped, said
from app.keeping.envelope import Lock, seal
from app.keeping.errors import BackupError
from app.keeping.files import new_file
from app.keeping.manifest import Manifest, take
from app.keeping.person_keys import write_person_keys
from app.keeping.stages import Stage, silent
from app.keeping.tables import KEPT_APART, tables

_SECONDS: Final = 30


def make(
    conninfo: str,
    master_key: MasterKey,
    schema: str,
    target: Path,
    lock: Lock,
    stage: Stage = silent,
    *,
    person_keys: Path | None = None,
) -> Manifest:
    """Write a backup to a new file that only its owner can read, and say what is in it.

    The keys of persons are not in it. They go to the file `person_keys`, in place of what was there: first, because a
    later file opens earlier backups too, but for who was removed since.

    `conninfo` is that of the role interdesk_backup, on the server itself: a pooler does not pass on the snapshot that
    makes dump and manifest one state. Writers go on meanwhile. The file is there when it is complete, or not at all.

    Raises:
        BackupError: there is such a file, or it cannot be written, or the dump fails.
        ProgramsError: the programs that are installed are older than the server.
    """
    with _snapshot(conninfo) as (connection, snapshot), new_file(target) as file:
        programs = find_programs(connection.info.server_version // 10_000)
        with stage("Counting tables", len(tables(connection))) as counted:
            manifest = take(connection, master_key, schema, counted)
        if person_keys is not None:
            write_person_keys(connection, person_keys, lock)
        apart = [f"--exclude-table-data={table}" for table in KEPT_APART]
        options = ("--format=custom", f"--snapshot={snapshot}", *apart)
        with (
            stage("Dumping bytes", None) as dumped,
            tempfile.TemporaryFile() as complaints,
            programs.running("pg_dump", *options, conninfo=conninfo, stdout=PIPE, stderr=complaints) as process,
        ):
            seal(_Joined(manifest.line(), piped(process.stdout), dumped), file, lock)
            if process.wait(_SECONDS):
                message = f"pg_dump failed: {said(complaints)}"
                raise BackupError(message)
    return manifest


class _Joined:
    """The manifest, and the dump behind it."""

    def __init__(self, first: bytes, rest: IO[bytes], dumped: Callable[[int], None]) -> None:
        self._first = first
        self._rest = rest
        self._dumped = dumped
        self._size = 0

    def read(self, size: int, /) -> bytes:
        if self._first:
            part, self._first = self._first[:size], self._first[size:]
            return part
        part = self._rest.read(size)
        self._size += len(part)
        self._dumped(self._size)
        return part


@contextmanager
def _snapshot(conninfo: str) -> Iterator[tuple[psycopg.Connection, str]]:
    """A transaction that sees one state, and the name by which pg_dump sees the same."""
    with psycopg.connect(conninfo) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        # It waits, idle, while pg_dump works, for as long as that takes.
        connection.execute("SET idle_in_transaction_session_timeout = 0")
        _require_sight(connection)
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        yield connection, row[0] if row else ""


def _require_sight(connection: psycopg.Connection) -> None:
    row = connection.execute(
        "SELECT rolname, rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    if row is None or not row[1]:
        message = (
            f"The role {row[0] if row else ''} does not see past row-level security, so its dump would be empty. A "
            "role that has BYPASSRLS must run: ALTER ROLE interdesk_backup BYPASSRLS"
        )
        raise BackupError(message)
