"""Attachments of records: what is known of them, their keys apart, and what is to be deleted from the store."""

from migrations import run_sql

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Apply the frozen SQL of this migration."""
    run_sql("0029_attachments.sql")
