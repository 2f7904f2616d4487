"""The embedded PostgreSQL as the rest of the project sees it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from psycopg.conninfo import make_conninfo

from app.core.database_roles import DATABASE, DatabaseRole
from app.core.embedded.accounts import account_for, launching_user
from app.core.embedded.address import PORT, remove_short_cut, socket_folder
from app.core.embedded.bootstrap import configure_for, ensure_roles
from app.core.embedded.cluster import create_cluster
from app.core.embedded.errors import EmbeddedPostgresError
from app.core.embedded.layout import Layout
from app.core.embedded.locks import FileLock, wait_for_lock
from app.core.embedded.server import ensure_running, stop

_LOCK_SECONDS = 120.0


class EmbeddedPostgres:
    """One process's use of the server below a data folder; made by ``start``, ended by ``release``.

    Any number of processes of one user share a server. It outlives those that die without a word, and the next one
    finds it running.
    """

    def __init__(self, layout: Layout, user: str) -> None:
        """Prepare for ``user``, the launching one; nothing runs before ``revive``."""
        self._layout = layout
        self._user = user
        self._sockets = layout.cluster
        self._use: FileLock | None = None

    @staticmethod
    def is_there(data: Path) -> bool:
        """Whether there is a server's data below the folder ``data``, or a reason why that cannot be seen."""
        try:
            return Layout(data).cluster.exists()
        except OSError:
            return True

    @classmethod
    def start(cls, data: Path) -> Self:
        """Return the server below the folder ``data``, started or found running, with its database and roles.

        Blocks for some 50 ms, the first time in a folder for about a second. Raises EmbeddedPostgresError.
        """
        user = launching_user()
        with _explained(data):
            data.mkdir(mode=0o700, parents=True, exist_ok=True)
            server = cls(Layout(data.resolve(strict=True)), user)
            server.revive()
        return server

    def revive(self) -> None:
        """Start the server again if it died; returns within milliseconds if it answers."""
        layout = self._layout
        account_for(layout)  # Before its lock is opened, which fails for anybody else with a mere "permission denied".
        with _explained(layout.data), wait_for_lock(layout.start_lock, _LOCK_SECONDS) as lock:
            account = account_for(layout)
            if account is None:
                layout.roles_mark.unlink(missing_ok=True)
                account = create_cluster(layout, lock)
            self._sockets = socket_folder(layout)
            ensure_running(layout, account, self._sockets, lambda: configure_for(layout, self._user))
            ensure_roles(layout, self._user, str(self._sockets))
            if self._use is None or not self._use.is_current():
                if self._use is not None:
                    self._use.close()
                self._use = FileLock(layout.users_lock)
                self._use.try_shared()

    def conninfo(self, role: DatabaseRole, database: str = DATABASE) -> str:
        """Return libpq's connection string for ``role``; it works for the launching user only."""
        return make_conninfo(host=str(self._sockets), port=PORT, user=role.value, dbname=database)

    def release(self) -> None:
        """Say that this process no longer needs the server; the last one to say so stops it. May be repeated."""
        use, self._use = self._use, None
        if use is None:
            return
        layout = self._layout
        try:
            # If somebody removed the data folder, a server found in its place is not the one we used.
            if use.is_current():
                # The inner one is closed first: whoever starts the server next must find nobody using it alone.
                with _explained(layout.data), wait_for_lock(layout.start_lock, _LOCK_SECONDS), use:
                    if use.try_exclusive():
                        stop(layout)
                        remove_short_cut(layout)
        finally:
            use.close()

    def __enter__(self) -> Self:
        """Use the server for the length of a block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release the server."""
        self.release()


@contextlib.contextmanager
def _explained(data: Path) -> Iterator[None]:
    """Turn what the file system complains about into an error that says what to do."""
    try:
        yield
    except OSError as problem:
        message = (
            f"The embedded PostgreSQL cannot use its data folder {data}: {problem}. Mend that, or choose another "
            "by INTERDESK_DATA, on a local file system that keeps owners and permissions."
        )
        raise EmbeddedPostgresError(message) from problem
