"""Checklists of repatriation requests, their rules, and the marks by which a pending extradition is noticed."""

from migrations import run_sql

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Apply the frozen SQL of this migration."""
    run_sql("0027_checklist_rules.sql")
    run_sql("0027_person_marks.sql")
    run_sql("0027_checklists.sql")
