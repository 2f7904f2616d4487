"""What the audit knows of one officer or one record."""

from migrations import run_sql

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Apply the frozen SQL of this migration."""
    run_sql("0018_oversight.sql")
