"""The trail's partitions: a month for every entry, and none lost where a month was late."""

import psycopg

from app.core.database_roles import DatabaseRole
from tests.conftest import Hub


async def test_entries_of_a_month_that_was_late_move_into_it(hub: Hub) -> None:
    hub.operator("SELECT audit('test.late', 'done', NULL, '{}', '{}')")
    with psycopg.connect(hub.conninfo(DatabaseRole.OWNER)) as owner:
        owner.execute("ALTER TABLE audit_entries NO FORCE ROW LEVEL SECURITY")
        owner.execute("ALTER TABLE audit_entries_other NO FORCE ROW LEVEL SECURITY")
        owner.execute(
            "INSERT INTO audit_entries_other (id, at, action, outcome)"
            " SELECT id, date_trunc('month', now()) + interval '5 months 3 days', action, outcome"
            " FROM audit_entries WHERE action = 'test.late'"
        )
        owner.execute("ALTER TABLE audit_entries_other FORCE ROW LEVEL SECURITY")

    assert hub.operator("SELECT ensure_audit_months(6)") == [(3,)]
    assert hub.operator("SELECT ensure_audit_months(6)") == [(0,)]

    where = "SELECT tableoid::regclass::text LIKE 'audit_entries_2%%' FROM audit_entries WHERE action = 'test.late'"
    assert hub.look(where) == [(True,), (True,)]
    assert hub.look("SELECT count(*) FROM audit_entries_other") == [(0,)]
    forced = (
        "SELECT bool_and(relforcerowsecurity) FROM pg_class WHERE relname LIKE 'audit_entries_%%' AND relkind = 'r'"
    )
    assert hub.look(forced) == [(True,)]
