"""The course of a repatriation request, as one table, and which side takes each step."""

from collections.abc import Mapping
from typing import Final

from app.models.repatriation_vocabularies import RepatriationSide as Side
from app.models.repatriation_vocabularies import RepatriationState as State
from app.workflow import Transition, Workflow

_REQUESTING: Final = "the requesting side"
_REQUESTED: Final = "the requested side"
_EITHER: Final = "either side"
_HUB: Final = "the hub"

ANSWERED: Final = (State.SUBMITTED, State.ACKNOWLEDGED, State.ACCEPTED, State.CLEARED, State.SCHEDULED)
"""Submitted, and not yet on the way."""

LIVE: Final = (*ANSWERED, State.IN_TRANSIT, State.ON_HOLD)
"""States in which somebody counts on the request."""

WORKFLOW: Final = Workflow[State](
    State.DRAFT,
    (
        Transition(
            "submit",
            (State.DRAFT,),
            State.SUBMITTED,
            _REQUESTING,
            "repatriation.submitted",
            "The requested side and the transit agencies see it, and its checklist is made.",
        ),
        Transition(
            "acknowledge",
            (State.SUBMITTED,),
            State.ACKNOWLEDGED,
            _REQUESTED,
            "repatriation.acknowledged",
            "It has come to those who work on it.",
        ),
        Transition(
            "accept",
            (State.ACKNOWLEDGED,),
            State.ACCEPTED,
            _REQUESTED,
            "repatriation.accepted",
            "The requested side agrees: both work through the checklist.",
        ),
        Transition(
            "decline",
            ANSWERED,
            State.DECLINED,
            _REQUESTED,
            "repatriation.declined",
            "The requested side does not agree, or no more, and says why.",
        ),
        Transition(
            "clear",
            (State.ACCEPTED,),
            State.CLEARED,
            _REQUESTED,
            "repatriation.cleared",
            "Nothing stands in the way of the journey: the checklist is done as far as it has to be.",
        ),
        Transition(
            "schedule",
            (State.CLEARED,),
            State.SCHEDULED,
            _EITHER,
            "repatriation.scheduled",
            "The way home is booked; a transport whose manifest is frozen says so by itself.",
        ),
        Transition(
            "unschedule",
            (State.SCHEDULED, State.IN_TRANSIT),
            State.CLEARED,
            _HUB,
            "repatriation.unscheduled",
            "Follows from a transport that is cancelled or opened again, or that departs without somebody.",
            automatic=True,
        ),
        Transition(
            "depart",
            (State.SCHEDULED,),
            State.IN_TRANSIT,
            _EITHER,
            "repatriation.departed",
            "The people are on their way; a transport that departs says so by itself.",
        ),
        Transition(
            "hand-over",
            (State.IN_TRANSIT,),
            State.HANDED_OVER,
            _REQUESTED,
            "repatriation.handed_over",
            "They were handed over to the requesting side; the receipts of a transport say so by themselves.",
        ),
        Transition(
            "close",
            (State.HANDED_OVER,),
            State.CLOSED,
            _REQUESTING,
            "repatriation.closed",
            "They are with whom they were to come to: nothing more is to be done.",
        ),
        Transition(
            "hold",
            ANSWERED,
            State.ON_HOLD,
            _EITHER,
            "repatriation.held",
            "One side has to stop, and says why.",
        ),
        Transition(
            "resume",
            (State.ON_HOLD,),
            None,
            _EITHER,
            "repatriation.resumed",
            "The side that stopped goes on, from the state that was left.",
            leads_back=True,
        ),
        Transition(
            "withdraw",
            (State.DRAFT, *ANSWERED, State.ON_HOLD),
            State.WITHDRAWN,
            _REQUESTING,
            "repatriation.withdrawn",
            "The requesting side takes it back, and says why.",
        ),
        Transition(
            "return",
            ANSWERED,
            State.SUBMITTED,
            _HUB,
            "repatriation.returned",
            "Follows from a change of category, legal act, countries or agencies: the requested side answers afresh.",
            automatic=True,
        ),
    ),
)

SIDES: Final[Mapping[str, frozenset[Side]]] = {
    row.action: {
        _REQUESTING: frozenset({Side.REQUESTING}),
        _REQUESTED: frozenset({Side.REQUESTED}),
        _EITHER: frozenset({Side.REQUESTING, Side.REQUESTED}),
    }[row.by]
    for row in WORKFLOW.transitions
    if not row.automatic
}
"""Which side takes each step."""
