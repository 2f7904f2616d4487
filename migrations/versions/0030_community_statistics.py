"""Incident reports as they were counted at any moment, and tables over all of them that are published."""

from migrations import run_sql

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Apply the frozen SQL of this migration."""
    run_sql("0030_incident_history.sql")
    run_sql("0030_community_statistics.sql")
