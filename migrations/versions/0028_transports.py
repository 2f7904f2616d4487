"""Transports, and who is on them."""

from migrations import run_sql

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Apply the frozen SQL of this migration."""
    run_sql("0028_transports.sql")
    run_sql("0028_manifests.sql")
