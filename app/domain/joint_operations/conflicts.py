"""Conflicts as the lead of one side sees them, and what it says to them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.access.desk import Desk, refuse_permission
from app.core.places import NEWEST, Place
from app.core.problems import CONFLICT, PRECONDITION_FAILED, Problem, not_found
from app.domain.joint_operations.conflict_shapes import (
    CONFLICTS_SHOWN,
    Conflict,
    ConflictCheck,
    ConflictResolutionIn,
    ContactPoint,
    Override,
    Statement,
)
from app.identity.roles import Permission
from app.models.conflict_vocabularies import ConflictSeverity, ConflictState
from app.records import shelf
from app.records.shelf import Stored

STATING = (Permission.OPERATIONS_WRITE, Permission.OPERATIONS_APPROVE)
"""Of which one is needed to say anything to a conflict: the first to state an outcome, the second to override."""


async def listed(
    desk: Desk,
    stored: Stored,
    *,
    state: ConflictState | None,
    severity: ConflictSeverity | None,
    after: Place | None,
    limit: int,
) -> Sequence[Conflict]:
    """Conflicts of the caller's own operation, newest first."""
    at, last = after or NEWEST
    rows = await desk.call(
        "conflicts_of",
        p_record=stored.envelope.id,
        p_state=None if state is None else state.value,
        p_severity=None if severity is None else severity.value,
        p_at=at,
        p_last=last,
        p_limit=limit,
    )
    return [_conflict(row) for row in rows]


async def one(desk: Desk, stored: Stored, conflict_id: UUID | None, version: int | None = None) -> Conflict:
    """A conflict of the caller's own operation, as it is or as it was at a version; 404 if there is none."""
    rows = await desk.call("conflict_of", p_record=stored.envelope.id, p_id=conflict_id, p_version=version)
    if not rows:
        raise not_found()
    return _conflict(rows[0])


async def checked(desk: Desk, stored: Stored, run: UUID | None) -> ConflictCheck:
    """What a check came to, with its conflicts as they were then; 404 once it is forgotten, two days later."""
    rows = await desk.call("check_of", p_record=stored.envelope.id, p_run=run)
    if not rows:
        raise not_found()
    told = await desk.call("conflicts_in_check", p_record=stored.envelope.id, p_run=run, p_limit=CONFLICTS_SHOWN)
    return ConflictCheck(id=run, at=rows[0].at, found=rows[0].found, conflicts=[_conflict(row) for row in told])


async def state_outcome(desk: Desk, stored: Stored, conflict: Conflict, sent: ConflictResolutionIn) -> Conflict:
    """Say what is to become of the two operations; both leads are told.

    403 without the permission for what is said; 409 for a conflict that is open no more; 412 if somebody was faster.
    """
    _require_permission(desk, sent)
    shelf.require_current(stored)
    if conflict.state is not ConflictState.OPEN:
        raise Problem(CONFLICT, detail=f"The conflict is {conflict.state} already.")
    row = await desk.call_one(
        "state_outcome",
        p_record=stored.envelope.id,
        p_id=conflict.id,
        p_expected=conflict.version,
        p_outcome=sent.outcome.value,
        p_note=sent.note,
        p_override=sent.override,
    )
    if row[0] != "stated":
        raise Problem(PRECONDITION_FAILED)
    return await one(desk, stored, conflict.id)


def _require_permission(desk: Desk, sent: ConflictResolutionIn) -> None:
    """What the permission depends on stands in the body, so no signature can name it."""
    needed = Permission.OPERATIONS_WRITE if sent.override is None else Permission.OPERATIONS_APPROVE
    if needed not in desk.caller.permissions:
        raise refuse_permission(needed)


def _conflict(row: Any) -> Conflict:  # noqa: ANN401 - a row of conflict_view
    return Conflict(
        id=row.id,
        kinds=row.kinds,
        severity=row.severity,
        state=row.state,
        from_check=row.from_check,
        agency=row.agency,
        contact=ContactPoint(phone=row.contact_phone, email=row.contact_email),
        own=_statement(row.own_outcome, row.own_note, row.own_at),
        other=_statement(row.other_outcome, row.other_note, row.other_at),
        override=None if row.overridden_by is None else Override(agency=row.overridden_by, reason=row.override_reason),
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _statement(outcome: str | None, note: str | None, at: Any) -> Statement | None:  # noqa: ANN401 - a moment or None
    return None if outcome is None else Statement(outcome=outcome, note=note, at=at)
