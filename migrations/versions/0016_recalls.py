"""Recalls, and what their recipients owe."""

from migrations import run_sql

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Apply the frozen SQL of this migration."""
    run_sql("0016_recalls.sql")
