"""Name search and filtered pages."""

from migrations import run_sql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Apply the frozen SQL of this migration."""
    run_sql("0004_search.sql")
