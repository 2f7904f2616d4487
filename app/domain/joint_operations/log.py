"""The log of an operation: what happened, written down by those who take part, and never changed."""

from collections.abc import Sequence
from typing import Any, Final, Literal
from uuid import UUID

from psycopg import sql

from app.access.desk import Desk
from app.core import clock
from app.core.ids import uuid7
from app.core.places import NEWEST, Place
from app.core.problems import CONFLICT, Problem, not_found
from app.domain.joint_operations.log_shapes import OperationLogEntry, OperationLogEntryIn
from app.domain.joint_operations.plans import state_of
from app.domain.joint_operations.workflow import WORKFLOW
from app.models.operation_vocabularies import LogKind
from app.records import contributions
from app.records.shelf import Stored, require_current

Order = Literal["created_at", "at"]

_TABLE: Final = "operation_log"
_PAGE: Final = sql.SQL(
    "SELECT * FROM operation_log WHERE record_id = %(record)s AND (%(kind)s::text IS NULL OR kind = %(kind)s)"
    " AND (%(agency)s::text IS NULL OR agency = %(agency)s) AND ({order}, id) < (%(at)s, %(last)s)"
    " ORDER BY {order} DESC, id DESC LIMIT %(limit)s"
)


async def add(desk: Desk, stored: Stored, sent: OperationLogEntryIn) -> OperationLogEntry:
    """Write an entry for the caller's agency, which takes part; all who do are told.

    409 where the log takes no more entries; 404 if the operation was taken from the caller's sight meanwhile.
    """
    require_current(stored)
    WORKFLOW.require("log", state_of(stored))
    entry_id = uuid7()
    row = await desk.call_one(
        "log_operation",
        p_id=entry_id,
        p_record=stored.envelope.id,
        p_at=sent.at or clock.now(),
        p_kind=sent.kind.value,
        p_entry=sent.entry,
    )
    if row.outcome == "closed":
        raise Problem(CONFLICT, detail="The log takes entries for 7 days after the operation is completed, not later.")
    if row.outcome != "logged":
        raise not_found()
    return await one(desk, stored, entry_id)


async def listed(
    desk: Desk,
    stored: Stored,
    order: Order,
    after: Place | None,
    limit: int,
    *,
    kind: LogKind | None = None,
    agency: str | None = None,
) -> Sequence[OperationLogEntry]:
    """Entries of an operation, the newest first: by when they were written down, or by when it happened."""
    at, last = after or NEWEST
    rows = await desk.rows(
        _PAGE.format(order=sql.Identifier(order)),
        record=stored.envelope.id,
        kind=None if kind is None else kind.value,
        agency=agency,
        at=at,
        last=last,
        limit=limit,
    )
    return [_entry(row) for row in rows]


async def one(desk: Desk, stored: Stored, entry_id: UUID | None) -> OperationLogEntry:
    """One entry of an operation; 404 if there is none, or the caller takes no part in it."""
    return _entry(await contributions.one(desk, _TABLE, stored.envelope.id, entry_id))


def _entry(row: Any) -> OperationLogEntry:  # noqa: ANN401 - a row of the table
    return OperationLogEntry(
        id=row.id,
        at=row.at,
        agency=row.agency,
        officer=row.officer,
        kind=row.kind,
        entry=row.entry,
        created_at=row.created_at,
    )
