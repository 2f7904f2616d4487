"""What the doctor finds, and what it says to do."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

import pytest

from app.core.database_roles import DatabaseRole
from tests.cli.conftest import Command
from tests.conftest import Cluster


def found(managed: Command, check: str, code: int = 3) -> dict[str, Any]:
    ended = managed("doctor", "--json")
    assert ended.code == code, ended.err
    return next(finding for finding in json.loads(ended.out) if finding["check"] == check)


def test_a_good_set_up_has_no_problem(managed: Command) -> None:
    findings = managed("doctor", "--json").json

    assert {finding["level"] for finding in findings} == {"ok"}
    assert managed("doctor").code == 0


def test_a_missing_master_key_is_a_problem(managed: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INTERDESK_MASTER_KEY")

    assert "there is no master key" in found(managed, "master key")["detail"]


def test_another_master_key_is_a_problem(managed: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    managed("keys", "list")
    monkeypatch.setenv("INTERDESK_MASTER_KEY", secrets.token_hex(32))

    assert "does not open" in found(managed, "master key")["detail"]


def test_a_schema_behind_is_a_problem(managed: Command, cluster: Cluster, database: str) -> None:
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


def test_settings_that_others_can_read_are_a_warning(managed: Command, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("INTERDESK_LOG_LEVEL=info\n", encoding="utf-8")
    (tmp_path / ".env").chmod(0o644)

    assert found(managed, ".env", code=0)["level"] == "warning"
