"""Onward requests."""

from migrations import run_sql

revision = "0014"
down_revision = "0012"


def upgrade() -> None:
    """Apply the frozen SQL of this migration."""
    run_sql("0014_onward_requests.sql")
