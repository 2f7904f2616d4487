"""The job queue."""

from migrations import run_sql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Apply the frozen SQL of this migration."""
    run_sql("0009_procrastinate.sql")
