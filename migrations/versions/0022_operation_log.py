"""The log of joint operations, and what came of them."""

from migrations import run_sql

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Apply the frozen SQL of this migration."""
    run_sql("0022_operation_log.sql")
    run_sql("0022_operation_results.sql")
