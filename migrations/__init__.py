"""Alembic migrations; tables, policies and SQL functions are frozen here."""

from pathlib import Path
from typing import cast

import psycopg
from alembic import op

SQL = Path(__file__).parent / "sql"


def run_sql(name: str) -> None:
    """Run one of the SQL files as it stands, in the migration's transaction.

    It goes straight to the driver: SQLAlchemy always hands parameters along, and then a `%` would be a placeholder.
    """
    connection = cast("psycopg.Connection", op.get_bind().connection.driver_connection)
    connection.execute((SQL / name).read_text(encoding="utf-8"))
