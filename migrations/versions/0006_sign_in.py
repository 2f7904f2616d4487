"""Signing in and out."""

from migrations import run_sql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Apply the frozen SQL of this migration."""
    run_sql("0006_sign_in.sql")
