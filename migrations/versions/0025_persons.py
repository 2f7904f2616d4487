"""Persons of records: ciphertext, and the keys to it apart."""

from migrations import run_sql

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Apply the frozen SQL of this migration."""
    run_sql("0025_persons.sql")
