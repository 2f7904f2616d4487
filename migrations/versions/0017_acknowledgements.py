"""Who acknowledged the caveat of which record."""

from migrations import run_sql

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Apply the frozen SQL of this migration."""
    run_sql("0017_acknowledgements.sql")
