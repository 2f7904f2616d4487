"""Agencies, groups, agreements, credentials, and the caller of a transaction."""

from migrations import run_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Apply the frozen SQL of this migration."""
    run_sql("0001_agencies.sql")
    run_sql("0001_agreements.sql")
    run_sql("0001_callers.sql")
