"""Meetings, what is to be done after them, and the addresses at which calendar programs read them."""

from migrations import run_sql

revision = "0023"
down_revision = "0021"


def upgrade() -> None:
    """Apply the frozen SQL of this migration."""
    run_sql("0023_meetings.sql")
    run_sql("0023_meeting_actions.sql")
    run_sql("0023_calendars.sql")
