"""Requests to bring people home: their steps, and messages between the sides."""

from migrations import run_sql

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Apply the frozen SQL of this migration."""
    run_sql("0026_repatriations.sql")
