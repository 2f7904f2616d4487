"""Agencies and credentials at the command line: the operator's power, audited and told to whom it concerns."""

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from app.cli import host
from app.core.database_roles import DatabaseRole
from app.identity.jwks import public_jwk
from tests.cli.conftest import Command
from tests.conftest import Cluster

KOREA = ("KR-KNPA", "--name", "Korean National Police Agency", "--kind", "national_police", "--country", "KR")


@pytest.fixture
def korea(managed: Command) -> Command:
    assert managed("agency", "add", *KOREA).code == 0
    return managed


@pytest.fixture
def look(cluster: Cluster, database: str) -> Any:
    def rows(statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(cluster.conninfo(DatabaseRole.BACKUP, database)) as connection:
            return connection.execute(statement.encode()).fetchall()

    return rows


def issue(command: Command, *options: str) -> dict[str, Any]:
    issued = command("credential", "issue", "KR-KNPA", "--label", "case system", *options, "--json")
    value: dict[str, Any] = issued.json
    return value


def test_an_agency_is_registered_once(managed: Command) -> None:
    added = managed("agency", "add", *KOREA, "--json").json
    again = managed("agency", "add", *KOREA, "--json")

    assert (added["code"], added["kind"], added["country"], added["status"]) == (
        "KR-KNPA",
        "national_police",
        "KR",
        "active",
    )
    assert (again.code, again.out) == (1, "")
    assert "is taken" in again.err


def test_every_field_can_be_given(managed: Command) -> None:
    options = ["--native-name", "경찰청", "--language", "ko", "--language", "en", "--time-zone", "Asia/Seoul"]
    contact = ["--phone", "+82 2 3150 0000", "--email", "duty@police.example"]

    added = managed("agency", "add", *KOREA, *options, *contact, "--json").json

    assert (added["native_name"], added["languages"], added["time_zone"]) == ("경찰청", ["ko", "en"], "Asia/Seoul")
    assert added["contact"] == {"phone": "+82231500000", "email": "duty@police.example"}


def test_what_is_wrong_is_pointed_at(managed: Command) -> None:
    ended = managed("agency", "add", "kr", "--name", "x", "--kind", "police")

    assert (ended.code, ended.out) == (1, "")
    assert "/code" in ended.err
    assert "/kind" in ended.err


def test_an_agency_is_suspended_and_reinstated(korea: Command) -> None:
    assert korea("agency", "suspend", "KR-KNPA", "--json").json["status"] == "suspended"
    assert [one["code"] for one in korea("agency", "list", "--status", "suspended", "--json").json] == ["KR-KNPA"]
    assert korea("agency", "suspend", "KR-KNPA").code == 1
    assert korea("credential", "issue", "KR-KNPA", "--label", "x", "--role", "analyst").err == (
        "The agency is suspended.\n"
    )
    assert korea("agency", "reinstate", "KR-KNPA", "--json").json["status"] == "active"
    assert korea("agency", "suspend", "XX-NONE").code == 1


def test_a_table_shows_the_agencies(korea: Command) -> None:
    shown = korea("agency", "list").out

    assert shown.splitlines()[0].split() == ["code", "name", "kind", "country", "status"]
    assert "Korean National Police Agency" in shown


def test_a_secret_is_shown_once_and_stored_as_a_hash(korea: Command, look: Any) -> None:
    issued = issue(korea, "--role", "analyst", "--role", "liaison_officer")
    listed = korea("credential", "list", "KR-KNPA", "--json")

    assert (issued["agency"], issued["roles"]) == ("KR-KNPA", ["analyst", "liaison_officer"])
    assert issued["client_secret"].startswith("ids_")
    assert [one["client_id"] for one in listed.json] == [issued["client_id"]]
    assert issued["client_secret"] not in listed.out
    assert look("SELECT octet_length(secret_hash) FROM credentials") == [(32,)]


def test_a_secret_is_rotated_and_a_credential_revoked(korea: Command) -> None:
    issued = issue(korea, "--role", "analyst")

    rotated = korea("credential", "rotate", issued["client_id"], "--grace-seconds", "0", "--json").json
    revoked = korea("credential", "revoke", issued["client_id"], "--json").json

    assert rotated["client_secret"] not in (None, issued["client_secret"])
    assert rotated["former_secret_until"] is None
    assert revoked["status"] == "revoked"
    assert korea("credential", "revoke", issued["client_id"]).code == 1
    assert korea("credential", "revoke", "idc_none").err == "There is no credential idc_none.\n"


def test_a_client_may_sign_in_with_keys(korea: Command, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"keys": [public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key())]}), "utf-8")

    issued = issue(korea, "--role", "connector", "--jwks", str(file), "--network", "192.0.2.0/24")

    assert (issued["auth_method"], issued["client_secret"]) == ("private_key_jwt", None)
    assert issued["allowed_networks"] == ["192.0.2.0/24"]
    file.write_text("{", "utf-8")
    assert korea("credential", "issue", "KR-KNPA", "--label", "x", "--role", "analyst", "--jwks", str(file)).code == 1


def test_the_hub_is_administered_by_platform_admins_alone(korea: Command) -> None:
    refused = korea("credential", "issue", "KR-KNPA", "--label", "x", "--role", "platform_admin")
    issued = korea("credential", "issue", "HUB", "--label", "hub", "--role", "platform_admin", "--json").json

    assert refused.code == 1
    assert issued["roles"] == ["platform_admin"]
    assert {one["agency"] for one in korea("credential", "list", "--json").json} == {"HUB"}


def test_what_the_operator_does_is_audited_and_told_to_the_agency(
    korea: Command, look: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "operator_name", lambda: "root (alex)")

    issued = issue(korea, "--role", "analyst")
    korea("credential", "revoke", issued["client_id"])

    entries = look("SELECT DISTINCT client_id FROM audit_entries")
    officers = look("SELECT DISTINCT officer, purpose FROM audit_entries WHERE action = 'credential.issue'")
    events = look("SELECT type, audience FROM events ORDER BY at")
    assert entries == [("operator",)]
    assert officers == [("root (alex)", "interdesk credential issue")]
    assert [(kind, audience) for kind, audience in events if kind.startswith("credential.")] == [
        ("credential.issued", ["KR-KNPA"]),
        ("credential.revoked", ["KR-KNPA"]),
    ]


def test_the_operator_is_who_the_system_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    plain = host.operator_name()
    monkeypatch.setenv("SUDO_USER", "alex")

    assert host.operator_name() == f"{plain} (alex)"
