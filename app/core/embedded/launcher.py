"""The embedded PostgreSQL as the rest of the project sees it."""

from pathlib import Path
from types import TracebackType
from typing import Self

from psycopg.conninfo import make_conninfo

from app.core.database_roles import DatabaseRole
from app.core.embedded import bootstrap, server
from app.core.embedded.accounts import account_for, launching_user
from app.core.embedded.address import PORT, socket_folder
from app.core.embedded.cluster import create_cluster, major_of
from app.core.embedded.errors import EmbeddedPostgresError
from app.core.embedded.layout import Layout
from app.core.embedded.locks import FileLock, wait_for_lock

_LOCK_SECONDS = 120.0


class EmbeddedPostgres:
    """One process's use of the server below a data folder; made by ``start``, ended by ``release``.

    Any number of processes of one user share a server. It outlives those that die without a word, and the next one
    finds it running.
    """

    def __init__(self, layout: Layout, sockets: Path, users: FileLock) -> None:
        self._layout = layout
        self._sockets = sockets
        self._users = users

    @classmethod
    def start(cls, data: Path) -> Self:
        """Return the server below the folder ``data``, started or found running, with its database and roles.

        Blocks for some 50 ms, the first time in a folder for about a second. Raises EmbeddedPostgresError.
        """
        user = launching_user()
        layout = _prepared(data)
        with wait_for_lock(layout.start_lock, _LOCK_SECONDS):
            account = account_for(layout.cluster)
            if account is None:
                layout.roles_mark.unlink(missing_ok=True)
                account = create_cluster(layout)
            major_of(layout.cluster)
            bootstrap.open_to(layout, user)
            sockets = socket_folder(layout)
            server.ensure_running(layout, account, sockets)
            bootstrap.ensure_roles(layout, user, str(sockets))
            users = FileLock(layout.users_lock)
            users.try_shared()
        return cls(layout, sockets, users)

    def conninfo(self, role: DatabaseRole, database: str = bootstrap.DATABASE) -> str:
        """Return libpq's connection string for ``role``; it works for the launching user only."""
        return make_conninfo(host=str(self._sockets), port=PORT, user=role.value, dbname=database)

    def release(self) -> None:
        """Say that this process no longer needs the server; the last one to say so stops it. May be repeated."""
        if self._users.descriptor < 0:
            return
        try:
            if not self._users.is_current():
                return
            with wait_for_lock(self._layout.start_lock, _LOCK_SECONDS):
                if self._users.try_exclusive():
                    server.stop(self._layout)
        finally:
            self._users.close()

    def __enter__(self) -> Self:
        """Use the server for the length of a block."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Release the server."""
        self.release()


def _prepared(data: Path) -> Layout:
    """Make the data folder, for its user alone, and return its layout by the path that cannot change under us."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Layout(data.resolve(strict=True))
    except OSError as problem:
        message = f"The data folder cannot be used ({problem}). Choose another by INTERDESK_DATA."
        raise EmbeddedPostgresError(message) from problem
