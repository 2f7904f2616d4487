"""Files that hold what opens a backup: a passphrase, or private age keys."""

import os
import stat
from pathlib import Path
from typing import Final

from app.keeping.errors import BackupError

_LARGEST: Final = 65_536


def read_passphrase(path: Path) -> str:
    """The passphrase in a file: its first line.

    Raises:
        BackupError: it cannot be read, is empty, or others can read it.
    """
    lines = _lines(path)
    if not lines or not lines[0]:
        message = f"{path} holds no passphrase in its first line."
        raise BackupError(message)
    return lines[0]


def read_identities(path: Path) -> list[str]:
    """The private age keys in a file, one a line, among comments, as `age-keygen` writes it.

    Raises:
        BackupError: it cannot be read, is empty, or others can read it.
    """
    keys = [line.strip() for line in _lines(path) if line.strip() and not line.startswith("#")]
    if not keys:
        message = f"{path} holds no private age key."
        raise BackupError(message)
    return keys


def _lines(path: Path) -> list[str]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            _check_kept_safely(path, os.fstat(descriptor))
            return file.read(_LARGEST).decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read: {error}"
        raise BackupError(message) from None


def _check_kept_safely(path: Path, status: os.stat_result) -> None:
    """The rule of the master key's file: nobody else may read it, but a group where root owns it."""
    mode = stat.S_IMODE(status.st_mode)
    if not stat.S_ISREG(status.st_mode) or mode & (0o037 if status.st_uid == 0 else 0o077):
        message = f"{path} can be read or changed by others, or is no regular file (mode {mode:04o}): chmod 600 {path}"
        raise BackupError(message)
