"""The daily end of what nobody renewed: warnings, purges, and the words that only purged names had.

What is due is decided by the database, record by record, under its lock: whoever renews, holds or changes a record at
the same moment comes first or finds it purged, never half of both. Any number of processes may do this at once, and one
that dies leaves each record whole or purged; the next goes on.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from uuid import UUID

from psycopg import sql
from psycopg.errors import DeadlockDetected, LockNotAvailable
from psycopg.rows import namedtuple_row

from app.core.db import Connection
from app.core.ids import uuid7

BATCH: Final = 500
"""Records that one transaction warns of or purges at most."""

_WORDS: Final = 1000
_PASSES: Final = 10
_PAUSE_SECONDS: Final = 0.5
"""Between two tries at what somebody else has locked: calls take milliseconds, imports about a second."""

_ENTER: Final = sql.SQL("SELECT enter_operator(NULL, %s, %s, %s)")
_UP_FOR_REVIEW: Final = sql.SQL("SELECT * FROM records_up_for_review()")
_WARN: Final = sql.SQL("SELECT * FROM warn_of_reviews(%s)")
_PURGE: Final = sql.SQL("SELECT * FROM purge_due_records(%s)")
_FORGET: Final = sql.SQL("SELECT forget_names(%s, %s)")


@dataclass(frozen=True, slots=True)
class Operator:
    """In whose name it is done: what the audit says beside the hub."""

    officer: str
    purpose: str


THE_JOB: Final = Operator("retention job", "Review dates")


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A record whose review date is near or past; nothing of its content."""

    kind: str
    id: UUID
    reference: str
    originator: str
    review_on: date

    def document(self) -> dict[str, str]:
        """The record as a report names it."""
        return {
            "kind": self.kind,
            "id": str(self.id),
            "reference": self.reference,
            "originator": self.originator,
            "review_on": self.review_on.isoformat(),
        }


@dataclass(slots=True)
class Outlook:
    """What the next run will find."""

    to_warn: list[Reviewed] = field(default_factory=list)
    """At most six months from their review, and not warned of yet."""
    warned: list[Reviewed] = field(default_factory=list)
    """Warned of, and not renewed since; their review date has not passed."""
    due: list[Reviewed] = field(default_factory=list)
    """Their review date has passed: the next run purges them."""
    held: list[Reviewed] = field(default_factory=list)
    """Their review date has passed, and a legal hold keeps them."""


@dataclass(slots=True)
class Run:
    """What a run did."""

    warned: list[Reviewed] = field(default_factory=list)
    purged: list[Reviewed] = field(default_factory=list)
    held: list[Reviewed] = field(default_factory=list)
    busy: list[Reviewed] = field(default_factory=list)
    """Due, but locked by others whenever the run came to them; the next run takes them."""
    names_left: bool = False
    """Whether words of names could not be deleted from the search's vocabulary, for the same reason."""


async def outlook(connection: Connection) -> Outlook:
    """What is near its review or past it; the connection is of the role interdesk_worker."""
    found = Outlook()
    for row in await _rows(connection, _UP_FOR_REVIEW):
        record = _reviewed(row)
        if not row.warned:
            found.to_warn.append(record)
        if row.due:
            (found.held if row.held else found.due).append(record)
        elif row.warned:
            found.warned.append(record)
    return found


async def run(
    connection: Connection, operator: Operator = THE_JOB, done: Callable[[int], None] = lambda _done: None
) -> Run:
    """Warn, purge, and forget words that no name has any more; `done` is told how many records are purged.

    The connection is in autocommit, of the role interdesk_worker; each batch is a transaction of its own.
    """
    report = Run()
    while warned := await _batch(connection, operator, _WARN):
        report.warned += warned
    for number in range(_PASSES):
        while purged := await _batch(connection, operator, _PURGE):
            report.purged += purged
            done(len(report.purged))
        left = await outlook(connection)
        report.held, report.busy = left.held, left.due
        if not report.busy:
            break
        if number < _PASSES - 1:
            await asyncio.sleep(_PAUSE_SECONDS)
    report.names_left = not await _forget_names(connection)
    return report


async def _batch(connection: Connection, operator: Operator, statement: sql.SQL) -> Sequence[Reviewed]:
    for _ in range(_PASSES):
        try:
            async with connection.transaction():
                await connection.execute(_ENTER, (str(uuid7()), operator.officer, operator.purpose))
                return [_reviewed(row) for row in await _rows(connection, statement, BATCH)]
        except (DeadlockDetected, LockNotAvailable):
            # An audience's groups and agreements are locked too; somebody who changes several had them the other way
            # round, or for long. What is left is found again.
            await asyncio.sleep(_PAUSE_SECONDS)
    return []


async def _forget_names(connection: Connection) -> bool:
    """Walk the vocabulary to its end; whether it was reached."""
    last: str | None = ""
    tries = 0
    while last is not None:
        try:
            cursor = await connection.execute(_FORGET, (last, _WORDS))
        except LockNotAvailable:
            tries += 1
            if tries == _PASSES:
                return False
            await asyncio.sleep(_PAUSE_SECONDS)
            continue
        row = await cursor.fetchone()
        last = row[0] if row else None
    return True


async def _rows(connection: Connection, statement: sql.SQL, *parameters: object) -> list[Any]:
    async with connection.cursor(row_factory=namedtuple_row) as cursor:
        await cursor.execute(statement, parameters)
        return list(await cursor.fetchall())


def _reviewed(row: Any) -> Reviewed:  # noqa: ANN401 - a row of one of the functions
    return Reviewed(row.kind, row.id, row.reference, row.originator, row.review_on)
