"""Urgent reports: every agency that sees one is called to acknowledge it, and its originator sees who has."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg import sql

from app.access.desk import Desk
from app.core.ids import uuid7
from app.core.places import NEWEST, Place
from app.core.problems import CONFLICT, Problem, not_found
from app.domain.incident_reports.shapes import AlarmCall
from app.records.shelf import Stored, require_current

_STATE = (
    "CASE WHEN acknowledged_at IS NOT NULL THEN 'acknowledged' WHEN ended_at IS NOT NULL THEN 'ended'"
    " WHEN due_at <= clock_timestamp() THEN 'overdue' ELSE 'waiting' END"
)
_SHOWN = f"SELECT id, agency, urgency, {_STATE} AS state, called_at, due_at, acknowledged_at, note FROM incident_calls"  # noqa: S608 - a constant
_PAGE = sql.SQL(
    f"{_SHOWN} WHERE record_id = %(record)s AND (called_at, id) < (%(at)s, %(last)s)"
    " ORDER BY called_at DESC, id DESC LIMIT %(limit)s"
)
_ONE = sql.SQL(f"{_SHOWN} WHERE record_id = %(record)s AND id = %(id)s")


async def acknowledge(desk: Desk, stored: Stored, note: str | None) -> AlarmCall:
    """Acknowledge an urgent report for the caller's agency; done before, it is answered as it was done.

    Raises Problem 409 where there is nothing to acknowledge: the report is retracted, not urgent, or the caller's own.
    """
    require_current(stored)
    if stored.own:
        raise Problem(CONFLICT, detail="The report is your agency's own: there is nobody to be told that it has come.")
    row = await desk.call_one("acknowledge_incident", p_id=uuid7(), p_record=stored.envelope.id, p_note=note)
    if row.outcome == "lost":
        raise not_found()
    if row.outcome != "acknowledged":
        raise Problem(CONFLICT, detail="The report is not urgent: there is nothing to acknowledge.")
    return await one(desk, stored, row.call_id)


async def listed(desk: Desk, stored: Stored, after: Place | None, limit: int) -> Sequence[AlarmCall]:
    """Calls about a report, newest first: all for its originator, for a reader those on its own agency."""
    at, last = after or NEWEST
    rows = await desk.rows(_PAGE, record=stored.envelope.id, at=at, last=last, limit=limit)
    return [_call(row) for row in rows]


async def one(desk: Desk, stored: Stored, call_id: UUID | None) -> AlarmCall:
    """One call about a report; 404 unless it is on the caller's agency, or the report is its own."""
    rows = await desk.rows(_ONE, record=stored.envelope.id, id=call_id)
    if not rows:
        raise not_found()
    return _call(rows[0])


def _call(row: Any) -> AlarmCall:  # noqa: ANN401 - a row of _SHOWN
    return AlarmCall(
        id=row.id,
        agency=row.agency,
        urgency=row.urgency,
        state=row.state,
        called_at=row.called_at,
        due_at=row.due_at,
        acknowledged_at=row.acknowledged_at,
        note=row.note,
    )
