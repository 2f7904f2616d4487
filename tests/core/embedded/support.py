"""What the tests of the embedded PostgreSQL share: other processes that use it, and a look inside."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from app.core.database_roles import DatabaseRole
from app.core.embedded import EmbeddedPostgres, server
from app.core.embedded.accounts import accounts_for_new
from app.core.embedded.layout import Layout

ROOT = os.geteuid() == 0
NOBODY = 65534
SYSTEM_POSTGRES = list(Path("/usr/lib/postgresql").glob("*/bin"))

needs_root = pytest.mark.skipif(not ROOT, reason="becomes another user")
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

USER = """
import sys
from pathlib import Path
import psycopg
from app.core.database_roles import DatabaseRole
from app.core.embedded import EmbeddedPostgres
server = EmbeddedPostgres.start(Path(sys.argv[1]))
with psycopg.connect(server.conninfo(DatabaseRole.API)) as connection:
    print(connection.execute("SELECT pg_postmaster_start_time()").fetchone()[0], flush=True)
sys.stdin.read()
server.release()
"""


class Users:
    """Other processes that use a server until they are told to finish."""

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[str]] = []

    def add(self, folder: Path, code: str = USER) -> subprocess.Popen[str]:
        process = subprocess.Popen(  # noqa: S603 - this Python
            [sys.executable, "-c", code, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        self._processes.append(process)
        return process

    def started(self) -> set[str]:
        """Wait for all, and return when each one's server had started."""
        return {process.stdout.readline() for process in self._processes if process.stdout}

    def finish(self) -> None:
        for process in self._processes:
            process.communicate(timeout=60)

    def kill(self) -> None:
        for process in self._processes:
            process.kill()
            process.communicate()


def copy(original: Path, folder: Path) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["/bin/cp", "-a", original, folder], check=True)  # noqa: S603 - no shell
    return folder


def pretended_cluster(folder: Path) -> Path:
    cluster = Layout(folder).cluster
    cluster.mkdir(parents=True)
    uid = next(accounts_for_new()).uid
    if uid is not None:
        os.chown(cluster, uid, uid)
    return cluster


def clear_away(folder: Path) -> None:
    process = server.main_process(Layout(folder)) if folder.is_dir() else None
    if process is not None:
        os.kill(process, signal.SIGKILL)


def as_nobody(command: list[str]) -> str:
    """Run a command as another user, and return what it complains about."""
    return subprocess.run(  # noqa: S603 - no shell
        command, user=NOBODY, group=NOBODY, extra_groups=[], cwd="/", capture_output=True, text=True, check=False
    ).stderr


def ask(running: EmbeddedPostgres, question: str, role: DatabaseRole = DatabaseRole.OWNER) -> object:
    with psycopg.connect(running.conninfo(role)) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return row[0]


def process_of(folder: Path) -> int:
    process = server.main_process(Layout(folder))
    assert process is not None
    return process
