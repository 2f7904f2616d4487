"""Starting and stopping the server's processes."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from psycopg import pq
from psycopg.conninfo import make_conninfo

from app.core.database_roles import DATABASE, DatabaseRole
from app.core.embedded.accounts import Account, environment
from app.core.embedded.address import PORT
from app.core.embedded.binaries import find_binaries
from app.core.embedded.cluster import major_of
from app.core.embedded.errors import EmbeddedPostgresError
from app.core.embedded.layout import Layout
from app.core.embedded.locks import FileLock, is_held

_PAUSE = 0.005
_START_SECONDS = 60.0
_STOP_SECONDS = 30.0
_ORPHAN_SECONDS = 5.0
_ATTEMPTS = 3
_STATUS_LINE = 8
_LARGEST_LOG = 5_000_000
_LOG_TAIL = 2_000
_MARK = "interdesk.data="
_CHILD = "postgres: interdesk: "


def ensure_running(layout: Layout, account: Account, sockets: Path, configure: Callable[[], None]) -> None:
    """Return once the server answers, starting it where necessary; the caller holds the start lock.

    ``configure`` writes the configuration files, and is called before a start.
    The server's processes inherit a lock on a file. So it is free exactly when none of them is left, whatever a
    process id file says, and a server whose main process was killed is waited for until its last child is gone.
    """
    deadline = time.monotonic() + _START_SECONDS
    orphans_since = time.monotonic()
    launches = 0
    while not _answers(layout, sockets):
        with FileLock(layout.server_lock) as lock:
            if lock.try_exclusive():
                if launches == _ATTEMPTS:
                    message = f"PostgreSQL ended while starting. The end of its log, {layout.log}:\n{_log_tail(layout)}"
                    raise EmbeddedPostgresError(message)
                configure()
                _launch(layout, account, lock)
                launches += 1
        if not launches and main_process(layout) is None and time.monotonic() > orphans_since + _ORPHAN_SECONDS:
            _end_orphans(layout)
        if time.monotonic() > deadline:
            message = (
                f"PostgreSQL has not been ready for {_START_SECONDS:.0f} s; after a crash of a large database it may "
                f"need longer. See the end of its log, {layout.log}, and try again:\n{_log_tail(layout)}"
            )
            raise EmbeddedPostgresError(message)
        time.sleep(_PAUSE)


def stop(layout: Layout) -> None:
    """End the server in good order, and return once its last process is gone; the caller holds the start lock."""
    deadline = time.monotonic() + _STOP_SECONDS
    process = main_process(layout)
    if process is not None:
        _signal(process, signal.SIGINT)
    while process is not None and is_held(layout.server_lock):
        if time.monotonic() > deadline:
            message = f"PostgreSQL (process {process}) did not stop within {_STOP_SECONDS:.0f} s. See {layout.log}."
            raise EmbeddedPostgresError(message)
        time.sleep(_PAUSE)


def reload(layout: Layout) -> None:
    """Make a running server read its configuration files again."""
    process = main_process(layout)
    if process is not None:
        _signal(process, signal.SIGHUP)


def main_process(layout: Layout) -> int | None:
    """Return the id of the server's main process; None if the recorded one is dead or is somebody else's by now."""
    record = _record(layout)
    process = int(record[0]) if record and record[0].isdecimal() else 0
    if process <= 1 or not is_held(layout.server_lock):
        return None
    command = command_line(process)
    moved = _MARK in command and _works_in(process, layout.cluster)
    return process if _mark(layout) in command or moved else None


def _answers(layout: Layout, sockets: Path) -> bool:
    # While it recovers from a crash the server says so in its file, and would fill its log with refused visitors.
    if len(record := _record(layout)) >= _STATUS_LINE and record[_STATUS_LINE - 1].strip() == "starting":
        return False
    conninfo = make_conninfo(host=str(sockets), port=PORT, user=DatabaseRole.OWNER, dbname=DATABASE, connect_timeout=5)
    return pq.PGconn.ping(conninfo.encode()) == pq.Ping.OK


def _record(layout: Layout) -> list[str]:
    """Return the lines of the file in which the server keeps its process id and status; none if there is no file."""
    try:
        descriptor = os.open(layout.cluster / "postmaster.pid", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []


def _launch(layout: Layout, account: Account, lock: FileLock) -> None:
    """Start the server's main process, which takes over ``lock``.

    A shell starts it in the background and ends: so it is no child of this process, whose death or neglect leaves no
    zombie; and a process session of its own keeps the terminal's Ctrl-C away from it.
    """
    binaries = find_binaries(account, major_of(layout.cluster))
    # No process of an earlier server is left, or its lock would be held: what it recorded is stale. PostgreSQL itself
    # would mistake a process of the same account that got the same id for it.
    for name in ("postmaster.pid", f".s.PGSQL.{PORT}.lock", f".s.PGSQL.{PORT}"):
        (layout.cluster / name).unlink(missing_ok=True)
    with account.way_to(layout.cluster) as (path, descriptors), _open_log(layout) as log:
        subprocess.run(  # noqa: S603 - the shell gets its words one by one
            ["/bin/sh", "-c", '"$@" &', "sh", str(binaries.folder / "postgres"), "-D", path, "-c", _mark(layout)],
            cwd="/",
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=(lock.descriptor, *descriptors),
            umask=0o077,
            check=True,
            **account.identity,
        )


def _mark(layout: Layout) -> str:
    """Return the argument by which a main process can be told from another cluster's."""
    return f"{_MARK}{layout.data}"


@contextlib.contextmanager
def _open_log(layout: Layout) -> Iterator[int]:
    """Open the log for appending, after setting a large one aside."""
    with contextlib.suppress(FileNotFoundError):
        if layout.log.stat().st_size > _LARGEST_LOG:
            layout.log.replace(layout.log.with_suffix(".log.1"))
    descriptor = os.open(layout.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _log_tail(layout: Layout) -> str:
    try:
        return layout.log.read_bytes()[-_LOG_TAIL:].decode(errors="replace")
    except OSError:
        return "(no log)"


def _end_orphans(layout: Layout) -> None:
    """Kill what a dead main process left behind; while it lives no other server may open the cluster.

    PostgreSQL's processes end by themselves when they notice; one in the middle of a long calculation does not.
    """
    if sys.platform != "linux":
        return
    for entry in Path("/proc").iterdir():
        process = int(entry.name) if entry.name.isdigit() else 0
        # Every child of the server goes by this name, whereas somebody's shell may happen to stand in the folder.
        if process and _works_in(process, layout.cluster) and command_line(process).startswith(_CHILD):
            _signal(process, signal.SIGKILL)


def _works_in(process: int, folder: Path) -> bool:
    """Whether ``folder`` is the process's working directory: true of all of PostgreSQL's, and proof against renames."""
    try:
        return os.path.samestat(Path(f"/proc/{process}/cwd").stat(), folder.stat())
    except OSError:
        return False


def command_line(process: int) -> str:
    """Return the command line of a process, empty if there is none; as little separated as the system shows it."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{process}/cmdline").read_bytes().decode(errors="replace")
        except OSError:
            return ""
    command = ["/bin/ps", "-ww", "-o", "command=", "-p", str(process)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603 - no shell


def _signal(process: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)
