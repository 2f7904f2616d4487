"""State changes as rows of a table that nothing bypasses.

A kind of record with a course of its own names its states and the transitions between them once; what may be done now,
what comes of it, and the pages that draw it are read from there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.core.problems import CONFLICT, Problem
from app.core.vocabulary import Vocabulary

S = TypeVar("S", bound=Vocabulary)


@dataclass(frozen=True, slots=True)
class Transition(Generic[S]):
    """One thing that can happen to a record, where it may start, and where it leads."""

    action: str
    """The word of it: the last part of the call's path, and of the audit's action."""
    sources: tuple[S, ...]
    target: S | None
    """None: the state stays what it is."""
    by: str
    """Who does it, in words, for the docs."""
    event: str
    """The type of event that tells of it, as the database writes it."""
    sentence: str
    """What it means, for the docs."""
    automatic: bool = False
    """Whether it follows from another call instead of being one."""
    leads_back: bool = False
    """Without a target: whether it leads back to a state that was left, which the record names."""

    @property
    def destination(self) -> str:
        """Where it leads, in words."""
        if self.target is not None:
            return self.target.value
        return "the state that was left" if self.leads_back else "as it is"

    def leads_to(self, state: S) -> S:
        """The state after it, from this one."""
        return state if self.target is None else self.target


class Workflow(Generic[S]):
    """The whole course of one kind of record."""

    def __init__(self, initial: S, transitions: Iterable[Transition[S]]) -> None:
        self.initial = initial
        self.transitions: Sequence[Transition[S]] = tuple(transitions)
        self._by_action = {transition.action: transition for transition in self.transitions}
        if len(self._by_action) != len(self.transitions):
            raise ValueError("an action stands in one row")

    def possible(self, state: S) -> list[str]:
        """The calls that may be tried in a state."""
        return [row.action for row in self.transitions if state in row.sources and not row.automatic]

    def row(self, action: str) -> Transition[S]:
        """The row of an action."""
        return self._by_action[action]

    def require(self, action: str, state: S) -> Transition[S]:
        """The row of an action that is possible in a state; otherwise 409, which says what is."""
        row = self._by_action[action]
        if state not in row.sources:
            now = ", ".join(self.possible(state)) or "nothing"
            raise Problem(CONFLICT, detail=f"It is {state}: {action} is not possible now, only {now}.")
        return row
