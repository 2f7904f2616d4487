"""`interdesk retention` as an operator types it."""

import psycopg

from app.core.database_roles import DatabaseRole
from tests.cli.conftest import Command
from tests.conftest import Cluster

RECORD = (
    "SELECT create_record(uuid7(), 'criminal-organizations', %s, NULL, clock_timestamp(), %s::jsonb, ARRAY['KR-KNPA'],"
    " '{}', '{}', '{}', '{}', ARRAY['Zanzibar'], '{}', '{}')"
)
KINDS = {"kind": "criminal-organizations", "originator": "KR-KNPA"}


def _records(managed: Command, cluster: Cluster, database: str) -> None:
    """Three records: past their review, past it and held, and near it."""
    managed("agency", "add", "KR-KNPA", "--name", "Agency", "--kind", "national_police", "--country", "KR")
    with psycopg.connect(cluster.conninfo(DatabaseRole.OWNER, database)) as connection:
        connection.execute("SET ROLE interdesk_engine")
        connection.execute("SELECT enter_operator('KR-KNPA', 'r', 'o', 'p')")
        for reference, days in (("PAST", "-1"), ("HELD", "-1"), ("NEAR", "100")):
            handling = "SELECT jsonb_build_object('review_on', utc_today() + %s::integer)::text"
            ((text,),) = connection.execute(handling, (days,)).fetchall()
            connection.execute(RECORD, (reference, text))
        connection.execute(
            "SELECT place_legal_hold(uuid7(), id, 'Evidence.', NULL, NULL, clock_timestamp()) FROM records"
            " WHERE reference = 'HELD'"
        )


def _named(report: dict[str, list[dict[str, str]]], *names: str) -> dict[str, list[str]]:
    assert all(one.items() >= KINDS.items() for name in names for one in report[name])
    return {name: sorted(one["reference"] for one in report[name]) for name in names}


def test_a_dry_run_says_what_the_purge_then_does(managed: Command, cluster: Cluster, database: str) -> None:
    _records(managed, cluster, database)

    report = managed("retention", "report", "--json").json
    assert _named(report, "to_warn", "warned", "due", "held") == {
        "to_warn": ["HELD", "NEAR", "PAST"],
        "warned": [],
        "due": ["PAST"],
        "held": ["HELD"],
    }
    tried = managed("retention", "purge", "--dry-run", "--json").json
    done = managed("retention", "purge", "--json").json
    expected = {"warned": ["HELD", "NEAR", "PAST"], "purged": ["PAST"], "held": ["HELD"]}
    assert (tried["dry_run"], _named(tried, *expected)) == (True, expected)
    assert (done["dry_run"], done["names_left"], _named(done, *expected, "busy")) == (
        False,
        False,
        {**expected, "busy": []},
    )
    again = managed("retention", "purge", "--json").json
    assert _named(again, *expected) == {"warned": [], "purged": [], "held": ["HELD"]}
    assert _named(managed("retention", "report", "--json").json, "warned") == {"warned": ["NEAR"]}


def test_it_is_audited_with_who_typed_it(managed: Command, cluster: Cluster, database: str) -> None:
    _records(managed, cluster, database)
    managed("retention", "purge", "--dry-run")
    managed("retention", "purge")
    with psycopg.connect(cluster.conninfo(DatabaseRole.BACKUP, database)) as connection:
        entries = connection.execute(
            "SELECT agency, client_id, officer <> '', purpose, cardinality(record_ids) FROM audit_entries"
            " WHERE action = 'record.purge'"
        ).fetchall()
    assert entries == [("HUB", "operator", True, "interdesk retention purge", 1)]


def test_people_read_a_table(managed: Command, cluster: Cluster, database: str) -> None:
    _records(managed, cluster, database)
    shown = managed("retention", "report")
    lines = [line.split() for line in shown.out.splitlines()]
    assert (shown.code, lines) == (
        0,
        [
            ["originator", "kind", "to", "warn", "warned", "due", "held"],
            ["KR-KNPA", "criminal-organizations", "3", "0", "1", "1"],
            ["all", "all", "3", "0", "1", "1"],
        ],
    )


def test_what_others_are_at_work_on_is_left_and_said(managed: Command, cluster: Cluster, database: str) -> None:
    _records(managed, cluster, database)
    with psycopg.connect(cluster.conninfo(DatabaseRole.OWNER, database)) as somebody:
        somebody.execute("SET ROLE interdesk_engine")
        somebody.execute("SELECT FROM records WHERE reference = 'PAST' FOR KEY SHARE")
        ended = managed("retention", "purge")
    assert (ended.code, "run this again" in ended.err) == (1, True)
    assert managed("retention", "purge").code == 0
