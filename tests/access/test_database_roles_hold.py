"""What the database itself holds, whatever the server above it does: nobody without a caller sees a row, and no role
gets past its policies."""

from uuid import UUID

import psycopg
import pytest
from psycopg import errors, sql

from app.core import clock
from app.core.database_roles import ENGINE, DatabaseRole
from app.core.ids import uuid7
from tests.access.scene import EXCLUDED, ORIGINATOR, READER, Scene, set_scene
from tests.conftest import Hub
from tests.routers.entrance import below_policies

API, WORKER, OWNER, BACKUP = DatabaseRole.API, DatabaseRole.WORKER, DatabaseRole.OWNER, DatabaseRole.BACKUP

RELATIONS = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname !~ '^pg_(toast|temp)' ORDER BY 1, 2
"""
FUNCTIONS = """
SELECT p.oid::regprocedure::text, r.rolname, p.prosecdef, p.proconfig,
  has_function_privilege('public', p.oid, 'EXECUTE')
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles r ON r.oid = p.proowner
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e') ORDER BY 1
"""

OPEN_TO_SERVERS = {"alembic_version": "a server asks how far the schema is before anybody can be its caller"}
WITHOUT_POLICIES = {*OPEN_TO_SERVERS, "procrastinate"}
"""Tables and schemas that no caller's policy guards: the worker's jobs hold names of functions and ids, and are open to
it alone."""


@pytest.fixture
async def scene(hub: Hub) -> Scene:
    return await set_scene(hub)


def _enter(connection: psycopg.Connection, client_id: str) -> str:
    row = connection.execute(
        "SELECT outcome FROM enter(%s, %s, %s, NULL, 'r', NULL, NULL)", (client_id, uuid7(), clock.now())
    ).fetchone()
    return str(row[0]) if row else ""


def _count(connection: psycopg.Connection, schema: str, table: str) -> int | None:
    """How many rows the role sees; None where it may not even ask."""
    try:
        row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))).fetchone()
    except errors.InsufficientPrivilege:
        return None
    return int(row[0]) if row else 0


@pytest.mark.parametrize("role", [API, WORKER, OWNER])
def test_without_a_caller_there_is_not_one_row(scene: Scene, role: DatabaseRole) -> None:
    hub, filled = scene.hub, set()
    with (
        psycopg.connect(hub.conninfo(role), autocommit=True) as connection,
        psycopg.connect(hub.conninfo(BACKUP), autocommit=True) as backup,
    ):
        for schema, table in hub.look(RELATIONS):
            if table in OPEN_TO_SERVERS or (schema == "procrastinate" and role is not API):
                continue
            assert not _count(connection, schema, table), table
            if _count(backup, schema, table):
                filled.add(table)
        # A condition that fails on whatever row it meets is not evaluated on a hidden one.
        assert connection.execute("SELECT count(*) FROM records WHERE document::integer = 1").fetchone() == (0,)
        # Whoever asks to do without the policies is refused, and not given everything.
        connection.execute("SET row_security = off")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("SELECT FROM records")
        # What the planner knows of values is content too.
        assert connection.execute("SELECT count(*) FROM pg_stats WHERE schemaname = 'public'").fetchone() == (0,)
    # There was something to see in all that a record leaves behind.
    assert filled >= {
        *(
            "agencies",
            "credentials",
            "groups",
            "memberships",
            "invitations",
            "expulsions",
            "recoveries",
            "signing_keys",
        ),
        *("audit_entries", "events", "records", "record_versions", "record_grants", "disclosures", "record_links"),
        *("amendments", "sightings", "onward_requests", "operation_log"),
        *("record_sight", "record_search", "name_words"),
    }


def test_a_caller_lasts_as_long_as_its_transaction(scene: Scene) -> None:
    with psycopg.connect(scene.hub.conninfo(API), autocommit=True) as connection:
        with connection.transaction():
            assert _enter(connection, scene.originator.client_id) == "ok"
            assert _count(connection, "public", "records") == _named(scene, ORIGINATOR) >= 3
        assert _count(connection, "public", "records") == 0
        assert connection.execute("SELECT current_setting('interdesk.agency', true)").fetchone() == ("",)
        # Entered outside a transaction, the caller is gone with the statement.
        assert _enter(connection, scene.originator.client_id) == "ok"
        assert _count(connection, "public", "records") == 0


def test_whoever_is_refused_is_nobody(scene: Scene) -> None:
    with psycopg.connect(scene.hub.conninfo(API), autocommit=True) as connection:
        for why in ("revoked credential", "suspended agency"):
            with connection.transaction():
                assert _enter(connection, scene.strangers[why].client_id) in ("revoked", "suspended")
                assert _count(connection, "public", "records") == 0
        with connection.transaction():
            assert _enter(connection, "nobody") == "unknown"
            assert _count(connection, "public", "agencies") == 0


BELOW_THE_POLICIES = {
    "access_of": ["p_record => %(record)s"],
    "seen_since": ["p_record => %(record)s"],
    "lies_open": ["p_record => %(record)s"],
    "kept_from_export": ["'evidence', ARRAY[%(record)s]::uuid[]"],
    "page_of_records": [
        "'criminal-organizations', 'updated_at', '{}', 50, NULL",
        "'criminal-organizations', 'updated_at', '{\"q\": \"Bokor\"}', 50, NULL",
        "'criminal-organizations', 'created_at', '{\"facets\": [\"status:active\"]}', 50, NULL",
    ],
    "search_records": ["'criminal-organizations', 'Bokor', NULL, NULL, NULL, NULL, NULL, NULL, 50, NULL, NULL"],
    "page_ids": [
        "'criminal-organizations', 'updated_at', NULL, NULL, NULL, NULL, NULL, NULL, 50, NULL, NULL",
        "'criminal-organizations', 'updated_at', NULL, NULL, '2026-1187', NULL, NULL, NULL, 50, NULL, NULL",
    ],
    "page_of_events": ["0, NULL, NULL, 50"],
    "audit_of_own_records": ["NULL, NULL, NULL, NULL, NULL, 50"],
    "recall_idempotency_key": ["'POST', '/v1/criminal-organizations', 'k', ''"],
}


def test_what_looks_below_the_policies_shows_nothing_to_nobody(scene: Scene) -> None:
    with psycopg.connect(scene.hub.conninfo(API), autocommit=True) as connection:
        for function, calls in BELOW_THE_POLICIES.items():
            for arguments in calls:
                statement = f"SELECT * FROM {function}({arguments})"  # noqa: S608 - both stand above
                rows = connection.execute(statement, {"record": scene.record["id"]}).fetchall()
                assert not any(value for row in rows for value in row if value not in ("fresh", "")), statement


OUTRAGES = [
    *(f"SET ROLE {role}" for role in ("interdesk_owner", ENGINE, "interdesk_backup", "postgres")),
    "SET SESSION AUTHORIZATION interdesk_owner",
    "CREATE OR REPLACE FUNCTION caller_agency() RETURNS text LANGUAGE sql AS $$ SELECT 'KR-KNPA' $$",
    "CREATE OR REPLACE FUNCTION principals_of(text) RETURNS SETOF text LANGUAGE sql AS $$ SELECT 'KR-KNPA' $$",
    "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS $$ SELECT 1 $$",
    "CREATE OPERATOR @@@ (FUNCTION = textcat, LEFTARG = text, RIGHTARG = text)",
    "ALTER FUNCTION caller_agency() SECURITY DEFINER",
    "ALTER FUNCTION enter(text, uuid, timestamptz, inet, text, text, text) RESET ALL",
    "DROP FUNCTION caller_agency() CASCADE",
    "CREATE TEMP TABLE records (id uuid)",
    "CREATE TEMP VIEW agencies AS SELECT 1",
    "CREATE TEMP SEQUENCE s",
    "SELECT 1 INTO TEMP x",
    "CREATE TABLE public.x (y integer)",
    "CREATE SCHEMA mine",
    "CREATE VIEW public.v AS SELECT * FROM records",
    "CREATE EXTENSION dblink",
    "ALTER TABLE records DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE records NO FORCE ROW LEVEL SECURITY",
    "ALTER TABLE records OWNER TO CURRENT_USER",
    "DROP POLICY need_to_know ON records",
    "CREATE POLICY mine ON records USING (true)",
    "ALTER POLICY need_to_know ON records USING (true)",
    "CREATE TRIGGER t AFTER INSERT ON records FOR EACH ROW EXECUTE FUNCTION index_record()",
    "CREATE RULE r AS ON SELECT TO records DO INSTEAD SELECT 1",
    "ALTER ROLE CURRENT_USER BYPASSRLS",
    "ALTER ROLE CURRENT_USER SUPERUSER",
    "GRANT interdesk_engine TO CURRENT_USER",
    "GRANT SELECT ON signing_keys TO CURRENT_USER",
    "ALTER DATABASE interdesk SET row_security = off",
    "INSERT INTO records (id) SELECT id FROM records",
    "UPDATE records SET audience = audience || ARRAY['TH-RTP']",
    "DELETE FROM records",
    "TRUNCATE records",
    "INSERT INTO record_grants VALUES (gen_random_uuid(), 'KR-KNPA', now())",
    "UPDATE record_versions SET version = 0",
    "UPDATE audit_entries SET agency = NULL",
    "DELETE FROM audit_entries",
    "INSERT INTO audit_entries (action, outcome) VALUES ('x', 'x')",
    "INSERT INTO events (type, audience) VALUES ('x', ARRAY['KR-KNPA'])",
    "UPDATE memberships SET until = NULL",
    "INSERT INTO memberships (group_id, agency, role) VALUES (gen_random_uuid(), 'TH-RTP', 'member')",
    "UPDATE invitations SET ended_at = NULL",
    "UPDATE meetings SET audience = audience || ARRAY['TH-RTP']",
    "INSERT INTO meeting_links (id) VALUES (gen_random_uuid())",
    "UPDATE transports SET participants = participants || ARRAY['TH-RTP']",
    "INSERT INTO manifest_entries SELECT * FROM manifest_entries",
    "UPDATE manifest_entries SET state = 'boarded'",
    "DELETE FROM manifest_separations",
    "SELECT settle_repatriation(gen_random_uuid())",
    "INSERT INTO invitations VALUES (gen_random_uuid(), 'TH-RTP', 1, 'member', now())",
    "UPDATE operation_log SET entry = 'Nobody was there.'",
    "INSERT INTO operation_log SELECT * FROM operation_log",
    "DELETE FROM operation_log",
    "INSERT INTO persons (id) SELECT id FROM records",
    "UPDATE persons SET sealed = ''",
    "DELETE FROM person_keys",
    "UPDATE person_keys SET wrapped = ''",
    "DELETE FROM person_keks",
    "INSERT INTO attachments (id) SELECT id FROM records",
    "UPDATE attachments SET sealed = ''",
    "DELETE FROM attachment_keys",
    "SELECT * FROM attachment_trash",
    "INSERT INTO attachment_trash VALUES (gen_random_uuid(), now())",
    "SELECT forget_attachments(gen_random_uuid())",
    "SELECT attachment_stands(gen_random_uuid(), gen_random_uuid())",
    "SELECT destroy_persons('{}')",
    "DELETE FROM credentials",
    "DELETE FROM agencies",
    "UPDATE agencies SET hub = false",
    "UPDATE agencies SET code = 'XX-XX'",
    "LOCK TABLE records IN ACCESS EXCLUSIVE MODE",
    *(
        f"SELECT * FROM {table}"  # noqa: S608 - the names stand here
        for table in (
            *("record_sight", "record_search", "name_words", "record_grants", "lifted_exclusions", "idempotency_keys"),
            "calendar_addresses",
            *("signing_keys", "revoked_tokens", "used_assertions", "sign_in_failures", "feed_state"),
            *("audit_entries_other", "procrastinate.procrastinate_jobs", "pg_authid", "pg_statistic"),
        )
    ),
    "SELECT principals_of('KR-KNPA')",
    "SELECT become('x', 'KR-KNPA', '{}', 'KR-KNPA', now(), NULL, '', '', '')",
    "SELECT rebuild_search()",
    "SELECT page_ids_by_updated_at('x', NULL, NULL, NULL, NULL, NULL, NULL, 1, now(), gen_random_uuid())",
    "SELECT found_records('x', ''::tsquery, '{}', 'x', NULL, NULL, now(), false, 1)",
    "COPY records TO PROGRAM 'cat'",
    "COPY records TO '/tmp/records'",
    "SELECT pg_read_file('postgresql.conf')",
    "SELECT pg_ls_dir('.')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'interdesk_owner'",
    "LOAD '/tmp/x.so'",
]

THE_OPERATORS = [
    "SELECT enter_operator('KR-KNPA', 'r', 'me', 'why not')",
    "SELECT announce('x', NULL, NULL, NULL, NULL, ARRAY['KR-KNPA'], '{}')",
    "SELECT sequence_events()",
    "SELECT forget_expired()",
    "SELECT tell_overdue_onward_requests()",
    "SELECT tell_due_meeting_actions()",
    "SELECT rotate_signing_key('x', '{}', '', now(), now())",
    "SELECT begin_person_rotation(gen_random_uuid(), '')",
    "SELECT rewrap_person_keys(gen_random_uuid(), '{}', '{}')",
    "SELECT adopt_person_keys('{}', '{}', '{}', '{}', '{}', '{}')",
    "SELECT persons_with_keys()",
    "SELECT attachments_to_discard(gen_random_uuid(), 1)",
    "SELECT forget_discarded('{}')",
    "SELECT attachments_to_verify(gen_random_uuid(), 1)",
    "SELECT rewrap_attachment_keys(gen_random_uuid(), '{}', '{}')",
    "SELECT adopt_attachment_keys('{}', '{}', '{}')",
    "SELECT ensure_audit_months(1)",
    "SELECT procrastinate.procrastinate_finish_job_v1(1, 'failed', true)",
]
"""What the worker may do, and the server may not."""


def _is_refused(connection: psycopg.Connection, statement: str) -> bool:
    """Whether it is refused, or finds nothing that it could change."""
    try:
        with connection.transaction(force_rollback=True):
            cursor = connection.execute(statement)
            return cursor.rowcount == 0 and statement.startswith(("UPDATE", "DELETE", "SELECT pg_terminate"))
    except (errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction):
        return True


@pytest.mark.parametrize("role", [API, WORKER, BACKUP])
def test_no_role_gets_past_its_policies(scene: Scene, role: DatabaseRole) -> None:
    statements = [
        statement for statement in OUTRAGES if role is not BACKUP or not statement.startswith("SELECT * FROM")
    ]
    if role is API:
        statements += THE_OPERATORS
    done = []
    with psycopg.connect(scene.hub.conninfo(role), autocommit=True) as connection:
        for statement in statements:
            try:
                if not _is_refused(connection, statement):
                    done.append(statement)
            except psycopg.Error as error:
                done.append(f"{statement}: {error!r}")
    expected = {BACKUP: ["SET ROLE interdesk_backup"], WORKER: ["SELECT * FROM procrastinate.procrastinate_jobs"]}
    assert done == expected.get(role, []), "\n".join(done)


def test_every_table_has_policies_that_hold_for_its_owner_too(scene: Scene) -> None:
    tables = scene.hub.look(
        "SELECT n.nspname, c.relname, c.relrowsecurity AND c.relforcerowsecurity, r.rolname FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.oid = c.relowner"
        " WHERE c.relkind IN ('r', 'p', 'm', 'f') AND n.nspname !~ '^(pg_|information_schema)'"
    )
    open_tables = {name for schema, name, holds, _ in tables if not holds and not {schema, name} & WITHOUT_POLICIES}
    assert open_tables == set()
    assert {owner for *_, owner in tables} == {OWNER}


def test_functions_that_look_below_the_policies_are_the_engines(scene: Scene) -> None:
    functions = scene.hub.look(FUNCTIONS)
    assert [name for name, *_, public in functions if public] == []
    definers = [(name, owner, settings) for name, owner, is_definer, settings, _ in functions if is_definer]
    # Making a month's partition takes the table's owner.
    assert [name for name, owner, _ in definers if owner != ENGINE] == ["ensure_audit_months(integer)"]
    assert [
        name for name, _, settings in definers if "search_path=pg_catalog, public, pg_temp" not in (settings or [])
    ] == []
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(scene.hub.conninfo(OWNER).replace(OWNER, ENGINE))


def test_the_hub_sees_nothing_whatever_an_audience_says(scene: Scene) -> None:
    hub = scene.hub
    # Neither the door nor the table lets the hub's agency into an audience or a group; the engine alone could.
    record = UUID(scene.record["id"])
    for audience in (["KR-KNPA", "HUB"], ["KR-KNPA", "community"], ["KR-KNPA", "HUB", "community", ""]):
        below_policies(hub, "UPDATE records SET audience = %s, excluded = '{}' WHERE id = %s", audience, record)
        for client in (hub.credential("HUB", "platform_admin"), scene.strangers["platform_admin"].client_id):
            with psycopg.connect(hub.conninfo(API)) as connection:
                assert _enter(connection, client) == "ok"
                assert connection.execute("SELECT current_setting('interdesk.principals')").fetchone() == ("",)
                assert _count(connection, "public", "records") == 0
        with psycopg.connect(hub.conninfo(WORKER)) as connection:
            connection.execute("SELECT enter_operator(NULL, 'r', 'operator', 'looking around')")
            assert _count(connection, "public", "records") == 0
    with pytest.raises(errors.CheckViolation):
        below_policies(
            hub, "INSERT INTO memberships (group_id, agency, role) VALUES (%s, 'HUB', 'member')", scene.group
        )


def _named(scene: Scene, agency: str) -> int:
    """How many records of the scene name an agency in their audience, whatever that rests on."""
    ((count,),) = scene.hub.look(
        "SELECT count(*) FROM records"
        " WHERE EXISTS (SELECT FROM unnest(audience) AS p WHERE split_part(p, '@', 1) = %s)",
        agency,
    )
    return int(count)


def test_the_operator_acts_for_one_agency_and_is_named(scene: Scene) -> None:
    hub = scene.hub
    for agency in (ORIGINATOR, READER, EXCLUDED):
        with psycopg.connect(hub.conninfo(WORKER)) as connection:
            connection.execute("SELECT enter_operator(%s, 'r', 'root', 'import')", (agency,))
            assert _count(connection, "public", "records") == _named(scene, agency)
            assert connection.execute("SELECT current_setting('interdesk.client')").fetchone() == ("operator",)
