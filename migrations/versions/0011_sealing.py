"""The provable audit."""

from migrations import run_sql

revision = "0011"
down_revision = "0009"


def upgrade() -> None:
    """Apply the frozen SQL of this migration."""
    run_sql("0011_sealing.sql")
