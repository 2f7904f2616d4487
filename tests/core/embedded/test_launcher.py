"""Starting, sharing and stopping the server."""

import os
import time
from pathlib import Path

import psycopg
import pytest

from app.core.database_roles import DatabaseRole
from app.core.embedded import EmbeddedPostgres
from app.core.embedded.layout import Layout
from app.core.embedded.locks import is_held
from tests.core.embedded.support import Users, ask, needs_linux, process_of


def test_last_user_stops_the_server(data: Path) -> None:
    first = EmbeddedPostgres.start(data)
    second = EmbeddedPostgres.start(data)
    first.release()
    first.release()
    assert ask(second, "SELECT 1") == 1
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
        assert ask(running, "SELECT answer FROM thing") == 42


def test_eight_launchers_at_once_share_one_server(fresh: Path, users: Users) -> None:
    for _ in range(8):
        users.add(fresh)
    assert len(users.started()) == 1
    users.finish()
    assert not is_held(Layout(fresh).server_lock)


@pytest.mark.usefixtures("shared")
def test_terminal_signals_do_not_reach_the_server(shared_data: Path) -> None:
    assert os.getsid(process_of(shared_data)) != os.getsid(0)


@needs_linux
@pytest.mark.usefixtures("shared")
def test_server_sees_no_secret_of_its_launcher(shared_data: Path) -> None:
    assert b"do not tell" not in Path(f"/proc/{process_of(shared_data)}/environ").read_bytes()


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
