"""Keeping operations out of each other's way, without telling one of the other.

Whoever changes what a live operation claims calls `refresh`, as the last thing in its transaction: proposing it,
changing its window, area or targets, adding and taking back a link to a target. What ends an operation ends its claim
by itself. `require_clear` stands before activating and resuming.
"""

from typing import Any, Final
from uuid import UUID

from psycopg import sql

from app.access.desk import Desk
from app.core.problems import CONFLICT, CONFLICT_OPEN, DECONFLICTION_LIMIT, PRECONDITION_FAILED, Problem
from app.domain.joint_operations.plan_shapes import Target
from app.domain.joint_operations.plans import content_of, state_of
from app.domain.joint_operations.probing import circle_of
from app.domain.joint_operations.workflow import LIVE
from app.records import shelf
from app.records.shelf import Stored

_TRIES: Final = 5
_BLOCKING: Final = sql.SQL("SELECT id FROM blocking_conflicts(%(record)s) AS id")


async def refresh(desk: Desk, stored: Stored) -> None:
    """Let a live operation claim what its plan says, and tell the leads of those it collides with; else do nothing.

    429 once the agency has proposed and changed plans too often within a day.
    """
    if stored.own and state_of(stored) in LIVE:
        await _compare(desk, stored, check=False)


async def check(desk: Desk, stored: Stored) -> UUID:
    """Compare an operation with all that are live because its lead asks, and tell those it collides with; the run's id.

    409 for an operation that is over or drawn nowhere yet; 429 once the agency has asked too often within a day.
    """
    shelf.require_current(stored)
    row = await _compare(desk, stored, check=True)
    if row.outcome == "over":
        raise Problem(CONFLICT, detail="The operation is over: it is in nobody's way.")
    run: UUID = row.run
    return run


async def require_clear(desk: Desk, stored: Stored) -> None:
    """409 while a serious conflict of the operation with another live one is open."""
    blocking = await desk.rows(_BLOCKING, record=stored.envelope.id)
    if blocking:
        # Nobody but the lead is told which; nobody but the lead may come here.
        raise Problem(CONFLICT_OPEN, extra={"conflicts": [str(row.id) for row in blocking] if stored.own else []})


async def _compare(desk: Desk, stored: Stored, *, check: bool) -> Any:  # noqa: ANN401 - a row of the function's columns
    """What comparing the plan comes to; read afresh while others change it in that moment."""
    for _ in range(_TRIES):
        plan = content_of(stored)
        circle = circle_of(plan.area)
        if plan.window is None or circle is None:
            raise Problem(CONFLICT, detail="Give the plan a window and an area first: there is nothing to compare.")
        row = await desk.call_one(
            "deconflict",
            p_record=stored.envelope.id,
            p_version=stored.envelope.version,
            p_check=check,
            p_starts_at=plan.window.starts_at,
            p_ends_at=plan.window.ends_at,
            p_latitude=circle.latitude,
            p_longitude=circle.longitude,
            p_radius_m=circle.radius_m,
            p_places=[target.value for target in plan.targets if target.type == "place"],
            p_identifiers=_identifiers(plan.targets),
        )
        if row.outcome == "limited":
            raise Problem(DECONFLICTION_LIMIT, headers={"Retry-After": str(row.retry_after)})
        if row.outcome != "moved":
            return row
        stored = await shelf.fetch(desk, stored.kind, stored.envelope.id)
    raise Problem(PRECONDITION_FAILED)


def _identifiers(targets: list[Target]) -> list[str]:
    """Those that can be compared: what has no such form names nothing that could be found again."""
    return [f"{target.type}:{target.normalized}" for target in targets if target.normalized is not None]
