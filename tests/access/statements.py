"""What a request sends to PostgreSQL: the statements, in order, without their values."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import psycopg
import pytest
from psycopg import pq, sql

_heard: ContextVar[list[str] | None] = ContextVar("statements", default=None)


@contextmanager
def heard() -> Iterator[list[str]]:
    """Collect what is sent while the block runs, by it and by the tasks it starts."""
    statements: list[str] = []
    token = _heard.set(statements)
    try:
        yield statements
    finally:
        _heard.reset(token)


def _text(statement: Any) -> str:
    if isinstance(statement, sql.Composable):
        return statement.as_string()
    return statement.decode() if isinstance(statement, bytes) else str(statement)


def listen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Listen at both ways by which the driver sends: a cursor's execute, and a connection's own commands (BEGIN …)."""
    execute = psycopg.AsyncCursor.execute
    command = psycopg.AsyncConnection._exec_command  # noqa: SLF001 - nothing public sees a BEGIN

    async def execute_heard(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        statements = _heard.get()
        if statements is not None:
            statements.append(_text(query))
        return await execute(self, query, *arguments, **options)

    def command_heard(self: Any, statement: Any, result_format: pq.Format = pq.Format.TEXT) -> Any:
        statements = _heard.get()
        # After a rollback the driver forgets what it had prepared on that connection, if it had: that depends on what
        # the connection was used for before, never on the present call.
        if statements is not None and statement != b"DEALLOCATE ALL":
            statements.append(_text(statement))
        return command(self, statement, result_format)

    monkeypatch.setattr(psycopg.AsyncCursor, "execute", execute_heard)
    monkeypatch.setattr(psycopg.AsyncConnection, "_exec_command", command_heard)
