"""The queue's tables as the migration froze them, and as the installed library expects them."""

from procrastinate.schema import SchemaManager

from migrations import SQL


def test_the_frozen_schema_is_the_installed_librarys() -> None:
    """If this fails, the library came with a migration of its own: freeze it in one of ours."""
    frozen = (SQL / "0009_procrastinate.sql").read_text(encoding="utf-8")

    assert SchemaManager.get_schema().strip() in frozen
