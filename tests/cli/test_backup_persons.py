"""Persons and backups: a purge destroys the key, and then no backup opens what it holds of the person."""

import asyncio
import secrets
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from pyrage import x25519

from app.core.crypto import MasterKey
from app.core.data_keys import DataKeyError, Kek, WrappedKey
from app.core.database_roles import DatabaseRole
from app.core.programs import find_programs
from app.keeping.envelope import Key
from app.keeping.person_keys import PersonKeyFile, read_person_keys
from app.persons.sealing import PersonKeys, Place
from tests.cli.conftest import Command
from tests.conftest import Cluster, Hub
from tests.persons.people import ROLES, enter, read, record_of, served
from tests.records.retaining import purge
from tests.routers.repatriating import SUSPECT, draft

IDENTITY = x25519.Identity.generate()
TO_IT = ("--recipient", str(IDENTITY.to_public()))
ADDRESSES = {
    "DATABASE_URL": DatabaseRole.API,
    "INTERDESK_WORKER_DATABASE_URL": DatabaseRole.WORKER,
    "INTERDESK_OWNER_DATABASE_URL": DatabaseRole.OWNER,
    "INTERDESK_BACKUP_DATABASE_URL": DatabaseRole.BACKUP,
}


@dataclass
class Post:
    """An operator with a hub that holds two persons, of a record that will be purged and of one that stays."""

    run: Command
    cluster: Cluster
    database: str
    folder: Path
    patch: pytest.MonkeyPatch
    captured: pytest.CaptureFixture[str]
    master_key: MasterKey
    gone: str = ""
    """Path of the person who will be purged."""
    stays: str = ""

    def use(self, database: str) -> None:
        for name, role in ADDRESSES.items():
            self.patch.setenv(name, self.cluster.conninfo(role, database))

    def backup(self, name: str, *options: str) -> dict[str, Any]:
        told: dict[str, Any] = self.run("backup", name, *TO_IT, *options, "--json").json
        return told

    def restore(self, name: str, *options: str) -> Any:
        return self.run("restore", name, "--identity-file", "identities.txt", *options, "--json")

    def on(self, database: str, act: Callable[[Hub], Any]) -> Any:
        """Let a hub serve a database while something is done."""

        async def work() -> Any:
            async with served(self.cluster, database, self.master_key) as hub:
                return await act(hub)

        found = asyncio.run(work())
        self.captured.readouterr()  # what the hub wrote is no command's
        return found

    def statuses(self, database: str) -> list[int]:
        """What is answered about the two persons, the one to be purged first."""

        async def look(hub: Hub) -> list[int]:
            korea = hub.caller("KR-KNPA", *ROLES)
            return [(await read(korea, path)).status_code for path in (self.gone, self.stays)]

        found: list[int] = self.on(database, look)
        return found

    def sealed(self, database: str, path: str) -> tuple[Place, int, bytes]:
        """A person as the tables hold it."""
        with psycopg.connect(self.cluster.conninfo(DatabaseRole.BACKUP, database)) as connection:
            row = connection.execute(
                "SELECT id, record_id, version, sealed FROM persons WHERE id = %s", (path.rpartition("/")[2],)
            ).fetchone()
        assert row is not None
        return Place(row[0], row[1]), row[2], row[3]


@pytest.fixture
def post(
    managed: Command,
    cluster: Cluster,
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Post:
    made = Post(managed, cluster, database, tmp_path, monkeypatch, capfd, MasterKey(secrets.token_bytes(32)))
    monkeypatch.setenv("INTERDESK_MASTER_KEY", made.master_key.text())
    (tmp_path / "identities.txt").write_text(f"{IDENTITY}\n")
    (tmp_path / "identities.txt").chmod(0o600)
    made.use(database)

    async def fill(hub: Hub) -> None:
        korea = hub.partner("KR-KNPA", *ROLES)
        for name in ("gone", "stays"):
            record = await record_of(korea)
            setattr(made, name, (await enter(korea, record, note=name)).headers["Location"])

    made.on(database, fill)
    return made


@pytest.fixture
def empty(cluster: Cluster) -> Iterator[Callable[[], str]]:
    """Makes empty databases in which the roles are made."""
    names: list[str] = []

    def make() -> str:
        names.append(f"test_restored_{secrets.token_hex(4)}")
        cluster.clone("template1", names[-1])
        return names[-1]

    yield make
    for name in names:
        cluster.drop(name)


def _purge(post: Post) -> None:
    record = post.gone.split("/")[3]

    async def act(hub: Hub) -> None:
        await purge(hub, record)

    post.on(post.database, act)


def _keys_at_hand(post: Post, database: str, file: PersonKeyFile) -> list[WrappedKey]:
    """Every wrapped key with every key-encryption key that a thief of everything could try."""
    with psycopg.connect(post.cluster.conninfo(DatabaseRole.BACKUP, database)) as connection:
        keks = [Kek(*row) for row in connection.execute("SELECT id, sealed FROM person_keks").fetchall()]
        wrapped = [row[0] for row in connection.execute("SELECT wrapped FROM person_keys").fetchall()]
    keks += [kek for kek, _ in file.keks]
    wrapped += [one for _, _, one in file.keys]
    return [WrappedKey(kek, one) for kek in keks for one in wrapped]


def test_after_a_purge_no_backup_opens_the_person(post: Post, empty: Callable[[], str]) -> None:
    post.backup("before.backup", "--person-keys", "hub.keys")
    shutil.copy("hub.keys", "kept-against-the-rule.keys")
    place, version, sealed = post.sealed(post.database, post.gone)

    _purge(post)
    assert post.statuses(post.database) == [404, 200]
    post.backup("after.backup", "--person-keys", "hub.keys")

    # A dump taken afterwards holds neither the ciphertext nor a key.
    programs = find_programs(15, newest=True)
    command = [programs.folder / "pg_dump", post.cluster.conninfo(DatabaseRole.BACKUP, post.database)]
    dump = subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603 - our own
    assert sealed.hex().encode() not in dump
    assert post.sealed(post.database, post.stays)[2].hex().encode() in dump
    assert dump.count(b"\\x") > 0

    # The backup from before holds the ciphertext, to the last bit, and whoever has everything there is cannot open it:
    # the backup with the master key in it, the present file of keys, the keys that the restored hub has.
    restored = empty()
    post.use(restored)
    told = post.restore("before.backup", "--person-keys", "hub.keys").json
    assert (told["persons"], told["persons_readable"]) == (2, 1)
    assert post.sealed(restored, post.gone) == (place, version, sealed)
    assert post.statuses(restored) == [404, 200]
    file = read_person_keys(Path("hub.keys"), Key(identities=[str(IDENTITY)]))
    tried = _keys_at_hand(post, restored, file)
    assert len(tried) > 1
    opener = PersonKeys(post.master_key)
    for key in tried:
        with pytest.raises(DataKeyError):
            opener.unwrap(place, key).open(sealed, version)
    assert UUID(post.gone.rpartition("/")[2]) not in file.wrapped()

    # It is the key that is missing and nothing else: with a file of keys that should not have been kept it opens.
    control = empty()
    post.use(control)
    told = post.restore("before.backup", "--person-keys", "kept-against-the-rule.keys").json
    assert (told["persons"], told["persons_readable"]) == (2, 2)
    assert post.statuses(control) == [200, 200]


def test_a_backup_alone_opens_no_person(post: Post, empty: Callable[[], str]) -> None:
    ended = post.run("backup", "hub.backup", *TO_IT)
    assert (ended.code, "2 persons without the keys" in ended.err) == (0, True)
    restored = empty()
    post.use(restored)
    ended = post.restore("hub.backup")
    assert (ended.json["persons"], ended.json["persons_readable"]) == (2, 0)
    assert "2 persons have no key" in ended.err
    with psycopg.connect(post.cluster.conninfo(DatabaseRole.BACKUP, restored)) as connection:
        for table in ("person_keys", "person_keks"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)  # noqa: S608 - stands above
    assert post.statuses(restored) == [404, 404]

    # It goes on all the same: the next person gets a key-encryption key of the restored hub's own.
    async def go_on(hub: Hub) -> None:
        korea = hub.caller("KR-KNPA", *ROLES)
        record = post.stays.rpartition("/persons")[0]
        entered = await enter(korea, record, note="after the restore")
        listed = (await read(korea, f"{record}/persons")).json()["items"]
        assert [person["id"] for person in listed] == [entered.json()["id"]]
        # Whose key is missing can be purged.
        await purge(hub, record.rpartition("/")[2])

    post.on(restored, go_on)


def test_marks_stand_in_no_backup_and_come_back_with_the_keys(post: Post, empty: Callable[[], str]) -> None:
    async def ask(hub: Hub) -> None:
        korea = hub.caller("KR-KNPA", *ROLES)
        hub.register("KH-CNP")
        for _ in range(2):
            await enter(korea, await draft(korea, **SUSPECT))

    post.on(post.database, ask)
    marks = _marks(post, post.database)
    assert (len(marks), len(set(marks))) == (8, 4)  # two persons, who are one
    post.backup("hub.backup", "--person-keys", "hub.keys")
    for options, expected in (((), []), (("--person-keys", "hub.keys"), marks)):
        restored = empty()
        post.use(restored)
        assert post.restore("hub.backup", *options).code == 0
        assert _marks(post, restored) == expected


def _marks(post: Post, database: str) -> list[bytes]:
    with psycopg.connect(post.cluster.conninfo(DatabaseRole.BACKUP, database)) as connection:
        rows = connection.execute("SELECT mark FROM person_marks ORDER BY person_id, mark").fetchall()
    return [mark for (mark,) in rows]


def test_the_drill_tries_every_persons_key(post: Post) -> None:
    post.backup("hub.backup", "--person-keys", "hub.keys")
    checks = {
        options: {check["check"]: check for check in post.restore("hub.backup", "--drill", *options).json["checks"]}
        for options in ((), ("--person-keys", "hub.keys"))
    }
    assert "2 persons, as ciphertext" in checks[()]["persons"]["detail"]
    assert "2 of 2 persons open" in checks["--person-keys", "hub.keys"]["persons"]["detail"]

    # The file of another moment: a person who is not in the backup does no harm, one whose key is another's does.
    with psycopg.connect(post.cluster.conninfo(DatabaseRole.OWNER, post.database)) as connection:
        connection.execute("SET ROLE interdesk_engine")
        connection.execute(
            "UPDATE person_keys SET wrapped = (SELECT wrapped FROM person_keys ORDER BY person_id LIMIT 1)"
        )
    post.backup("other.backup", "--person-keys", "hub.keys")
    failed = post.restore("hub.backup", "--drill", "--person-keys", "hub.keys")
    assert failed.code == 1
    assert "does not open with its key" in failed.out


def test_the_keys_are_private_replaced_and_never_taken_for_something_else(post: Post) -> None:
    post.backup("one.backup", "--person-keys", "hub.keys")
    first = Path("hub.keys").read_bytes()
    assert stat.S_IMODE(Path("hub.keys").stat().st_mode) == 0o600
    assert first.startswith(b"age-encryption.org/v1\n-> X25519 ")
    post.backup("two.backup", "--person-keys", "hub.keys")
    assert Path("hub.keys").read_bytes() != first
    assert {path.name for path in post.folder.iterdir()} == {"identities.txt", "hub.keys", "one.backup", "two.backup"}

    before = Path("one.backup").read_bytes()
    ended = post.run("backup", "three.backup", *TO_IT, "--person-keys", "one.backup")
    assert (ended.code, "ends in .keys" in ended.err) == (1, True)
    assert Path("one.backup").read_bytes() == before
    for taken in ("one.backup", "identities.txt"):
        ended = post.restore("two.backup", "--drill", "--person-keys", taken)
        assert ended.code == 1
        assert "Traceback" not in ended.err
    Path("hub.keys").write_bytes(first[:-20])
    ended = post.restore("two.backup", "--drill", "--person-keys", "hub.keys")
    assert (ended.code, "cut or altered" in ended.err) == (1, True)


def test_a_rotation_is_one_command(post: Post, database: str) -> None:
    told = post.run("keys", "rotate-persons", "--json").json
    assert (told["rewrapped"], told["resumed"]) == (2, False)
    assert post.statuses(database) == [200, 200]
    post.patch.setenv("INTERDESK_MASTER_KEY", secrets.token_hex(32))
    ended = post.run("keys", "rotate-persons")
    assert (ended.code, "does not open with this master key" in ended.err) == (3, True)
