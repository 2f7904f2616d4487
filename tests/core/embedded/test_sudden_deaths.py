"""The server survives what happens to processes: launchers, servers and their children."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from app.core.database_roles import DatabaseRole
from app.core.embedded import EmbeddedPostgres, server
from app.core.embedded.accounts import Account, account_for
from app.core.embedded.bootstrap import configure_for
from app.core.embedded.layout import Layout
from app.core.embedded.locks import is_held
from tests.core.embedded.support import USER, Users, ask, needs_linux, process_of


def test_killed_launcher_leaves_a_server_for_the_next(data: Path, users: Users) -> None:
    users.add(data)
    since = users.started()
    users.kill()
    with EmbeddedPostgres.start(data) as running:
        assert {f"{ask(running, 'SELECT pg_postmaster_start_time()')}\n"} == since
    assert not is_held(Layout(data).server_lock)


def test_killed_server_comes_back_with_everything_committed(data: Path) -> None:
    with EmbeddedPostgres.start(data) as running:
        connection = psycopg.connect(running.conninfo(DatabaseRole.OWNER))
        connection.execute("CREATE TABLE thing AS SELECT 42 AS answer")
        connection.commit()
        connection.execute("INSERT INTO thing VALUES (43)")
        os.kill(process_of(data), signal.SIGKILL)
        running.revive()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        connection.close()
        assert ask(running, "SELECT array_agg(answer) FROM thing") == [42]
    assert not is_held(Layout(data).server_lock)


@needs_linux
def test_child_that_outlives_its_killed_server_is_ended(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_ORPHAN_SECONDS", 0.2)
    with EmbeddedPostgres.start(data) as running:
        connection = psycopg.connect(running.conninfo(DatabaseRole.OWNER))
        os.kill(connection.info.backend_pid, signal.SIGSTOP)
        os.kill(process_of(data), signal.SIGKILL)
        running.revive()
        assert ask(running, "SELECT 1") == 1
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        connection.close()


def test_stale_record_of_a_process_somebody_else_has_by_now(data: Path) -> None:
    with EmbeddedPostgres.start(data):
        pid_file = Layout(data).cluster / "postmaster.pid"
        record = pid_file.read_text().split("\n")
    account = account_for(Layout(data)) or Account()
    with subprocess.Popen(["/bin/sleep", "60"], **account.identity) as stranger:
        for process in (stranger.pid, 2**22 + 1):
            pid_file.write_text("\n".join([str(process), *record[1:]]))
            (Layout(data).cluster / ".s.PGSQL.5432.lock").write_text("\n".join([str(process), *record[1:]]))
            with EmbeddedPostgres.start(data) as running:
                assert ask(running, "SELECT 1") == 1
        assert stranger.poll() is None
        stranger.kill()


def test_launcher_killed_while_making_the_cluster(fresh: Path, users: Users) -> None:
    suicide = "import os, signal\nfrom app.core.embedded import cluster\n"
    suicide += "cluster._hand_over = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
    assert users.add(fresh, suicide + USER).wait(timeout=60) == -signal.SIGKILL
    assert not Layout(fresh).cluster.exists()
    with EmbeddedPostgres.start(fresh) as running:
        assert ask(running, "SELECT 1") == 1
        assert [each.name for each in fresh.iterdir() if each.is_dir()] == ["postgres"]


@pytest.mark.parametrize("running", [False, True])
def test_launcher_killed_while_making_the_roles(data: Path, *, running: bool) -> None:
    first = EmbeddedPostgres.start(data)
    if not running:
        first.release()
    Layout(data).roles_mark.unlink()
    configure_for(Layout(data), pwd.getpwuid(os.geteuid()).pw_name)
    with EmbeddedPostgres.start(data) as second:
        conninfo = make_conninfo(second.conninfo(DatabaseRole.OWNER), user="postgres")
        with pytest.raises(psycopg.OperationalError, match="Peer authentication failed"):
            psycopg.connect(conninfo)
        assert ask(second, "SELECT current_user", DatabaseRole.WORKER) == "interdesk_worker"
    first.release()


def test_removed_data_folder_starts_anew_and_its_former_users_do_no_harm(data: Path) -> None:
    first = EmbeddedPostgres.start(data)
    former = process_of(data)
    shutil.rmtree(data)
    with EmbeddedPostgres.start(data) as second:
        first.release()
        assert ask(second, "SELECT 1") == 1
    with contextlib.suppress(ProcessLookupError):  # PostgreSQL notices by itself, sooner or later.
        os.kill(former, signal.SIGKILL)
