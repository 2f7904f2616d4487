"""Audit entries and events."""

from migrations import run_sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Apply the frozen SQL of this migration."""
    run_sql("0002_audit.sql")
