"""Making a cluster, and the files that configure it."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from app.core.embedded.accounts import Account, accounts_for_new, environment, nobody
from app.core.embedded.binaries import Binaries, find_binaries
from app.core.embedded.errors import EmbeddedPostgresError
from app.core.embedded.layout import Layout
from app.core.embedded.locks import FileLock

SUPERUSER = "postgres"
"""Made by initdb; nobody can sign in as it, except while the roles are being made."""

_BUILTIN_LOCALE = 17
"""The first version with a locale of its own, the same on every system."""

SETTINGS = """\
# Written at every start; changes made here are lost.
cluster_name = 'interdesk'
listen_addresses = ''
unix_socket_directories = '.'
unix_socket_permissions = 0700
port = 5432
max_connections = 100
shared_buffers = 128MB
fsync = on
synchronous_commit = on
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
# The log names events of the server, never a statement or a value: both may hold content.
log_line_prefix = '%m [%p] '
log_min_messages = log
log_min_error_statement = panic
log_error_verbosity = terse
log_checkpoints = off
"""

_LINUX_SETTINGS = """\
# After a crash: one call for the whole file system instead of one for each of a thousand files, which takes seconds.
recovery_init_sync_method = syncfs
"""

_AUTHENTICATION = """\
# Written at every start. Only the user in pg_ident.conf signs in, recognized by the kernel: no password, no network.
local all all peer map=interdesk
"""


def major_of(cluster: Path) -> int:
    """Return the major version that made ``cluster``, from the file PostgreSQL keeps in it."""
    try:
        return int((cluster / "PG_VERSION").read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        message = (
            f"{cluster} is not a PostgreSQL data folder ({problem}). "
            "Move it away, or choose another folder by INTERDESK_DATA."
        )
        raise EmbeddedPostgresError(message) from problem


def create_cluster(layout: Layout, lock: FileLock) -> Account:
    """Make a cluster and return the account it belongs to; ``lock`` is the start lock.

    It is made beside its place and moved there when complete, so that a launcher killed half-way leaves nothing that
    looks like a cluster. initdb shares the lock, so that the next launcher waits for one left running.
    """
    for left_over in layout.data.glob(layout.staging_prefix + "*"):
        shutil.rmtree(left_over)
    maker = nobody() if os.geteuid() == 0 else Account()
    staging = Path(tempfile.mkdtemp(prefix=layout.staging_prefix, dir=layout.data))
    try:
        cluster = staging / "cluster"
        cluster.mkdir(mode=0o700)
        if maker.uid is not None:
            os.chown(cluster, maker.uid, maker.uid)
        _initdb(cluster, maker, find_binaries(maker), lock)
        account = _hand_over(cluster, maker)
        cluster.rename(layout.cluster)
    finally:
        shutil.rmtree(staging)
    return account


def _initdb(cluster: Path, maker: Account, binaries: Binaries, lock: FileLock) -> None:
    has_own_locale = binaries.major >= _BUILTIN_LOCALE
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if has_own_locale else []
    with maker.way_to(cluster) as (path, descriptors):
        answer = subprocess.run(  # noqa: S603 - a program found by us, no shell
            [
                str(binaries.folder / "initdb"),
                f"--pgdata={path}",
                f"--username={SUPERUSER}",
                "--encoding=UTF8",
                "--auth-local=peer",
                "--auth-host=reject",
                *builtin,
            ],
            cwd="/",
            env=environment(),
            capture_output=True,
            text=True,
            umask=0o077,
            check=False,
            pass_fds=(lock.descriptor, *descriptors),
            **maker.identity,
        )
    if answer.returncode != 0:
        message = f"PostgreSQL's initdb failed; mend what it complains about and try again:\n{answer.stderr.strip()}"
        raise EmbeddedPostgresError(message)


def _hand_over(cluster: Path, maker: Account) -> Account:
    """Give a cluster made by ``maker`` to the best account the system allows, and return that account."""
    if maker.uid is None:
        return maker
    for account in accounts_for_new():
        if account == maker:
            return maker
        if _give_all(cluster, maker, account):
            return account
    return maker


def _give_all(cluster: Path, before: Account, after: Account) -> bool:
    """Change the owner of a whole cluster; False, with nothing changed, if the system has no such account to give."""
    if before.uid is None or after.uid is None:
        return False
    try:
        os.chown(cluster, after.uid, after.uid)
    except OSError:
        return False
    for folder, folders, names in os.walk(cluster):
        for name in folders + names:
            give(Path(folder, name), before.uid, after.uid)
    return True


def give(path: Path, before: int, after: int) -> None:
    """Change the owner of one file, provided it had the expected one.

    ``nobody`` is shared with other processes: one of them might have put a link to somebody else's file here.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if os.fstat(descriptor).st_uid != before:
            message = f"{path} changed hands while the cluster was made. Look for an intruder running as nobody."
            raise EmbeddedPostgresError(message)
        os.fchown(descriptor, after, after)
    finally:
        os.close(descriptor)


def configure(cluster: Path, user: str, roles: list[str]) -> None:
    """Write the settings, and let the operating system's ``user`` sign in as ``roles`` and nothing else."""
    quoted = '"' + user.replace('"', '""') + '"'
    lines = "".join(f"interdesk {quoted} {role}\n" for role in roles)
    _write(cluster, "postgresql.conf", SETTINGS + (_LINUX_SETTINGS if sys.platform == "linux" else ""))
    _write(cluster, "pg_hba.conf", _AUTHENTICATION)
    _write(cluster, "pg_ident.conf", f"# Written at every start.\n{lines}")


def _write(cluster: Path, name: str, text: str) -> None:
    """Replace a file of the cluster in one step.

    The folder belongs to the server's account: root neither follows a link found there nor writes into a file found
    there. The file stays the launcher's, readable by the server, inside a folder closed to everybody else.
    """
    folder = os.open(cluster, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    temporary = f"{name}.new"
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        descriptor = os.open(temporary, flags, 0o644, dir_fd=folder)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(descriptor, 0o644)
            file.write(text)
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        os.close(folder)
