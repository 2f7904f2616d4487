"""PostgreSQL's client programs: the wheel's or the system's, never older than the server they work with."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from app.core.embedded.accounts import environment
from app.core.embedded.binaries import candidates

_MESSAGE = 2000
_NEEDED = ("pg_dump", "pg_restore", "psql")


class ProgramsError(Exception):
    """No fitting programs are installed; the message names what to install."""


@dataclass(frozen=True)
class Programs:
    """A folder of client programs, and their major version."""

    folder: Path
    major: int

    @contextmanager
    def running(
        self,
        program: str,
        *arguments: str,
        conninfo: str | None = None,
        stdin: int | IO[Any] = subprocess.DEVNULL,
        stdout: int | IO[Any] = subprocess.DEVNULL,
        stderr: int | IO[Any] = subprocess.DEVNULL,
    ) -> Iterator["subprocess.Popen[bytes]"]:
        """Run a program for the length of a block, on the database of `conninfo` if that is given.

        At the end of the block it is killed if it still runs, before its pipes are closed: the end of its input must
        not look like the end of what it was to do. It sees none of this process's environment, and the password
        goes by its own, where other users of the machine cannot read it as they can a command line.
        """
        database, secret = ([], {}) if conninfo is None else _addressed(conninfo)
        process = subprocess.Popen(  # noqa: S603 - a program found by us, no shell
            [self.folder / program, *database, *arguments],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env={**environment(), **secret},
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(BrokenPipeError):
                        pipe.close()


def piped(pipe: IO[bytes] | None) -> IO[bytes]:
    """The pipe that a program was started with."""
    if pipe is None:
        message = "the program was started without this pipe"
        raise RuntimeError(message)
    return pipe


def said(complaints: IO[bytes]) -> str:
    """The end of what a program wrote to its standard error."""
    complaints.seek(max(0, complaints.seek(0, os.SEEK_END) - _MESSAGE))
    return complaints.read().decode(errors="replace").strip()


def _addressed(conninfo: str) -> tuple[list[str], Mapping[str, str]]:
    parts: dict[str, Any] = conninfo_to_dict(conninfo)
    password = parts.pop("password", None)
    return [f"--dbname={make_conninfo('', **parts)}", "--no-password"], {"PGPASSWORD": password} if password else {}


def find_programs(server: int, *, newest: bool = False) -> Programs:
    """The programs for a server of major version `server`: those nearest to it that are not older, or the newest.

    Raises:
        ProgramsError: there are none, or only older ones, which do not know all that the server can hold.
    """
    found: dict[int, Path] = {}
    for folder in candidates():
        major = _major(folder)
        if major is not None:
            found.setdefault(major, folder)
    fitting = sorted(major for major in found if major >= server)
    if fitting:
        chosen = fitting[-1 if newest else 0]
        return Programs(found[chosen], chosen)
    seen = f"only those of {', '.join(map(str, sorted(found)))} are" if found else "none are"
    message = (
        f"The server is PostgreSQL {server}, and its dump needs programs ({', '.join(_NEEDED)}) of that version or a "
        f"later one: {seen} installed. Install the client programs of PostgreSQL {server}."
    )
    raise ProgramsError(message)


def _major(folder: Path) -> int | None:
    if not all((folder / name).is_file() for name in _NEEDED):
        return None
    try:
        answer = subprocess.run(  # noqa: S603 - a program found by us, no shell
            [folder / "pg_dump", "--version"], capture_output=True, text=True, env=environment(), check=False
        )
    except OSError:
        return None
    found = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    return int(found[1]) if found else None
