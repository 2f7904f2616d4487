"""What agencies decide on the plans of joint operations, and the teams that take part as a whole."""

from migrations import run_sql

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Apply the frozen SQL of this migration."""
    run_sql("0020_operations.sql")
