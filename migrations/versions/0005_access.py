"""The doors, and what each database role may do."""

from migrations import run_sql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Apply the frozen SQL of this migration."""
    run_sql("0005_access.sql")
