"""The course of a joint operation, as one table."""

from typing import Final

from app.models.operation_vocabularies import JointOperationState as State
from app.workflow import Transition, Workflow

_LEAD: Final = "the lead"
_PARTY: Final = "a participant"
_ACTING: Final = "a participant, not an observer"
_HUB: Final = "the hub"

LIVE: Final = (State.PROPOSED, State.APPROVED, State.ACTIVE, State.SUSPENDED)
"""States in which an operation is kept out of others' way."""

WORKFLOW: Final = Workflow[State](
    State.DRAFT,
    (
        Transition(
            "propose",
            (State.DRAFT, State.PROPOSED),
            State.PROPOSED,
            _LEAD,
            "operation.proposed",
            "The plan is frozen under its hash, the participants see it, and those who are asked decide on it.",
        ),
        Transition(
            "approve",
            (State.PROPOSED,),
            State.APPROVED,
            _HUB,
            "operation.approved",
            "Follows from the last approval that the plan's rule asks for.",
            automatic=True,
        ),
        Transition(
            "return",
            (State.PROPOSED, State.APPROVED, State.SUSPENDED),
            State.DRAFT,
            _HUB,
            "operation.returned",
            "Follows from a substantive change of the plan, from a participant leaving, or from a rejection that puts "
            "the rule out of reach: decisions given before are void.",
            automatic=True,
        ),
        Transition(
            "activate",
            (State.APPROVED,),
            State.ACTIVE,
            _LEAD,
            "operation.activated",
            "It begins: with its approvals on the plan as it stands, and no serious conflict open.",
        ),
        Transition(
            "suspend",
            (State.ACTIVE,),
            State.SUSPENDED,
            _LEAD,
            "operation.suspended",
            "It is interrupted, for a reason.",
        ),
        Transition(
            "resume",
            (State.SUSPENDED,),
            State.ACTIVE,
            _LEAD,
            "operation.resumed",
            "It goes on, under the same conditions as it began.",
        ),
        Transition(
            "complete",
            (State.ACTIVE,),
            State.COMPLETED,
            _LEAD,
            "operation.completed",
            "It is over; the participants add what came of it and what they learned.",
        ),
        Transition(
            "cancel",
            (State.DRAFT, *LIVE),
            State.CANCELLED,
            _LEAD,
            "operation.cancelled",
            "It is given up, for a reason.",
        ),
        Transition(
            "leave",
            (State.DRAFT, *LIVE),
            None,
            _PARTY,
            "operation.left",
            "An agency ends its part and sees the operation no more. Before it began, that makes the plan a draft.",
        ),
        Transition(
            "log",
            (State.ACTIVE, State.SUSPENDED, State.COMPLETED),
            None,
            _PARTY,
            "operation.logged",
            "What happened is written down; for 7 days after the operation is completed.",
        ),
        Transition(
            "outcome",
            (State.ACTIVE, State.SUSPENDED, State.COMPLETED),
            None,
            _ACTING,
            "operation.outcome_recorded",
            "An agency says what came of it: arrested, rescued, seized.",
        ),
        Transition(
            "debrief",
            (State.COMPLETED,),
            None,
            _PARTY,
            "operation.debriefed",
            "An agency says what it learned.",
        ),
    ),
)
