"""Incident reports: what is compared of them, calls to acknowledge urgent ones, and merging."""

from migrations import run_sql

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Apply the frozen SQL of this migration."""
    run_sql("0024_incidents.sql")
