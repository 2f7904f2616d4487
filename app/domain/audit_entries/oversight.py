"""Everything the audit knows of one officer or one record, proved, for the operator who has to answer for it.

The form is that of an agency's export, so that the same programs verify it. Where nobody but the operator can know what
an agency did on whose behalf, the agency is told that it was exported.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from psycopg import sql

from app.access.desk import Desk
from app.audit.checkpoints import Checkpoint
from app.audit.proofs import fetch_checkpoints, prove_leaves
from app.core.ids import parse_uuid
from app.core.problems import not_found
from app.domain.audit_entries.export import TYPE

PART: Final = 1000
"""Entries in one part, which is one line of the file."""

_ATTEMPTS: Final = 40
_PAUSE: Final = 0.25

_LEAVES: Final = sql.SQL(
    "SELECT leaf_index, document FROM oversight_leaves(%(size)s, %(officer)s, %(record)s, %(agency)s)"
)

OpenDesk = Callable[[], AbstractAsyncContextManager[Desk]]
"""Opens one transaction of the operator's, whose purpose is the reason for the export."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom or what it is about."""

    officer: str | None = None
    record: UUID | None = None
    agency: str | None = None
    """Only what this agency did."""

    @property
    def arguments(self) -> dict[str, Any]:
        """As the database's functions take it."""
        return {"p_officer": self.officer, "p_record": self.record, "p_agency": self.agency}


async def find_record(desk: Desk, text: str) -> UUID:
    """The record with this id or reference; an id of none is taken as it is, since somebody may have tried it.

    404 for a reference that no record has.
    """
    rows = await desk.call("oversight_record", p_text=text)
    if rows:
        found: UUID = rows[0].id
        return found
    parsed = parse_uuid(text)
    if parsed is None:
        raise not_found()
    return parsed


async def waiting(open_desk: OpenDesk, subject: Subject, seal: Callable[[], Any]) -> int:
    """Record the export, seal what is not sealed yet, and say how many entries could not be."""
    async with open_desk() as desk:
        await desk.call("note_oversight", **subject.arguments)
    for _ in range(_ATTEMPTS):
        await seal()
        async with open_desk() as desk:
            left = (await desk.call_one("oversight_waiting", **subject.arguments)).oversight_waiting
        if not left:
            return 0
        await asyncio.sleep(_PAUSE)  # another process is sealing
    return int(left)


async def parts(desk: Desk, subject: Subject, about: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    """The parts of the file, each as an agency's export is, with `about` beside; one at least."""
    # One reading of the whole audit, as long as it takes; what is read is of one moment.
    await desk.connection.execute("SET LOCAL statement_timeout = 0")
    if desk.connection.info.server_version >= 170_000:  # noqa: PLR2004 - the first version that has it
        await desk.connection.execute("SET LOCAL transaction_timeout = 0")
    found = await fetch_checkpoints(desk.connection)
    head = {"type": TYPE, "agency": subject.agency or "HUB", "about": about}
    if not found:
        yield {**head, "checkpoint": None, "items": [], "next_cursor": None}
        return
    (checkpoint,) = found
    async for rows, last in _pages(desk, subject, checkpoint):
        items = await prove_leaves(desk.connection, rows, checkpoint)
        cursor = None if last else "the next line"
        yield {**head, "checkpoint": checkpoint.document(), "items": items, "next_cursor": cursor}


async def _pages(
    desk: Desk, subject: Subject, checkpoint: Checkpoint
) -> AsyncIterator[tuple[Sequence[tuple[int, Any]], bool]]:
    arguments = {"officer": subject.officer, "record": subject.record, "agency": subject.agency}
    async with desk.connection.cursor(name="oversight") as cursor:
        await cursor.execute(_LEAVES, {**arguments, "size": checkpoint.tree_size})
        page = await cursor.fetchmany(PART)
        while True:
            following = await cursor.fetchmany(PART) if len(page) == PART else []
            yield page, not following
            if not following:
                return
            page = following
