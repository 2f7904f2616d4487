"""`interdesk backup` and `interdesk restore`, as an operator types them."""

import asyncio
import hashlib
import json
import os
import resource
import secrets
import signal
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pyrage import x25519

from app.audit.sealing import seal
from app.core import programs
from app.core.crypto import MasterKey
from app.core.database_roles import DatabaseRole
from app.core.embedded import EmbeddedPostgres, binaries
from app.core.programs import Programs, ProgramsError, find_programs
from tests.cli.conftest import Command, Ended
from tests.conftest import Cluster
from tests.core.embedded.support import SYSTEM_POSTGRES
from tests.keeping.schema import described

IDENTITY = x25519.Identity.generate()
TO_IT = ("--recipient", str(IDENTITY.to_public()))
MASTER_KEY = "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef"
ADDRESSES = {
    "DATABASE_URL": DatabaseRole.API,
    "INTERDESK_WORKER_DATABASE_URL": DatabaseRole.WORKER,
    "INTERDESK_OWNER_DATABASE_URL": DatabaseRole.OWNER,
    "INTERDESK_BACKUP_DATABASE_URL": DatabaseRole.BACKUP,
}


@dataclass(frozen=True)
class Desk:
    """An operator's folder, the database the settings name, and what opens backups."""

    run: Command
    cluster: Cluster
    folder: Path
    patch: pytest.MonkeyPatch
    identities: Path

    def use(self, database: str) -> None:
        """Work on a managed database."""
        for name, role in ADDRESSES.items():
            self.patch.setenv(name, self.cluster.conninfo(role, database))

    def use_embedded(self, folder: str) -> None:
        """Work on an embedded installation."""
        for name in (*ADDRESSES, "INTERDESK_MASTER_KEY"):
            self.patch.delenv(name, raising=False)
        self.patch.setenv("INTERDESK_DATA", folder)

    def restore(self, file: Path, *options: str) -> Ended:
        return self.run("restore", str(file), "--identity-file", str(self.identities), *options)

    def left(self) -> set[str]:
        """What lies in the folder."""
        return {path.name for path in self.folder.iterdir()}


@pytest.fixture
def desk(managed: Command, cluster: Cluster, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A managed hub with an agency and a credential, its audit sealed."""
    monkeypatch.setenv("INTERDESK_MASTER_KEY", MASTER_KEY)
    identities = tmp_path / "identities.txt"
    identities.write_text(f"# public key: {IDENTITY.to_public()}\n{IDENTITY}\n")
    identities.chmod(0o600)
    made = Desk(managed, cluster, tmp_path, monkeypatch, identities)
    made.use(database)
    managed("agency", "add", "KR-KNPA", "--name", "Agency", "--kind", "national_police", "--country", "KR")
    managed("credential", "issue", "KR-KNPA", "--label", "case system", "--role", "analyst")

    async def run() -> None:
        conninfo = cluster.conninfo(DatabaseRole.WORKER, database)
        async with await psycopg.AsyncConnection[Any].connect(conninfo, autocommit=True) as connection:
            await connection.execute("SELECT sequence_events()")
            await seal(connection, MasterKey.from_text(MASTER_KEY), at_once=True)

    asyncio.run(run())
    return made


@pytest.fixture
def empty(cluster: Cluster) -> Iterator[str]:
    """An empty database in which the roles are made."""
    name = f"test_restored_{secrets.token_hex(4)}"
    cluster.clone("template1", name)
    yield name
    cluster.drop(name)


@pytest.fixture
def file(desk: Desk) -> Path:
    """A backup of the hub."""
    path = desk.folder / "hub.backup"
    ended = desk.run("backup", str(path), *TO_IT)
    assert ended.code == 0, ended.err
    return path


def test_a_backup_is_one_private_file_that_says_what_it_holds(desk: Desk, database: str) -> None:
    path = desk.folder / "hub.backup"
    os.umask(os.umask(0) & ~0o077)
    told = desk.run("backup", str(path), *TO_IT, "--json").json

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes().startswith(b"age-encryption.org/v1\n-> X25519 ")
    assert told["bytes"] == path.stat().st_size
    assert told["checkpoint_size"] == 16
    assert told["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert set(told) == {
        "file", "bytes", "sha256", "made_at", "version", "postgresql", "schema", "records", "persons", "attachments",
        "rows", "feed_position", "checkpoint_size", "checkpoint_root",
    }  # fmt: skip
    with psycopg.connect(desk.cluster.conninfo(DatabaseRole.BACKUP, database)) as connection:
        row = connection.execute("SELECT detail, purpose FROM audit_entries WHERE action = 'backup.create'").fetchone()
    assert row == (
        {"file": "hub.backup", "recipients": [TO_IT[1]], "passphrase": False},
        "interdesk backup",
    )


def test_nothing_is_overwritten_and_nothing_is_plain(desk: Desk, file: Path) -> None:
    before = file.read_bytes()

    again = desk.run("backup", str(file), *TO_IT)
    unlocked = desk.run("backup", "other.backup")

    assert (again.code, again.out, file.read_bytes()) == (1, "", before)
    assert "nothing is overwritten" in again.err
    assert (unlocked.code, unlocked.err.startswith("Nothing is written without encryption")) == (1, True)
    assert desk.left() == {"hub.backup", "identities.txt"}


def test_a_backup_that_breaks_off_leaves_no_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))
    try:
        full = desk.run("backup", "hub.backup", *TO_IT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert (full.code, full.err) == (1, "hub.backup cannot be written: File too large\n")

    folder = desk.folder / "programs"
    folder.mkdir()
    (folder / "pg_dump").write_text("#!/bin/sh\necho PGDMP and no more\necho 'the server went away' >&2\nexit 1\n")
    (folder / "pg_dump").chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setattr("app.keeping.making.find_programs", lambda _: Programs(folder, 18))
        failed = desk.run("backup", "hub.backup", *TO_IT)
    assert (failed.code, failed.err) == (1, "pg_dump failed: the server went away\n")

    # As a service manager ends it, in the middle.
    (folder / "pg_dump").write_text("#!/bin/sh\necho PGDMP\nkill -TERM $PPID\nexec sleep 60\n")
    with monkeypatch.context() as patch:
        patch.setattr("app.keeping.making.find_programs", lambda _: Programs(folder, 18))
        assert desk.run("backup", "hub.backup", *TO_IT).code == 128 + signal.SIGTERM
    assert desk.left() == {"identities.txt", "programs"}


def test_a_role_that_sees_nothing_makes_no_backup(desk: Desk, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERDESK_BACKUP_DATABASE_URL", desk.cluster.conninfo(DatabaseRole.API, database))

    ended = desk.run("backup", "hub.backup", *TO_IT)

    assert ended.code == 1
    assert "interdesk_api does not see past row-level security" in ended.err


def test_a_managed_hub_comes_back_as_a_migration_would_have_made_it(
    desk: Desk, file: Path, empty: str, template: str
) -> None:
    key = desk.folder / "restored.key"
    desk.use(empty)
    desk.patch.delenv("INTERDESK_MASTER_KEY")
    desk.patch.setenv("INTERDESK_MASTER_KEY_FILE", str(key))

    told = desk.restore(file, "--json").json

    fresh = described(desk.cluster.conninfo(DatabaseRole.OWNER, template))
    there = described(desk.cluster.conninfo(DatabaseRole.OWNER, empty))
    for part, lines in fresh.items():
        assert there[part] == lines, part
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert MasterKey.from_text(key.read_text()).text() == MasterKey.from_text(MASTER_KEY).text()
    assert told["checkpoint_size"] == 16
    assert desk.run("db", "status", "--json").json["up_to_date"]
    assert desk.run("audit", "verify", "--json").json["holds"]
    assert [agency["code"] for agency in desk.run("agency", "list", "--json").json] == ["KR-KNPA", "HUB"]
    assert "backup.restore" in str(_actions(desk, empty))

    again = desk.restore(file)
    assert (again.code, "is not empty" in again.err) == (1, True)


def _actions(desk: Desk, database: str) -> list[Any]:
    with psycopg.connect(desk.cluster.conninfo(DatabaseRole.BACKUP, database)) as connection:
        return connection.execute("SELECT action, detail FROM audit_entries").fetchall()


def test_a_managed_database_must_be_ready_for_it(desk: Desk, file: Path, empty: str, database: str) -> None:
    desk.use(empty)
    desk.patch.setenv("INTERDESK_MASTER_KEY", secrets.token_hex(32))
    other = desk.restore(file)
    desk.patch.delenv("INTERDESK_MASTER_KEY")
    nowhere = desk.restore(file)
    desk.use(database)
    used = desk.restore(file)
    desk.cluster.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(empty)))
    desk.cluster.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(empty)))
    desk.use(empty)
    bare = desk.restore(file)

    assert {ended.code for ended in (other, nowhere, used, bare)} == {1}
    assert "it is not the backup's" in other.err
    assert "Set INTERDESK_MASTER_KEY_FILE to a file that is not there yet" in nowhere.err
    assert "is not empty" in used.err
    assert f"interdesk db roles --database {empty} | psql" in bare.err


@pytest.mark.skipif(not SYSTEM_POSTGRES, reason="the system has no PostgreSQL of another version")
def test_hubs_move_between_versions_of_the_server(desk: Desk, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(binaries, "wheel_folder", lambda: None)
        earlier = EmbeddedPostgres.start(desk.folder / "earlier")
    with earlier:
        other = Cluster(earlier)
        for name in ("there", "back"):
            other.clone("template1", name)
        there, back = replace(desk, cluster=other), replace(desk, cluster=other)
        there.use("there")
        assert there.restore(file).code == 0
        again = desk.folder / "again.backup"
        told = there.run("backup", str(again), *TO_IT, "--json").json
        back.use("back")
        assert back.restore(again).code == 0
        assert back.run("audit", "verify", "--json").json["holds"]
        desk.use_embedded("./restored")
        assert desk.restore(again).code == 0
    assert told["checkpoint_size"] == 16


def test_a_restore_that_fails_leaves_an_empty_database(
    desk: Desk, file: Path, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = desk.folder / "restored.key"
    desk.use(empty)
    desk.patch.delenv("INTERDESK_MASTER_KEY")
    desk.patch.setenv("INTERDESK_MASTER_KEY_FILE", str(key))
    check = "DO $check$ BEGIN RAISE EXCEPTION 'the table public.records does not hold what was backed up'; END $check$;"
    with monkeypatch.context() as patch:
        patch.setattr("app.keeping.filling.checking_script", lambda _: check)
        failed = desk.restore(file)

    assert failed.code == 1
    assert "the table public.records does not hold what was backed up" in failed.err
    assert not key.exists()
    assert desk.restore(file).code == 0


def test_an_embedded_hub_comes_back_or_not_at_all(desk: Desk, file: Path) -> None:
    desk.use_embedded("./restored")
    whole = file.read_bytes()
    for content in (whole[:-1], whole[: len(whole) // 2], whole[:9000] + b"!" + whole[9001:]):
        file.write_bytes(content)
        refused = desk.restore(file)
        assert (refused.code, refused.out) == (1, "")
        assert "it was cut or altered" in refused.err
        assert desk.left() == {"hub.backup", "identities.txt"}
    file.write_bytes(whole)

    assert desk.restore(file).code == 0
    assert {path.name for path in (desk.folder / "restored").iterdir()} == {"master.key", "postgres", "postgres.roles"}
    assert stat.S_IMODE((desk.folder / "restored" / "master.key").stat().st_mode) == 0o600
    assert desk.run("audit", "verify", "--json").json["holds"]
    again = desk.restore(file)
    assert (again.code, "restored/postgres is there already" in again.err) == (1, True)
    (desk.folder / "key alone").mkdir()
    (desk.folder / "key alone" / "master.key").touch()
    desk.use_embedded("./key alone")
    assert "master.key is there already" in desk.restore(file).err


def test_the_key_goes_where_the_settings_say_or_nothing_stays(desk: Desk, file: Path) -> None:
    desk.use_embedded("./restored")
    desk.patch.setenv("INTERDESK_MASTER_KEY_FILE", "no folder/master.key")
    failed = desk.restore(file)
    assert (failed.code, "cannot be written" in failed.err) == (3, True)
    assert desk.left() == {"hub.backup", "identities.txt"}

    desk.patch.setenv("INTERDESK_MASTER_KEY_FILE", "given.key")
    assert desk.restore(file).code == 0
    assert desk.left() == {"hub.backup", "identities.txt", "given.key", "restored"}
    assert not (desk.folder / "restored" / "master.key").exists()


def test_a_drill_finds_everything_well_and_leaves_nothing(desk: Desk, file: Path, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    desk.patch.setattr("tempfile.tempdir", str(scratch))

    report = desk.restore(file, "--drill", "--json").json

    assert report["holds"]
    assert [check["check"] for check in report["checks"]] == [
        "content", "persons", "master key", "audit", "proof", "feed", "writing",
    ]  # fmt: skip
    assert all(check["holds"] for check in report["checks"])
    assert list(scratch.iterdir()) == []


def test_a_drill_says_what_does_not_hold(desk: Desk, database: str) -> None:
    with psycopg.connect(desk.cluster.conninfo(DatabaseRole.OWNER, database)) as connection:
        connection.execute("ALTER TABLE audit_entries NO FORCE ROW LEVEL SECURITY")
        connection.execute("UPDATE audit_entries SET officer = 'nobody' WHERE action = 'agency.create'")
        connection.execute("ALTER TABLE audit_entries FORCE ROW LEVEL SECURITY")
    path = desk.folder / "hub.backup"
    desk.run("backup", str(path), *TO_IT)

    ended = desk.restore(path, "--drill", "--json")

    report = json.loads(ended.out)
    assert (ended.code, report["holds"]) == (1, False)
    assert {check["check"]: check["holds"] for check in report["checks"]}["audit"] is False


def test_a_passphrase_comes_from_the_environment_or_a_private_file(desk: Desk) -> None:
    secret = "four words of nobody's poem"
    file = desk.folder / "words"
    file.write_text(f"{secret}\n")
    file.chmod(0o644)
    open_to_all = desk.run("backup", "hub.backup", "--passphrase-file", str(file))
    file.chmod(0o600)
    desk.patch.setenv("INTERDESK_BACKUP_PASSPHRASE", secret)
    made = desk.run("backup", "hub.backup")
    desk.patch.setenv("INTERDESK_BACKUP_PASSPHRASE", "another one of the same length")
    wrong = desk.run("restore", "hub.backup", "--drill")
    right = desk.run("restore", "hub.backup", "--drill", "--passphrase-file", str(file), "--json")

    assert (open_to_all.code, "can be read or changed by others" in open_to_all.err) == (1, True)
    assert made.code == 0
    assert (wrong.code, "not opened by this key or passphrase" in wrong.err) == (1, True)
    assert right.json["holds"]
    for ended in (open_to_all, made, wrong, right):
        assert secret not in ended.out + ended.err


def test_older_programs_than_the_server_are_refused() -> None:
    with pytest.raises(ProgramsError, match="The server is PostgreSQL 99, and its dump needs programs"):
        find_programs(99)


def test_a_password_stands_in_no_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    started: dict[str, Any] = {}

    class Popen:
        stdin = stdout = None

        def __init__(self, command: list[Any], **options: Any) -> None:
            started.update(command=command, environment=options["env"])

        def kill(self) -> None: ...

        def wait(self) -> int:
            return 0

    monkeypatch.setenv("INTERDESK_BACKUP_PASSPHRASE", "not for programs")
    monkeypatch.setattr(programs.subprocess, "Popen", Popen)
    conninfo = make_conninfo(host="db.test", user="interdesk_backup", password="hidden words", dbname="hub")
    with Programs(Path("/none"), 18).running("pg_dump", "--format=custom", conninfo=conninfo):
        pass

    assert "hidden words" not in str(started["command"])
    assert started["environment"]["PGPASSWORD"] == "hidden words"
    assert "not for programs" not in str(started)
    address = started["command"][1].removeprefix("--dbname=")
    assert conninfo_to_dict(address) == {"host": "db.test", "user": "interdesk_backup", "dbname": "hub"}
