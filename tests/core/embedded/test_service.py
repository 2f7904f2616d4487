"""Who signs in as what, with which settings, and which databases there are."""

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from app.core.database_roles import DatabaseRole
from app.core.embedded import EmbeddedPostgres
from tests.core.embedded.support import ask


@pytest.mark.parametrize("role", DatabaseRole)
def test_each_role_signs_in(shared: EmbeddedPostgres, role: DatabaseRole) -> None:
    assert ask(shared, "SELECT current_user", role) == role.value


@pytest.mark.parametrize("name", ["postgres", "interdesk_engine", "root", "nobody"])
def test_nobody_signs_in_as_anything_else(shared: EmbeddedPostgres, name: str) -> None:
    conninfo = make_conninfo(shared.conninfo(DatabaseRole.OWNER), user=name)
    with pytest.raises(psycopg.OperationalError, match="Peer authentication failed"):
        psycopg.connect(conninfo)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("listen_addresses", ""),
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("max_connections", "100"),
        ("jit", "off"),
        ("TimeZone", "UTC"),
        ("server_encoding", "UTF8"),
        ("lc_ctype", "C.UTF-8"),
    ],
)
def test_settings(shared: EmbeddedPostgres, setting: str, value: str) -> None:
    sql = f"SELECT coalesce((SELECT setting FROM pg_settings WHERE name = '{setting}'), datctype) FROM pg_database"  # noqa: S608
    assert ask(shared, f"{sql} WHERE datname = current_database()") == value


def test_data_is_checked_for_decay_and_sorted_by_a_locale_of_its_own(shared: EmbeddedPostgres) -> None:
    assert ask(shared, "SHOW data_checksums") == "on"
    assert ask(shared, "SELECT datlocprovider FROM pg_database WHERE datname = current_database()") == "b"


def test_owner_makes_databases_that_are_as_complete_as_the_first(shared: EmbeddedPostgres) -> None:
    with psycopg.connect(shared.conninfo(DatabaseRole.OWNER, "postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE cloned")
    with psycopg.connect(shared.conninfo(DatabaseRole.OWNER, "cloned")) as connection:
        assert connection.execute("SELECT show_trgm('김민준') <> '{}', unaccent('Ngô')").fetchone() == (True, "Ngo")
        connection.execute("CREATE TABLE thing (id int)")
        connection.execute("SET ROLE interdesk_engine")
        connection.execute("CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'")


def test_only_the_owner_reaches_the_maintenance_databases(shared: EmbeddedPostgres) -> None:
    for database in ("postgres", "template1"):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(shared.conninfo(DatabaseRole.API, database))
