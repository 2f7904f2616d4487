"""Signing keys at the command line."""

import secrets

import psycopg
import pytest

from app.cli import host
from app.core.database_roles import DatabaseRole
from tests.cli.conftest import Command
from tests.conftest import Cluster


def test_keys_are_listed_and_rotated(managed: Command) -> None:
    (first,) = managed("keys", "list", "--json").json
    second = managed("keys", "rotate", "--json").json
    listed = managed("keys", "list", "--json").json

    assert (first["state"], first["retires_at"]) == ("signs", None)
    assert [key["kid"] for key in listed] == [second["kid"], first["kid"]]
    assert listed[1]["retires_at"] is not None


def test_a_compromised_key_is_gone_at_once(managed: Command) -> None:
    (first,) = managed("keys", "list", "--json").json

    made = managed("keys", "rotate", "--compromised", "--json")

    assert [key["kid"] for key in managed("keys", "list", "--json").json] == [made.json["kid"]]
    assert first["kid"] != made.json["kid"]


def test_the_audit_names_who_rotated(
    managed: Command, cluster: Cluster, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "operator_name", lambda: "root (alex)")

    managed("keys", "rotate", "--json")

    with psycopg.connect(cluster.conninfo(DatabaseRole.BACKUP, database)) as connection:
        entries = connection.execute(
            "SELECT agency, client_id, officer, purpose FROM audit_entries WHERE action = 'signing_key.rotate'"
        ).fetchall()
    assert entries == [("HUB", "operator", "root (alex)", "interdesk keys rotate")]


def test_another_master_key_opens_nothing(managed: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    managed("keys", "list")
    monkeypatch.setenv("INTERDESK_MASTER_KEY", secrets.token_hex(32))

    ended = managed("keys", "list")

    assert (ended.code, ended.out) == (3, "")
    assert "does not open with this master key" in ended.err
