"""Records that are about several agencies, and a course that these move together."""

from migrations import run_sql

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Apply the frozen SQL of this migration."""
    run_sql("0019_parties.sql")
