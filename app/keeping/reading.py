"""Reading a backup: proving that it is whole before anything is begun, and its content as a stream."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE
from typing import IO, Final

from app.core.programs import Programs, piped
from app.keeping import manifest
from app.keeping.envelope import Key, open_sealed
from app.keeping.errors import BackupError
from app.keeping.manifest import Manifest

_LONGEST_LINE: Final = 16 * 1024 * 1024
_SECONDS: Final = 60
_DUMP: Final = b"PGDMP"
"""How every dump in PostgreSQL's custom format begins."""


class _EnoughError(Exception):
    """Whoever took the content needs no more of it."""


class _Splitter:
    """Parts a backup's content into its first line and the dump."""

    def __init__(self, take: Callable[[bytes], object]) -> None:
        self._take = take
        self._line: bytearray | None = bytearray()
        self.manifest: Manifest | None = None
        self.beginning = b""
        """The first bytes of the dump."""

    def __call__(self, data: bytes) -> None:
        if self._line is not None:
            self._line += data
            line, end, data = bytes(self._line).partition(b"\n")
            if not end:
                if len(line) > _LONGEST_LINE:
                    raise BackupError("What was encrypted is no backup of Interdesk.")
                return
            self._line = None
            self.manifest = manifest.read(line)
        if len(self.beginning) < len(_DUMP):
            self.beginning += data[: len(_DUMP)]
        if data:
            self._take(data)


@dataclass(frozen=True)
class Backup:
    """A backup that was found whole: what it says of itself, and what its dump lists."""

    path: Path
    key: Key
    manifest: Manifest
    listed: list[str]
    """The dump's table of contents, one entry a line, as pg_restore lists it."""

    def dump_into(self, pipe: IO[bytes], read: Callable[[int], None] = lambda _: None) -> None:
        """Write the dump into a pipe and close it; a reader that needs only the beginning may close it earlier."""

        def take(data: bytes) -> None:
            try:
                pipe.write(data)
            except BrokenPipeError:
                raise _EnoughError from None

        with suppress(_EnoughError):
            open_sealed(self.path, self.key, _Splitter(take), read)
        with suppress(BrokenPipeError):
            pipe.close()


def examine(path: Path, key: Key, programs: Programs, read: Callable[[int], None] = lambda _: None) -> Backup:
    """Decrypt a whole backup, to know that nothing in it was cut or altered, and say what is in it.

    Raises:
        BackupError: it is none, or not whole, or the key does not open it.
    """
    try:
        with _listing(programs) as (pipe, lines):
            splitter = _Splitter(_as_far_as_wanted(pipe))
            open_sealed(path, key, splitter, read)
            with suppress(BrokenPipeError):
                pipe.close()
            listed = lines()
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}"
        raise BackupError(message) from error
    if splitter.manifest is None or not splitter.beginning.startswith(_DUMP) or not listed:
        message = f"{path} opens, but holds no dump that {programs.folder / 'pg_restore'} can read."
        raise BackupError(message)
    return Backup(path, key, splitter.manifest, listed)


def _as_far_as_wanted(pipe: IO[bytes]) -> Callable[[bytes], None]:
    """Write to a pipe until its reader closes it, which is soon done for a list."""
    wanted = True

    def take(data: bytes) -> None:
        nonlocal wanted
        if wanted:
            try:
                pipe.write(data)
                pipe.flush()
            except BrokenPipeError:
                wanted = False

    return take


@contextmanager
def _listing(programs: Programs) -> Iterator[tuple[IO[bytes], Callable[[], list[str]]]]:
    """A program that lists the dump written to it; to a file, since with two pipes each could wait for the other."""
    with (
        tempfile.TemporaryFile() as names,
        programs.running("pg_restore", "--list", stdin=PIPE, stdout=names) as process,
    ):

        def lines() -> list[str]:
            process.wait(_SECONDS)
            names.seek(0, os.SEEK_SET)
            text = names.read().decode()
            return [line for line in text.splitlines() if line and not line.startswith(";")]

        yield piped(process.stdin), lines
