"""Repatriation requests as they were counted at any moment, and the days that each step took."""

from migrations import run_sql

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Apply the frozen SQL of this migration."""
    run_sql("0031_repatriation_statistics.sql")
