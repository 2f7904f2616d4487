"""The course of an incident report. Every step of it is its originator's."""

from typing import Final

from app.models.incident_vocabularies import IncidentState
from app.workflow import Transition, Workflow

_OPEN, _INVESTIGATING, _LOCATED = IncidentState.OPEN, IncidentState.INVESTIGATING, IncidentState.LOCATED
_RESCUED, _CLOSED = IncidentState.RESCUED, IncidentState.CLOSED
_BY: Final = "originator"

WORKFLOW: Final = Workflow(
    _OPEN,
    (
        Transition(
            "investigate",
            (_OPEN, _LOCATED),
            _INVESTIGATING,
            _BY,
            "incident.investigated",
            "Somebody looks for the victims; once more, where the place they were thought to be at proved wrong.",
        ),
        Transition(
            "locate",
            (_OPEN, _INVESTIGATING),
            _LOCATED,
            _BY,
            "incident.located",
            "It is known where the victims are.",
        ),
        Transition(
            "rescue",
            (_INVESTIGATING, _LOCATED),
            _RESCUED,
            _BY,
            "incident.rescued",
            "The victims are out of the hands of those who held them, wherever that was.",
        ),
        Transition(
            "close",
            (_OPEN, _INVESTIGATING, _LOCATED, _RESCUED),
            _CLOSED,
            _BY,
            "incident.closed",
            "Nothing more is to be done; what the report says stays as it is.",
        ),
        Transition(
            "reopen",
            (_RESCUED, _CLOSED),
            _OPEN,
            _BY,
            "incident.reopened",
            "There is something to be done again: new word came, or the victims were taken again.",
        ),
    ),
)
