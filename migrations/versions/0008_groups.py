"""The feed, who is told of gain and loss of sight, and groups as their chair changes them."""

from migrations import run_sql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Apply the frozen SQL of this migration."""
    run_sql("0008_feed.sql")
    run_sql("0008_sight.sql")
    run_sql("0008_groups.sql")
    run_sql("0008_members.sql")
