"""Review, renewal, legal hold and purge of records."""

from migrations import run_sql

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Apply the frozen SQL of this migration."""
    run_sql("0015_retention.sql")
