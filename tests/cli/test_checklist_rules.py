"""`interdesk checklist-rules` as an operator types it."""

import psycopg

from app.core.database_roles import DatabaseRole
from tests.cli.conftest import Command
from tests.conftest import Cluster

PERMIT = ("laissez_passer", "--title", "Laissez-passer for a corpse", "--side", "requested", "--category", "remains")


def test_a_rule_is_listed_set_replaced_and_removed(managed: Command, cluster: Cluster, database: str) -> None:
    before = managed("checklist-rules", "list", "--json").json
    codes = [rule["code"] for rule in before]
    assert codes.count("consent_or_order") == 4
    assert "laissez_passer" not in codes
    options = ("--from", "DE", "--to", "AT", "--needs", "document", "--days-before-due", "3", "--json")
    made = managed("checklist-rules", "set", *PERMIT, *options).json
    assert (made["from_country"], made["needs"], made["waivable"], made["asked"]) == ("DE", "document", True, True)
    again = managed("checklist-rules", "set", *PERMIT, *options[:-1], "--never-waived", "--json").json
    assert (again["id"], again["waivable"]) == (made["id"], False)
    assert len(managed("checklist-rules", "list", "--json").json) == len(before) + 1
    key = ("laissez_passer", "--category", "remains", "--from", "DE", "--to", "AT")
    gone = managed("checklist-rules", "remove", *key, "--json").json
    assert gone["removed"]["code"] == "laissez_passer"
    missing = managed("checklist-rules", "remove", *key)
    assert (missing.code, missing.err) == (1, "There is no such thing here.\n")
    assert "Released by the investigating authority" in managed("checklist-rules", "list").out
    with psycopg.connect(cluster.conninfo(DatabaseRole.BACKUP, database)) as connection:
        entries = connection.execute(
            "SELECT client_id, action, detail ->> 'code' FROM audit_entries WHERE action LIKE %s ORDER BY at",
            ("checklist_rule.%",),
        ).fetchall()
    assert entries == [
        ("operator", f"checklist_rule.{action}", "laissez_passer") for action in ("set", "set", "remove")
    ]


def test_what_nobody_goes_home_without_cannot_be_made_optional(managed: Command) -> None:
    kin = ("next_of_kin_consent", "--title", "Consent", "--side", "requesting", "--category", "remains")
    for options in ((), ("--never-waived", "--not-asked")):
        refused = managed("checklist-rules", "set", *kin, *options)
        assert refused.code == 1
        assert "asked always and never waived" in refused.err
    removed = managed("checklist-rules", "remove", "trafficking_screening", "--category", "suspect")
    assert (removed.code, removed.err) == (1, "Nobody goes home without this: the rule stays.\n")
    screening = ("trafficking_screening", "--title", "Screened", "--side", "requested", "--never-waived")
    assert managed("checklist-rules", "set", *screening, "--needs", "nothing").code == 1
    wrong = managed("checklist-rules", "set", "Visa", "--title", "Visa", "--side", "nobody")
    assert (wrong.code, "/code" in wrong.err, "/side" in wrong.err) == (1, True, True)
