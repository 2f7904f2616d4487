"""New files that hold what others must not read: complete and private, or not there."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from app.keeping.errors import BackupError


@contextmanager
def new_file(target: Path) -> Iterator[BinaryIO]:
    """A file that only its owner reads, and that gets its name when it is complete and on disk.

    What was begun and not ended is removed.

    Raises:
        BackupError: the name is taken, or it cannot be written.
    """
    refuse_existing(target)
    try:
        with _draft(target) as (file, draft):
            yield file
            _sync(file)
            os.link(draft, target)
    except FileExistsError:
        refuse_existing(target)
        raise


@contextmanager
def replaced_file(target: Path) -> Iterator[BinaryIO]:
    """The same in place of a file of that name, if there is one: that is gone once the new one is complete and on disk.

    Raises:
        BackupError: it cannot be written.
    """
    with _draft(target) as (file, draft):
        yield file
        _sync(file)
        draft.replace(target)


@contextmanager
def _draft(target: Path) -> Iterator[tuple[BinaryIO, Path]]:
    draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(descriptor, 0o600)  # whatever the umask took away
                yield file, draft
        finally:
            draft.unlink(missing_ok=True)
    except FileExistsError:
        raise
    except OSError as error:
        message = f"{target} cannot be written: {error.strerror or error}"
        raise BackupError(message) from error


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def refuse_existing(target: Path) -> None:
    """Refuse a name that is taken.

    Raises:
        BackupError: there is something already, which is left as it is.
    """
    if os.path.lexists(target):
        message = f"{target} is there already, and nothing is overwritten. Choose another name."
        raise BackupError(message)
