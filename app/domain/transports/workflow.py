"""The course of a transport, as one table."""

from typing import Final

from app.models.transport_vocabularies import TransportState as State
from app.workflow import Transition, Workflow

_ORGANIZER: Final = "the organizer"
_SIDE: Final = "a side of the person's request"
_HUB: Final = "the hub"

WORKFLOW: Final = Workflow[State](
    State.PLANNED,
    (
        Transition(
            "freeze",
            (State.PLANNED,),
            State.FROZEN,
            _ORGANIZER,
            "transport.frozen",
            "The manifest is closed: permits, escorts and clearances are there, and requests are scheduled.",
        ),
        Transition(
            "unfreeze",
            (State.FROZEN,),
            State.PLANNED,
            _ORGANIZER,
            "transport.unfrozen",
            "The manifest is opened again, for a reason, and its requests are cleared ones again.",
        ),
        Transition(
            "board",
            (State.FROZEN, State.BOARDING),
            State.BOARDING,
            _SIDE,
            "transport.boarding",
            "People board, or do not come; the first of them begins it.",
        ),
        Transition(
            "depart",
            (State.BOARDING,),
            State.DEPARTED,
            _ORGANIZER,
            "transport.departed",
            "It leaves, once everybody has boarded or is known not to come; requests are in transit.",
        ),
        Transition("arrive", (State.DEPARTED,), State.ARRIVED, _ORGANIZER, "transport.arrived", "It has arrived."),
        Transition(
            "hand-over",
            (State.ARRIVED,),
            None,
            "the side of the person's request in the country of arrival",
            "transport.manifest_changed",
            "People are received, with a receipt for each.",
        ),
        Transition(
            "complete",
            (State.ARRIVED,),
            State.COMPLETED,
            _HUB,
            "transport.completed",
            "Follows from the last receipt.",
            automatic=True,
        ),
        Transition(
            "cancel",
            (State.PLANNED, State.FROZEN, State.BOARDING),
            State.CANCELLED,
            _ORGANIZER,
            "transport.cancelled",
            "It does not take place, for a reason; its people are free for another one.",
        ),
    ),
)
