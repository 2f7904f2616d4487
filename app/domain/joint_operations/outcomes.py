"""What came of an operation, and what was learned: each agency says its own part, and no other's."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from app.access.desk import Desk
from app.access.envelope import changed_fields
from app.core.problems import FORBIDDEN, Problem
from app.domain.joint_operations.outcome_shapes import (
    Debrief,
    DebriefIn,
    Outcome,
    OutcomeIn,
    OutcomeNote,
    People,
    PeopleIn,
    Seizure,
)
from app.domain.joint_operations.plans import body_of, content_of, state_of
from app.domain.joint_operations.shapes import JointOperationContent
from app.domain.joint_operations.workflow import WORKFLOW
from app.models.operation_vocabularies import ParticipantRole
from app.records.advancing import Step, advance, hold
from app.records.shelf import Stored

_Part = TypeVar("_Part", People, Seizure, OutcomeNote, Debrief)


def require_acting(desk: Desk, stored: Stored) -> None:
    """403 for a participant that only watches."""
    agency = desk.caller.agency
    roles = {part.role for part in content_of(stored).participants if part.agency == agency}
    if roles == {ParticipantRole.OBSERVER}:
        raise Problem(FORBIDDEN, detail="Your agency observes the operation: only those who act in it may do this.")


async def record_outcome(desk: Desk, stored: Stored, sent: OutcomeIn) -> Stored:
    """Put the caller's part of the outcome in the place of what it said before; 409 before the operation is active."""
    agency = desk.caller.agency
    return await _say(desk, stored, "outcome", lambda content: {"outcome": with_part(content.outcome, agency, sent)})


async def record_debrief(desk: Desk, stored: Stored, sent: DebriefIn) -> Stored:
    """Put the caller's lessons in the place of what it said before; 409 before the operation is completed."""
    agency = desk.caller.agency
    return await _say(desk, stored, "debrief", lambda content: {"debrief": with_lessons(content.debrief, agency, sent)})


async def _say(
    desk: Desk,
    stored: Stored,
    action: str,
    say: Callable[[JointOperationContent], dict[str, Any]],
) -> Stored:
    held = await hold(desk, stored)
    state = state_of(held)
    row = WORKFLOW.require(action, state)
    before = content_of(held)
    content = before.model_copy(update=say(before))
    changed = changed_fields(held.fields, content.model_dump(mode="json"))
    if not changed:
        return held
    step = Step(f"operation.{action}", row.event, changed, {"agency": desk.caller.agency})
    return await advance(desk, held, body_of(content, row.leads_to(state)), step)


def with_part(outcome: Outcome | None, agency: str, sent: OutcomeIn) -> Outcome | None:
    """The outcome with an agency's part in the place of the one before; None where nobody says anything of it."""
    before = outcome or Outcome()
    after = Outcome(
        arrested=_replaced(before.arrested, agency, [_people(agency, row) for row in sent.arrested]),
        rescued=_replaced(before.rescued, agency, [_people(agency, row) for row in sent.rescued]),
        seized=_replaced(
            before.seized,
            agency,
            [Seizure(agency=agency, kind=row.kind, quantity=row.quantity, value=row.value) for row in sent.seized],
        ),
        notes=_replaced(
            before.notes, agency, [] if sent.notes is None else [OutcomeNote(agency=agency, text=sent.notes)]
        ),
    )
    return None if after == Outcome() else after


def with_lessons(debrief: Sequence[Debrief], agency: str, sent: DebriefIn) -> list[Debrief]:
    """The debrief with an agency's lessons in the place of those before."""
    own = Debrief(agency=agency, summary=sent.summary, went_well=sent.went_well, to_improve=sent.to_improve)
    return _replaced(debrief, agency, [own])


def _people(agency: str, row: PeopleIn) -> People:
    return People(agency=agency, nationality=row.nationality, count=row.count)


def _replaced(rows: Sequence[_Part], agency: str, own: Sequence[_Part]) -> list[_Part]:
    """All rows with an agency's own replaced; agency by agency, so that who came first does not show."""
    others = [row for row in rows if row.agency != agency]
    return sorted(others + list(own), key=lambda row: row.agency)
