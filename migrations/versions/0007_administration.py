"""Administering agencies and credentials."""

from migrations import run_sql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Apply the frozen SQL of this migration."""
    run_sql("0007_administration.sql")
