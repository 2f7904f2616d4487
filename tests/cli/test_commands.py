"""What every command has in common: exit codes, where things are written, and how quickly help is there."""

import subprocess
import sys

import pytest

from app import settings
from tests.cli.conftest import Command
from tests.conftest import Cluster

HEAVY = ("fastapi", "sqlalchemy", "psycopg", "cryptography", "uvicorn", "pydantic_settings")


def test_help_lists_every_command_and_the_exit_codes(bare: Command) -> None:
    shown = bare("--help")

    assert shown.code == 0
    for word in ("serve", "worker", "demo", "db", "doctor", "agency", "credential", "keys", "import", "openapi"):
        assert f" {word} " in shown.out
    assert "Exit codes: 0 done; 1 refused" in " ".join(shown.out.split())


def test_help_loads_nothing_heavy() -> None:
    code = f"import sys, app.cli; print([name for name in {HEAVY!r} if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own

    assert shown.stdout.strip() == "[]"


def test_wrong_usage_ends_with_2(bare: Command) -> None:
    assert bare("db", "downgrade").code == 2
    assert bare("import").code == 2


def test_a_wrong_setting_is_named_and_its_value_not_quoted(bare: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERDESK_TRUSTED_PROXIES", "a-secret-by-mistake")

    ended = bare("db", "status")

    assert (ended.code, ended.out) == (3, "")
    assert "INTERDESK_TRUSTED_PROXIES" in ended.err
    assert "a-secret-by-mistake" not in ended.err


def test_an_address_that_is_none_is_refused_without_quoting_it(bare: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql:a-password")

    ended = bare("db", "status")

    assert ended.code == 3
    assert "DATABASE_URL is not a PostgreSQL address" in ended.err
    assert "a-password" not in ended.err


def test_a_database_that_does_not_answer_is_told_at_once(bare: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "host=/nonexistent user=interdesk_api")
    monkeypatch.setenv("INTERDESK_WORKER_DATABASE_URL", "host=/nonexistent user=interdesk_worker")

    ended = bare("keys", "list")

    assert (ended.code, ended.out) == (3, "")
    assert "The database cannot be used" in ended.err


def test_an_empty_database_is_told_to_be_upgraded(
    managed: Command, cluster: Cluster, database: str, template: str
) -> None:
    assert template
    cluster.drop(database)
    cluster.clone("interdesk", database)

    assert managed("keys", "list").err.endswith("Run: interdesk db upgrade\n")
    status = managed("db", "status", "--json")
    assert (status.code, '"up_to_date": false' in status.out) == (3, True)
    assert managed("db", "upgrade", "--json").json["changed"] is True
    assert managed("db", "upgrade", "--json").json["changed"] is False
    assert managed("db", "status", "--json").json["up_to_date"] is True


def test_the_roles_script_is_printed_for_any_database(bare: Command) -> None:
    assert 'ON DATABASE "archive"' in bare("db", "roles", "--database", "archive").out
    assert bare("db", "roles", "--json").json["database"] == "interdesk"


def test_the_version_is_printed(bare: Command) -> None:
    assert bare("--version").out.startswith("interdesk ")


def test_the_example_names_every_setting(pytestconfig: pytest.Config) -> None:
    example = (pytestconfig.rootpath / ".env.example").read_text(encoding="utf-8")

    for name in settings.Settings.model_fields:
        variable = "DATABASE_URL" if name == "database_url" else f"INTERDESK_{name.upper()}"
        assert f"#{variable}=" in example
