"""The roles' script: run twice, by a superuser and by a managed server's administrator, on old and recent servers."""

import getpass
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from app.core.database_roles import ENGINE, DatabaseRole, database_privileges, roles_script
from app.core.embedded import binaries, server
from app.core.embedded.cluster import SUPERUSER, configure, create_cluster
from app.core.embedded.layout import Layout
from app.core.embedded.locks import wait_for_lock

ADMINISTRATOR = "administrator"
STRANGER = "stranger"
SIGNING_IN = [SUPERUSER, ADMINISTRATOR, STRANGER, *(role.value for role in DatabaseRole)]

STATE = """
SELECT 'role', to_jsonb(r) - 'oid' FROM pg_roles r WHERE rolname LIKE 'interdesk%'
UNION ALL SELECT 'setting', to_jsonb(s) FROM pg_db_role_setting s
UNION ALL SELECT 'member', jsonb_build_array(roleid::regrole, member::regrole, grantor::regrole, admin_option)
    FROM pg_auth_members WHERE roleid::regrole::text LIKE 'interdesk%'
UNION ALL SELECT 'database', jsonb_build_array(datname, datdba::regrole, datacl::text) FROM pg_database
UNION ALL SELECT 'schema', jsonb_build_array(nspname, nspowner::regrole, nspacl::text) FROM pg_namespace
UNION ALL SELECT 'default', jsonb_build_array(defaclrole::regrole, defaclobjtype, defaclacl::text) FROM pg_default_acl
UNION ALL SELECT 'extension', jsonb_build_array(extname, extowner::regrole) FROM pg_extension
"""


@dataclass(frozen=True)
class Server:
    """A server like a managed one: a superuser nobody is given, and an administrator who is none."""

    folder: Path

    def connect(self, role: str, database: str = "interdesk") -> psycopg.Connection:
        conninfo = make_conninfo(host=str(self.folder), port=5432, user=role, dbname=database)
        return psycopg.connect(conninfo, autocommit=True)

    def create(self, database: str, options: LiteralString = "", owner: str = ADMINISTRATOR) -> None:
        with self.connect(SUPERUSER, "postgres") as connection:
            name = sql.Identifier(database)
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(name))
            statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 {}")
            connection.execute(statement.format(name, sql.Identifier(owner), sql.SQL(options)))

    def run(self, script: str, role: str = ADMINISTRATOR, database: str = "interdesk") -> list[str]:
        """Run a script and return its warnings."""
        with self.connect(role, database) as connection:
            warnings: list[str] = []
            connection.add_notice_handler(lambda notice: warnings.append(notice.message_primary or ""))
            connection.execute(script.encode())
            return warnings

    def state(self) -> list[tuple[object, ...]]:
        with self.connect(SUPERUSER) as connection:
            return sorted(connection.execute(STATE.encode()).fetchall(), key=str)


def _started(data: Path) -> Layout:
    data.mkdir()
    layout = Layout(data.resolve())
    with wait_for_lock(layout.start_lock, 10) as lock:
        account = create_cluster(layout, lock)
        server.ensure_running(
            layout, account, layout.cluster, lambda: configure(layout.cluster, getpass.getuser(), SIGNING_IN)
        )
    return layout


@pytest.fixture(scope="module", params=["wheel", "system"])
def managed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "system":
            if not any(Path("/usr/lib/postgresql").glob("*/bin/postgres")):
                pytest.skip("the system has no PostgreSQL")
            patch.setattr(binaries, "wheel_folder", lambda: None)
        layout = _started(tmp_path_factory.mktemp("managed") / "data")
    try:
        started = Server(layout.cluster)
        with started.connect(SUPERUSER, "postgres") as connection:
            connection.execute("CREATE ROLE administrator LOGIN CREATEROLE CREATEDB")
            connection.execute("CREATE ROLE stranger LOGIN")
        started.create("interdesk")
        warnings = started.run(roles_script())
        assert len(warnings) == 1
        assert "ALTER ROLE interdesk_backup BYPASSRLS" in warnings[0]
        started.run("ALTER ROLE interdesk_backup BYPASSRLS", SUPERUSER)
        yield started
    finally:
        server.stop(layout)


@pytest.fixture
def as_role(managed: Server) -> Iterator[Callable[[str], psycopg.Connection]]:
    connections: list[psycopg.Connection] = []

    def connect(role: str) -> psycopg.Connection:
        connections.append(managed.connect(role))
        return connections[-1]

    yield connect
    for connection in connections:
        connection.close()


Connect = Callable[[str], psycopg.Connection]


@pytest.mark.parametrize("role", [SUPERUSER, ADMINISTRATOR])
def test_second_run_changes_nothing(managed: Server, role: str) -> None:
    before = managed.state()
    assert managed.run(roles_script(), role) == []
    assert managed.state() == before


def test_administrator_keeps_no_right_to_what_it_made(as_role: Connect) -> None:
    answer = as_role(ADMINISTRATOR).execute(
        "SELECT pg_has_role('interdesk_owner', 'USAGE'), pg_has_role('interdesk_engine', 'USAGE')"
    )
    assert answer.fetchone() == (False, False)


def test_script_holds_no_password() -> None:
    statements = [line for line in roles_script().splitlines() if not line.startswith("--")]
    assert "password" not in "\n".join(statements).lower()
    assert "@" not in "\n".join(statements)


@pytest.mark.parametrize("role", [*DatabaseRole, ENGINE])
def test_no_role_has_more_power_than_needed(as_role: Connect, role: str) -> None:
    answer = as_role(DatabaseRole.OWNER).execute(
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolcanlogin, rolpassword "
        "FROM pg_roles WHERE rolname = %s",
        [role],
    )
    backup, engine = role == DatabaseRole.BACKUP, role == ENGINE
    assert answer.fetchone() == (False, False, False, False, backup, not engine, "********")


def test_strangers_stay_outside(managed: Server) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        managed.connect(STRANGER)


@pytest.mark.parametrize("role", [DatabaseRole.API, DatabaseRole.WORKER, DatabaseRole.BACKUP])
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TEMPORARY TABLE thing (id int)",
        "CREATE TABLE thing (id int)",
        "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE SCHEMA own",
        "SET ROLE interdesk_owner",
        "SET ROLE interdesk_engine",
    ],
)
def test_others_than_the_owner_make_nothing(as_role: Connect, role: str, statement: str) -> None:
    connection = as_role(role)
    connection.execute("SET default_transaction_read_only = off")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.encode())


def test_owner_becomes_the_engine_but_does_not_see_with_its_eyes(as_role: Connect) -> None:
    owner = as_role(DatabaseRole.OWNER)
    owner.execute("CREATE TABLE guarded (id int)")
    owner.execute("INSERT INTO guarded VALUES (1)")
    owner.execute("GRANT SELECT ON guarded TO interdesk_engine")
    owner.execute("ALTER TABLE guarded ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    owner.execute("CREATE POLICY engine ON guarded TO interdesk_engine USING (true)")
    assert owner.execute("SELECT count(*) FROM guarded").fetchone() == (0,)
    owner.execute("SET ROLE interdesk_engine")
    assert owner.execute("SELECT count(*) FROM guarded").fetchone() == (1,)
    assert as_role(DatabaseRole.BACKUP).execute("SELECT count(*) FROM guarded").fetchone() == (1,)
    owner.execute("RESET ROLE")
    owner.execute("DROP TABLE guarded")


@pytest.mark.parametrize("creator", [DatabaseRole.OWNER, ENGINE])
def test_functions_are_executable_by_nobody_unless_granted(as_role: Connect, creator: str) -> None:
    owner = as_role(DatabaseRole.OWNER)
    owner.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(creator)))
    owner.execute("CREATE FUNCTION secret() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'")
    api = as_role(DatabaseRole.API)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        api.execute("SELECT secret()")
    owner.execute("GRANT EXECUTE ON FUNCTION secret() TO interdesk_api")
    assert api.execute("SELECT secret()").fetchone() == (1,)
    owner.execute("DROP FUNCTION secret()")


def test_backup_reads_other_schemas_and_writes_nowhere(as_role: Connect) -> None:
    owner = as_role(DatabaseRole.OWNER)
    owner.execute("CREATE SCHEMA jobs")
    owner.execute("CREATE TABLE jobs.thing (id serial)")
    backup = as_role(DatabaseRole.BACKUP)
    assert backup.execute("SELECT count(*), (SELECT last_value FROM jobs.thing_id_seq) FROM jobs.thing").fetchone()
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        backup.execute("INSERT INTO jobs.thing DEFAULT VALUES")
    backup.execute("SET default_transaction_read_only = off")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        backup.execute("INSERT INTO jobs.thing DEFAULT VALUES")
    owner.execute("DROP SCHEMA jobs CASCADE")


def test_owner_may_replace_the_extensions(as_role: Connect) -> None:
    owner = as_role(DatabaseRole.OWNER)
    owner.execute("DROP EXTENSION unaccent")
    owner.execute("CREATE EXTENSION unaccent")
    assert as_role(DatabaseRole.API).execute("SELECT unaccent('Ngô'), 'Ngo' % 'ngo'").fetchone() == ("Ngo", True)


def test_settings_of_the_roles(as_role: Connect) -> None:
    def settings(role: str) -> list[object]:
        connection = as_role(role)
        names = ["search_path", "TimeZone", "statement_timeout", "idle_in_transaction_session_timeout", "jit"]
        if connection.info.server_version >= 170000:
            names.append("transaction_timeout")
        answers = (connection.execute("SELECT current_setting(%s)", [name]).fetchone() for name in names)
        return [answer[0] for answer in answers if answer]

    for role, limits in {
        DatabaseRole.OWNER: ["0", "10min", "off", "0"],
        DatabaseRole.API: ["15s", "15s", "off", "30s"],
        DatabaseRole.WORKER: ["5min", "1min", "off", "10min"],
        DatabaseRole.BACKUP: ["0", "10min", "off", "0"],
    }.items():
        seen = settings(role)
        assert seen == ["public, pg_temp", "UTC", *limits][: len(seen)]


def test_clone_of_a_database_is_shut_by_its_owner(managed: Server) -> None:
    managed.create("cloned", "LC_CTYPE 'C.UTF-8'", DatabaseRole.OWNER)
    managed.connect(STRANGER, "cloned").close()
    managed.run(database_privileges("cloned"), DatabaseRole.OWNER, "cloned")
    managed.connect(DatabaseRole.API, "cloned").close()
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        managed.connect(STRANGER, "cloned")


def test_any_name_of_a_database(managed: Server) -> None:
    name = 'inter\'desk"; DROP ROLE "stranger'
    managed.create(name, "LC_CTYPE 'C.UTF-8'")
    managed.run(roles_script(name), database=name)
    managed.connect(DatabaseRole.API, name).close()


@pytest.mark.parametrize("name", ["", "two\nlines", "zero\0byte"])
def test_what_is_no_name_of_a_database(name: str) -> None:
    with pytest.raises(ValueError, match="not the name of a database"):
        roles_script(name)


# Refusals leave nothing behind, since the whole script is one transaction.


def test_wrong_database_is_refused(managed: Server) -> None:
    with pytest.raises(
        psycopg.errors.RaiseException, match="connect to the database interdesk first, this is postgres"
    ):
        managed.run(roles_script(), database="postgres")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ("LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER libc", "create it again with LC_CTYPE 'C.UTF-8'"),
        ("ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER libc", "must be UTF8, it is SQL_ASCII"),
    ],
)
def test_database_in_which_names_cannot_be_found_is_refused(
    managed: Server, options: LiteralString, complaint: str
) -> None:
    managed.create("unfit", options)
    with pytest.raises(psycopg.errors.RaiseException, match=complaint):
        managed.run(roles_script("unfit"), database="unfit")


@pytest.mark.parametrize("power", ["SUPERUSER", "BYPASSRLS", "CREATEROLE", "REPLICATION"])
def test_role_with_too_much_power_is_refused(managed: Server, power: str) -> None:
    managed.run(f"ALTER ROLE interdesk_api {power}", SUPERUSER)
    with pytest.raises(psycopg.errors.RaiseException, match=r"more power than Interdesk allows.*interdesk_api"):
        managed.run(roles_script(), SUPERUSER)
    managed.run(f"ALTER ROLE interdesk_api NO{power}", SUPERUSER)


@pytest.mark.parametrize("protected", [DatabaseRole.OWNER, ENGINE])
def test_membership_in_a_protected_role_is_refused(managed: Server, protected: str) -> None:
    managed.run(f"GRANT {protected} TO {STRANGER}; GRANT {STRANGER} TO interdesk_worker", SUPERUSER)
    with pytest.raises(psycopg.errors.RaiseException, match=f"must not be: interdesk_worker of {protected}"):
        managed.run(roles_script(), SUPERUSER)
    managed.run(f"REVOKE {protected} FROM {STRANGER}; REVOKE {STRANGER} FROM interdesk_worker", SUPERUSER)


def test_owner_that_sees_with_the_eyes_of_the_engine_is_refused(managed: Server) -> None:
    with managed.connect(SUPERUSER) as connection:
        if connection.info.server_version < 160000:
            pytest.skip("before version 16 inheriting is a property of the role, which the script sets")
    managed.run("GRANT interdesk_engine TO interdesk_owner WITH INHERIT TRUE", SUPERUSER)
    with pytest.raises(psycopg.errors.RaiseException, match="REVOKE interdesk_engine FROM interdesk_owner"):
        managed.run(roles_script(), SUPERUSER)
    managed.run("REVOKE interdesk_engine FROM interdesk_owner", SUPERUSER)
    assert managed.run(roles_script()) == []
