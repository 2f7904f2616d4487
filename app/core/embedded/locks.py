"""Locks on files: the kernel drops them when their holder dies, so none is ever stale."""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from app.core.embedded.errors import EmbeddedPostgresError

_PAUSE = 0.01


class FileLock:
    """A lock on one file. It belongs to the open file, and so to every process that inherits the descriptor."""

    def __init__(self, path: Path) -> None:
        """Open ``path``, made if necessary, without locking it."""
        self._path = path
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)

    def try_exclusive(self) -> bool:
        """Take the lock for this holder alone; False if another holds it in whatever way."""
        return self._try(fcntl.LOCK_EX)

    def try_shared(self) -> bool:
        """Take the lock together with others; False if one holds it alone."""
        return self._try(fcntl.LOCK_SH)

    def is_current(self) -> bool:
        """Whether the path still leads to this file; False after somebody removed the data folder."""
        try:
            return os.path.samestat(os.fstat(self.descriptor), self._path.stat())
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Let go of the file; the lock ends unless another process inherited it."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def _try(self, kind: int) -> bool:
        try:
            fcntl.flock(self.descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def __enter__(self) -> Self:
        """Close the file at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()


def wait_for_lock(path: Path, seconds: float) -> FileLock:
    """Return ``path`` locked for this holder alone, waiting at most ``seconds`` for others to finish."""
    deadline = time.monotonic() + seconds
    while True:
        lock = FileLock(path)
        # The file may have been removed between opening and locking it: then the lock guards nothing.
        if lock.try_exclusive() and lock.is_current():
            return lock
        lock.close()
        if time.monotonic() > deadline:
            message = (
                f"Another process has been starting or stopping the embedded PostgreSQL for {seconds:.0f} s. "
                f"It holds {path}: end it, then try again."
            )
            raise EmbeddedPostgresError(message)
        time.sleep(_PAUSE)


def is_held(path: Path) -> bool:
    """Whether some process holds a lock on ``path``."""
    with FileLock(path) as lock:
        return not lock.try_exclusive()
