"""Who runs the server: PostgreSQL refuses to run as root, and other users must not reach it."""

import grp
import os
import pwd
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from app.core.embedded.errors import EmbeddedPostgresError

# Left unused by systemd and Debian, and still inside what a container usually maps.
# https://systemd.io/UIDS-GIDS/
_FREE = range(65520, 65534)
_NOBODY = 65534
_HERE = "/proc/self/cwd"


class _Identity(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """The account of the server's processes; ``uid`` is None where that is the launching user itself."""

    uid: int | None = None

    @property
    def identity(self) -> _Identity:
        """What ``subprocess`` has to be told to become this account."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.uid, "extra_groups": []}

    def address(self, folder: Path) -> str:
        """Return how a process of this account names ``folder``, which must be its working directory.

        A launcher that is root may keep its data where no other account can go, below /root for instance. A process
        started inside such a folder stays there, and Linux lets it name the place without walking to it.
        """
        return _HERE if self.uid is not None and sys.platform == "linux" else str(folder)


def launching_user() -> str:
    """Return the name of the user who runs this process, as peer authentication will see it."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        message = (
            f"The user id {os.geteuid()} has no account, and the embedded PostgreSQL signs its user in by name. "
            "Give it an entry in /etc/passwd, or set DATABASE_URL to a PostgreSQL server."
        )
        raise EmbeddedPostgresError(message) from None


def account_for(cluster: Path) -> Account | None:
    """Return the account that owns an existing ``cluster``, None if there is no cluster yet.

    A cluster of somebody else is refused: peer authentication knows the user who made it, and nobody else.
    """
    try:
        owner = cluster.lstat().st_uid
    except FileNotFoundError:
        return None
    if owner == os.geteuid() != 0:
        return Account()
    if os.geteuid() == 0 and owner in (*_FREE, _NOBODY):
        return Account(owner)
    message = (
        f"{cluster} belongs to {_name(owner)}, and this process runs as {_name(os.geteuid())}. "
        "Run as the user who started it first, or choose another folder by INTERDESK_DATA."
    )
    raise EmbeddedPostgresError(message)


def accounts_for_new() -> Iterator[Account]:
    """Yield the accounts a new cluster may belong to, best first.

    Under root an id without an account is best: no other process has it, whereas ``nobody`` is shared.
    """
    if os.geteuid() != 0:
        yield Account()
        return
    users = {entry.pw_uid for entry in pwd.getpwall()}
    groups = {entry.gr_gid for entry in grp.getgrall()}
    yield from (Account(uid) for uid in _FREE if uid not in users and uid not in groups)
    yield nobody()


def nobody() -> Account:
    """Return the account that makes a cluster for root: initdb insists on one that has a name."""
    try:
        return Account(pwd.getpwnam("nobody").pw_uid)
    except KeyError:
        message = (
            "PostgreSQL does not run as root, and there is no account 'nobody' to run it as. "
            "Run as an ordinary user, or set DATABASE_URL to a PostgreSQL server."
        )
        raise EmbeddedPostgresError(message) from None


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user id {uid}"
