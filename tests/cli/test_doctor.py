"""What the doctor finds, and what it says to do."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.core.database_roles import DatabaseRole
from tests.cli.conftest import Command
from tests.conftest import Cluster


def found(managed: Command, check: str) -> dict[str, Any]:
    ended = managed("doctor", "--json")
    assert ended.code == 3, ended.err
    return next(finding for finding in json.loads(ended.out) if finding["check"] == check)


def test_a_server_that_can_lose_answered_writes_is_the_one_problem_of_a_good_set_up(managed: Command) -> None:
    ended = managed("doctor", "--json")

    wrong = [finding for finding in json.loads(ended.out) if finding["level"] != "ok"]
    assert [(finding["check"], finding["level"]) for finding in wrong] == [("durability", "problem")]
    assert "fsync is off" in wrong[0]["detail"]  # as the tests' server has it
    assert ended.code == 3


def test_a_missing_master_key_is_a_problem(managed: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INTERDESK_MASTER_KEY")

    assert "there is no master key" in found(managed, "master key")["detail"]


def test_another_master_key_is_a_problem(managed: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    managed("keys", "list")
    monkeypatch.setenv("INTERDESK_MASTER_KEY", secrets.token_hex(32))

    assert "does not open" in found(managed, "master key")["detail"]


def test_a_schema_behind_is_a_problem(managed: Command, cluster: Cluster, database: str) -> None:
    cluster.drop(database)
    cluster.clone("interdesk", database)

    assert found(managed, "schema")["mend"] == "Run: interdesk db upgrade"


def test_a_server_with_the_owners_power_is_a_problem(managed: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", os.environ["INTERDESK_OWNER_DATABASE_URL"])

    finding = found(managed, f"role {DatabaseRole.API}")

    assert finding["level"] == "problem"
    assert "interdesk_owner is or can become interdesk_owner" in finding["detail"]


def test_a_public_address_without_tls_is_a_problem(managed: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERDESK_PUBLIC_URL", "http://hub.example")

    assert "https" in found(managed, "public address")["mend"]


def test_everything_wrong_is_said_at_once(managed: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://interdesk_api@127.0.0.1:1/interdesk")
    monkeypatch.setenv("INTERDESK_OWNER_DATABASE_URL", "nonsense")
    monkeypatch.delenv("INTERDESK_WORKER_DATABASE_URL")
    monkeypatch.setenv("INTERDESK_MASTER_KEY", "short")
    monkeypatch.setenv("INTERDESK_PUBLIC_URL", "http://hub.example")
    monkeypatch.setenv("INTERDESK_LOG_LEVEL", "loud")

    ended = managed("doctor", "--json")

    levels = {finding["check"]: finding["level"] for finding in json.loads(ended.out)}
    assert levels == {
        "settings": "ok",
        "public address": "problem",
        "log level": "problem",
        "role interdesk_api": "problem",
        "role interdesk_worker": "problem",
        "role interdesk_owner": "warning",
        "master key": "problem",
        "attachments": "ok",
    }
    assert (ended.code, "5 problems found" in ended.err) == (3, True)


def test_where_nothing_is_nothing_is_made(bare: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("INTERDESK_DATA", str(tmp_path / "mistyped"))
    monkeypatch.setenv("INTERDESK_MASTER_KEY_FILE", str(tmp_path / "no.key"))

    ended = bare("doctor", "--json")

    database, key = json.loads(ended.out)[-2:]
    assert (database["check"], database["level"]) == ("database", "warning")
    assert str(tmp_path / "mistyped") in database["detail"]
    assert (key["check"], key["level"], ended.code) == ("master key", "problem", 3)
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_does_not_start_hides_no_other_problem(
    bare: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "var" / "postgres").mkdir(parents=True)
    (tmp_path / "var" / "master.key").write_text("short", encoding="utf-8")
    monkeypatch.setenv("INTERDESK_DATA", "var")

    findings = json.loads(bare("doctor", "--json").out)

    assert [finding["check"] for finding in findings if finding["level"] == "problem"] == ["database", "master key"]


def test_a_person_whose_key_is_gone_is_told_of(managed: Command, cluster: Cluster, database: str) -> None:
    assert found(managed, "persons")["detail"] == "none entered"
    with psycopg.connect(cluster.conninfo(DatabaseRole.OWNER, database)) as engine:
        engine.execute(
            "ALTER TABLE persons DROP CONSTRAINT persons_record_id_fkey, DROP CONSTRAINT persons_agency_fkey"
        )
        engine.execute("ALTER TABLE persons DISABLE TRIGGER USER")
        engine.execute("SET ROLE interdesk_engine")
        row = "uuid7(), uuid7(), 'KR-KNPA', 1, '', now(), now()"
        engine.execute(f"INSERT INTO persons SELECT {row} FROM generate_series(1, 2)")  # noqa: S608 - a constant

    finding = found(managed, "persons")

    assert (finding["level"], finding["detail"]) == ("warning", "nobody can read 2 of 2: their keys are gone")


def test_settings_that_others_can_read_are_a_warning(managed: Command, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("INTERDESK_LOG_LEVEL=info\n", encoding="utf-8")
    (tmp_path / ".env").chmod(0o644)

    assert found(managed, ".env")["level"] == "warning"
