"""Attachments and the operator's commands: compared, backed up apart from their keys, restored, examined."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyrage import x25519

from app.core.database_roles import DatabaseRole
from app.demo.attaching import ATTACHED
from tests.cli.conftest import Command
from tests.conftest import Cluster

IDENTITY = x25519.Identity.generate()
TO_IT = ("--recipient", str(IDENTITY.to_public()))
ROLES = {
    "DATABASE_URL": DatabaseRole.API,
    "INTERDESK_WORKER_DATABASE_URL": DatabaseRole.WORKER,
    "INTERDESK_OWNER_DATABASE_URL": DatabaseRole.OWNER,
    "INTERDESK_BACKUP_DATABASE_URL": DatabaseRole.BACKUP,
}
COUNT = len(ATTACHED)


@pytest.fixture
def told(managed: Command, cluster: Cluster, database: str, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The story with its files, and what opens backups."""
    monkeypatch.setenv("INTERDESK_BACKUP_DATABASE_URL", cluster.conninfo(DatabaseRole.BACKUP, database))
    managed("demo")
    Path("identities.txt").write_text(f"{IDENTITY}\n")
    Path("identities.txt").chmod(0o600)
    return managed


@pytest.fixture
def into_another(cluster: Cluster, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Lets the commands work on an empty database in which the roles are made."""
    name = f"{database}_restored"

    def use() -> None:
        cluster.clone("template1", name)
        for setting, role in ROLES.items():
            monkeypatch.setenv(setting, cluster.conninfo(role, name))

    yield use
    cluster.drop(name)


def files() -> list[Path]:
    return [path for path in Path("var/attachments").rglob("*") if path.is_file()]


def test_the_store_is_compared(told: Command) -> None:
    found = told("attachments", "verify", "--contents", "--json").json
    assert (found["holds"], found["whole"]) == (True, COUNT)

    first, *_ = files()
    first.unlink()
    ended = told("attachments", "verify")
    assert ended.code == 1
    assert first.name in ended.out
    assert "copy of the store" in ended.err
    assert not any(file.filename in ended.out + ended.err for file in ATTACHED)


def test_a_restore_takes_the_backup_the_keys_and_the_store(told: Command, into_another: Callable[[], None]) -> None:
    made = told("backup", "hub.backup", *TO_IT, "--person-keys", "hub.keys", "--json")
    assert made.json["attachments"] == COUNT
    assert "copy the store as well" in made.err
    shutil.copytree("var/attachments", "copy")
    into_another()
    shutil.rmtree("var/attachments")

    restored = told("restore", "hub.backup", "--identity-file", "identities.txt", "--person-keys", "hub.keys", "--json")

    assert restored.json["attachments"] == COUNT
    found = told("attachments", "verify", "--json")
    assert found.code == 0 or '"missing"' in found.out
    assert len(json.loads(found.out)["missing"]) == COUNT
    shutil.copytree("copy", "var/attachments")
    assert told("attachments", "verify", "--contents", "--json").json["whole"] == COUNT


def test_without_the_file_of_keys_nothing_of_a_copy_opens(told: Command, into_another: Callable[[], None]) -> None:
    made = told("backup", "hub.backup", *TO_IT, "--json")
    assert "--person-keys" in made.err
    into_another()
    assert told("restore", "hub.backup", "--identity-file", "identities.txt", "--json").code == 0
    ended = told("attachments", "verify", "--json")
    assert ended.code == 1
    assert len(json.loads(ended.out)["keyless"]) == COUNT


def test_the_doctor_looks_at_the_store(told: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def found() -> tuple[str, str]:
        findings = json.loads(told("doctor", "--json").out)
        one = next(finding for finding in findings if finding["check"] == "attachments")
        return one["level"], one["detail"]

    assert found()[0] == "ok"
    Path("var/attachments").chmod(0o755)
    assert found()[0] == "problem"
    Path("var/attachments").chmod(0o700)
    monkeypatch.setenv("INTERDESK_ATTACHMENT_STORE", "ftp://bucket")
    assert found() == ("problem", "INTERDESK_ATTACHMENT_STORE must be `disk` or `s3://bucket/prefix`.")
    ended = told("attachments", "verify")
    assert (ended.code, "must be `disk`" in ended.err) == (3, True)
