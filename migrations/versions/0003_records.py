"""Records under one policy, and what hangs on them."""

from migrations import run_sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Apply the frozen SQL of this migration."""
    run_sql("0003_records.sql")
