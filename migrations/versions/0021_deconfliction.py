"""Deconfliction."""

from migrations import run_sql

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Apply the frozen SQL of this migration."""
    run_sql("0021_deconfliction.sql")
