"""Agreements as their parties make, sign, suspend and end them."""

from migrations import run_sql

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Apply the frozen SQL of this migration."""
    run_sql("0012_agreement_calls.sql")
