"""Who runs the server: PostgreSQL refuses to run as root, and other users must not reach it."""

import contextlib
import grp
import os
import pwd
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from app.core.embedded.errors import EmbeddedPostgresError
from app.core.embedded.layout import Layout

# Left unused by systemd and Debian, and still inside what a container usually maps.
# https://systemd.io/UIDS-GIDS/
_FREE = range(65520, 65534)


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

    def check(self) -> None:
        """Raise EmbeddedPostgresError if this process may not start others under the account."""
        try:
            subprocess.run(["/bin/sh", "-c", ":"], cwd="/", env=environment(), check=True, **self.identity)
        except (OSError, subprocess.SubprocessError) as problem:
            message = (
                f"PostgreSQL does not run as root, and this process may not change to user id {self.uid} ({problem}). "
                "Allow it that, or run as an ordinary user, or set DATABASE_URL to a PostgreSQL server."
            )
            raise EmbeddedPostgresError(message) from problem

    @contextlib.contextmanager
    def way_to(self, folder: Path) -> Iterator[tuple[str, list[int]]]:
        """Give how a process of this account names ``folder``, and the open files it has to inherit for that.

        A launcher that is root may keep its data where no other account can go, below /root for instance. Linux lets
        a process that inherits the open folder name it by that, without walking to it.
        """
        if self.uid is None or sys.platform != "linux":
            yield str(folder), []
            return
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            yield f"/proc/self/fd/{descriptor}", [descriptor]
        finally:
            os.close(descriptor)


def environment() -> dict[str, str]:
    """Return what PostgreSQL's programs get to see: none of this process's secrets, and a UTF-8 locale.

    Under LC_CTYPE C trigrams of anything but ASCII would be empty.
    """
    return {"LC_ALL": "C.UTF-8", "PATH": os.defpath, "TZ": "UTC"}


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


def account_for(layout: Layout) -> Account | None:
    """Return the account that owns the cluster, None if there is no cluster yet.

    A cluster of somebody else is refused: peer authentication knows the user who made it, and nobody else.
    """
    launcher = os.geteuid()
    _refuse_unless(_owner(layout.start_lock) in (None, launcher), layout.start_lock)
    owner = _owner(layout.cluster)
    if owner is None:
        return None
    if launcher != 0:
        _refuse_unless(owner == launcher, layout.cluster)
        return Account()
    _refuse_unless(owner in _unclaimed() or Account(owner) == nobody(), layout.cluster)
    return Account(owner)


def accounts_for_new() -> Iterator[Account]:
    """Yield the accounts a new cluster may belong to, best first.

    Under root an id without an account is best: no other process has it, whereas ``nobody`` is shared.
    """
    if os.geteuid() != 0:
        yield Account()
        return
    yield from map(Account, _unclaimed())
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


def _unclaimed() -> list[int]:
    """Return the ids of the free range that no account and no group has."""
    users = {entry.pw_uid for entry in pwd.getpwall()}
    groups = {entry.gr_gid for entry in grp.getgrall()}
    return [number for number in _FREE if number not in users and number not in groups]


def _owner(path: Path) -> int | None:
    try:
        return path.lstat().st_uid
    except FileNotFoundError:
        return None


def _refuse_unless(fits: bool, path: Path) -> None:  # noqa: FBT001
    if not fits:
        message = (
            f"{path} belongs to {_name(_owner(path))}, and this process, which runs as {_name(os.geteuid())}, did not "
            "make it. Run as the user who started it first, or choose another folder by INTERDESK_DATA."
        )
        raise EmbeddedPostgresError(message)


def _name(uid: int | None) -> str:
    try:
        return pwd.getpwuid(uid or 0).pw_name
    except KeyError:
        return f"user id {uid}"
