"""Where the database is, with which roles, and what happens to the master key."""

import secrets
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from app.core.crypto import MasterKeyError
from app.core.database_roles import DatabaseRole
from app.core.embedded import EmbeddedPostgres
from app.installation import Installation, InstallationError, open_installation, require_plain_role
from app.settings import Settings
from tests.conftest import Cluster


def settings_for(cluster: Cluster, database: str, data: Path, **fields: Any) -> Settings:
    return Settings(
        _env_file=None,
        data=data,
        database_url=SecretStr(cluster.conninfo(DatabaseRole.API, database)),
        owner_database_url=SecretStr(cluster.conninfo(DatabaseRole.OWNER, database)),
        **fields,
    )


@pytest.fixture
def managed(cluster: Cluster, database: str, tmp_path: Path) -> Installation:
    return Installation(settings_for(cluster, database, tmp_path), None)


class OneDatabase(EmbeddedPostgres):
    """The embedded server under test, as if it had this database alone."""

    def __init__(self, cluster: Cluster, database: str) -> None:
        self._cluster = cluster
        self._database = database

    def conninfo(self, role: DatabaseRole, database: str = "") -> str:
        return self._cluster.conninfo(role, database or self._database)


@pytest.fixture
def embedded(cluster: Cluster, database: str, tmp_path: Path) -> Installation:
    return Installation(Settings(_env_file=None, data=tmp_path), OneDatabase(cluster, database))


def test_a_managed_database_needs_a_master_key(managed: Installation) -> None:
    with pytest.raises(InstallationError, match="there is no master key"):
        managed.master_key()


def test_a_master_key_comes_from_one_place(cluster: Cluster, database: str, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(secrets.token_hex(32), "ascii")
    file.chmod(0o600)
    key = SecretStr(secrets.token_hex(32))

    for fields in ({"master_key": key}, {"master_key_file": file}):
        Installation(settings_for(cluster, database, tmp_path, **fields), None).master_key()
    with pytest.raises(InstallationError, match="both set"):
        Installation(settings_for(cluster, database, tmp_path, master_key=key, master_key_file=file), None).master_key()
    file.chmod(0o644)
    with pytest.raises(MasterKeyError, match="chmod 600"):
        Installation(settings_for(cluster, database, tmp_path, master_key_file=file), None).master_key()


def test_beside_an_embedded_database_a_master_key_is_made_and_kept(embedded: Installation, tmp_path: Path) -> None:
    made = embedded.master_key()

    file = tmp_path / "master.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert embedded.master_key().derive(b"test") == made.derive(b"test")


def test_a_lost_master_key_is_not_replaced(embedded: Installation, tmp_path: Path) -> None:
    embedded.master_key()
    with psycopg.connect(embedded.conninfo(DatabaseRole.API)) as connection:
        connection.execute("SELECT found_signing_key('kid', '{}', 'sealed', now())")
    (tmp_path / "master.key").unlink()

    with pytest.raises(InstallationError, match="is gone"):
        embedded.master_key()
    assert not (tmp_path / "master.key").exists()


def test_a_role_without_an_address_is_named(managed: Installation) -> None:
    with pytest.raises(InstallationError, match="INTERDESK_WORKER_DATABASE_URL is not set"):
        managed.conninfo(DatabaseRole.WORKER)


def test_an_address_may_name_the_driver(cluster: Cluster, database: str, tmp_path: Path) -> None:
    settings = settings_for(cluster, database, tmp_path).model_copy(
        update={"database_url": SecretStr("postgresql+psycopg://interdesk_api@db.example/hub")}
    )

    parts = psycopg.conninfo.conninfo_to_dict(Installation(settings, None).conninfo(DatabaseRole.API))
    assert (parts["host"], parts["dbname"], parts["user"]) == ("db.example", "hub", "interdesk_api")


def test_a_managed_database_is_not_upgraded_by_the_server(
    managed: Installation, cluster: Cluster, database: str
) -> None:
    managed.prepare()
    cluster.drop(database)
    cluster.clone("interdesk", database)

    with pytest.raises(InstallationError, match="Run: interdesk db upgrade"):
        managed.prepare()
    before, after = managed.upgrade()
    assert (before.current, after.up_to_date) == (None, True)
    managed.prepare()


@pytest.mark.parametrize(
    ("role", "clause"),
    [
        (DatabaseRole.OWNER, "is or can become interdesk_owner or interdesk_engine and owns tables"),
        (DatabaseRole.BACKUP, "bypasses row-level security"),
    ],
)
def test_a_server_refuses_a_role_above_the_policies(
    cluster: Cluster, database: str, role: DatabaseRole, clause: str
) -> None:
    with pytest.raises(InstallationError, match=clause):
        require_plain_role(cluster.conninfo(role, database), "DATABASE_URL")


@pytest.mark.parametrize("role", [DatabaseRole.API, DatabaseRole.WORKER])
def test_a_server_takes_the_roles_made_for_it(cluster: Cluster, database: str, role: DatabaseRole) -> None:
    require_plain_role(cluster.conninfo(role, database), "DATABASE_URL")


def test_the_settings_decide_where_the_database_is(
    cluster: Cluster, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Path] = []

    def start(data: Path) -> object:
        started.append(data)
        return cluster.postgres

    monkeypatch.setattr("app.installation.EmbeddedPostgres.start", start)
    monkeypatch.setattr("app.installation.EmbeddedPostgres.release", lambda _self: None)

    with open_installation(settings_for(cluster, database, tmp_path)) as found:
        assert found.postgres is None
    with open_installation(Settings(_env_file=None, data=tmp_path)) as found:
        assert found.postgres is cluster.postgres
    assert started == [tmp_path]
