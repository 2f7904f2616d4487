"""Filling an empty database from a backup, by its owner alone, in one transaction that proves what it brought.

The dump is turned into a script, in three parts: tables with their rows; then, when their content was compared with
the manifest, everything that guards them; then what the engine grants on its own functions, as the engine. No
superuser is needed, and a restore that breaks off anywhere leaves an empty database.
"""

import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import reduce
from subprocess import PIPE, Popen, TimeoutExpired
from typing import IO, Final

import psycopg

from app.core.database_roles import ENGINE, DatabaseRole
from app.core.programs import Programs, piped, said
from app.keeping.errors import BackupError
from app.keeping.reading import Backup
from app.keeping.tables import checking_script

_TIMEOUT_SINCE: Final = 17
"""The first version that knows transaction_timeout, which every script of a later pg_restore sets."""

_TIMEOUT: Final = b"SET transaction_timeout = 0;\n"
_PREAMBLE_END: Final = b"SET row_security = off;\n"
_LONGEST_PREAMBLE: Final = 65_536
_PIECE: Final = 1 << 16
_SECONDS: Final = 60

_MADE_BY_ROLES: Final = (
    " SCHEMA - public ",
    " COMMENT - SCHEMA public ",
    " DEFAULT ACL ",
    " EXTENSION - ",
    " COMMENT - EXTENSION ",
)
"""Entries that `interdesk db roles` has made in the empty database already."""

_BEGIN: Final = b"BEGIN;\n"
_COMMIT: Final = b"COMMIT;\n"
_AS_ENGINE: Final = f"SET LOCAL ROLE {ENGINE};\n".encode()
_AS_OWNER: Final = b"RESET ROLE;\n"

# Whoever makes a trigger must be allowed to execute its function, and the engine's are its own by then.
_FUNCTIONS: Final = """
DO $functions$ DECLARE v_function regprocedure; BEGIN
  FOR v_function IN SELECT oid FROM pg_catalog.pg_proc WHERE proowner = '@engine@'::pg_catalog.regrole LOOP
    EXECUTE pg_catalog.format('@act@ EXECUTE ON ROUTINE %s @to@ @owner@', v_function);
  END LOOP;
END $functions$;
"""


def _on_functions(act: str, to: str) -> bytes:
    names = {"@act@": act, "@to@": to, "@engine@": ENGINE, "@owner@": DatabaseRole.OWNER.value}
    return reduce(lambda text, name: text.replace(name, names[name]), names, _FUNCTIONS).encode()


_LEND: Final = _AS_ENGINE + _on_functions("GRANT", "TO") + _AS_OWNER
_TAKE_BACK: Final = _AS_ENGINE + _on_functions("REVOKE", "FROM")


def fill(conninfo: str, server: int, backup: Backup, programs: Programs, read: Callable[[int], None]) -> None:
    """Bring everything into the empty database of `conninfo`, which is the owner's; `server` is its major version.

    Raises:
        BackupError: the database refused something, or holds something else afterwards; it is empty then.
    """
    with _script(conninfo, programs) as run:
        run.send(_BEGIN)
        part = _Part(backup, programs, run, server)
        wanted = [line for line in backup.listed if not any(mark in line for mark in _MADE_BY_ROLES)]
        grants = [line for line in wanted if _is_engines_grant(line)]
        rest = [line for line in wanted if not _is_engines_grant(line)]
        part.restore(rest, ("pre-data", "data"), read)
        run.send(checking_script(backup.manifest.tables).encode() + _LEND)
        part.restore(rest, ("post-data",), lambda _: None)
        run.send(_TAKE_BACK)
        part.restore(grants, (), lambda _: None)
        run.send(_AS_OWNER + _COMMIT)
        run.end()
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("ANALYZE")


def _is_engines_grant(line: str) -> bool:
    return line.endswith(f" {ENGINE}") and (" ACL " in line or " COMMENT " in line)


class _Script:
    """psql, which runs what is sent and stops at the first error."""

    def __init__(self, process: "Popen[bytes]", pipe: IO[bytes], complaints: IO[bytes]) -> None:
        self._process = process
        self._pipe = pipe
        self._complaints = complaints

    def send(self, text: bytes) -> None:
        """Run more.

        Raises:
            BackupError: it has stopped.
        """
        try:
            self._pipe.write(text)
            self._pipe.flush()
        except BrokenPipeError:
            self._fail()

    def end(self) -> None:
        """Wait until all has run.

        Raises:
            BackupError: it has stopped.
        """
        with suppress(BrokenPipeError):
            self._pipe.close()
        if self._process.wait():
            self._fail()

    def _fail(self) -> None:
        with suppress(TimeoutExpired):
            self._process.wait(_SECONDS)
        message = f"The database could not be filled, and is empty as before: {said(self._complaints)}"
        raise BackupError(message)


@contextmanager
def _script(conninfo: str, programs: Programs) -> Iterator[_Script]:
    """A psql on the database; whatever happens, nothing is committed but by what is sent."""
    options = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=terse", "--file=-")
    with (
        tempfile.TemporaryFile() as complaints,
        programs.running("psql", *options, conninfo=conninfo, stdin=PIPE, stderr=complaints) as process,
    ):
        yield _Script(process, piped(process.stdin), complaints)


class _Part:
    """Turns parts of a dump into SQL for one script."""

    def __init__(self, backup: Backup, programs: Programs, run: _Script, server: int) -> None:
        self._backup = backup
        self._programs = programs
        self._run = run
        self._server = server

    def restore(self, listed: Sequence[str], sections: Sequence[str], read: Callable[[int], None]) -> None:
        """Send the SQL of some entries, those of some sections or all."""
        options = ["--file=-", *(f"--section={name}" for name in sections)]
        with tempfile.NamedTemporaryFile("w", encoding="utf-8") as names, tempfile.TemporaryFile() as complaints:
            names.write("\n".join([*listed, ""]))
            names.flush()
            options.append(f"--use-list={names.name}")
            with self._programs.running("pg_restore", *options, stdin=PIPE, stdout=PIPE, stderr=complaints) as process:
                pump = _Pump(piped(process.stdout), self._run, self._server)
                self._backup.dump_into(piped(process.stdin), read)
                pump.join()
                if process.wait(_SECONDS):
                    message = f"pg_restore failed: {said(complaints)}"
                    raise BackupError(message)


class _Pump(threading.Thread):
    """Passes the SQL that one program writes on to another, beside whoever feeds the first."""

    def __init__(self, source: IO[bytes], run: _Script, server: int) -> None:
        super().__init__(name="restore", daemon=True)
        self._source = source
        self._run = run
        self._server = server
        self._raised: Exception | None = None
        self.start()

    def run(self) -> None:
        """Pass everything on. Once that fails, read the rest away: the program before must not wait for ever."""
        try:
            self._run.send(self._preamble())
            while piece := self._source.read(_PIECE):
                self._run.send(piece)
        except Exception as error:  # noqa: BLE001 - raised again where the thread is joined
            self._raised = error
            self._source.close()

    def _preamble(self) -> bytes:
        """The settings at the script's beginning, without the one that an earlier server does not know."""
        text = b""
        while _PREAMBLE_END not in text and len(text) < _LONGEST_PREAMBLE and (line := self._source.readline()):
            text += line
        return text if self._server >= _TIMEOUT_SINCE else text.replace(_TIMEOUT, b"")

    def join(self, timeout: float | None = None) -> None:
        """Wait for the end, and raise what went wrong."""
        super().join(timeout)
        if self._raised is not None:
            raise self._raised
