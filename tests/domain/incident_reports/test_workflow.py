"""The course of a report, walked at random: whatever is possible leads somewhere, and nothing else is possible."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.problems import CONFLICT, Problem
from app.domain.incident_reports.workflow import WORKFLOW
from app.models.incident_vocabularies import IncidentState

ACTIONS = [row.action for row in WORKFLOW.transitions]


def test_the_straight_course() -> None:
    state = WORKFLOW.initial
    for action in ("investigate", "locate", "rescue", "close"):
        state = WORKFLOW.require(action, state).leads_to(state)
    assert state is IncidentState.CLOSED
    assert WORKFLOW.possible(state) == ["reopen"]


@given(st.lists(st.sampled_from(ACTIONS), max_size=40))
def test_a_walk_never_leaves_the_course(actions: list[str]) -> None:
    state = WORKFLOW.initial
    for action in actions:
        if action in WORKFLOW.possible(state):
            state = WORKFLOW.require(action, state).leads_to(state)
        else:
            with pytest.raises(Problem) as refused:
                WORKFLOW.require(action, state)
            assert refused.value.type is CONFLICT
            assert all(possible in (refused.value.detail or "") for possible in WORKFLOW.possible(state))
        assert state in IncidentState
        # Every state can be left, and closed is never far.
        assert WORKFLOW.possible(state)
        assert state is IncidentState.CLOSED or "close" in WORKFLOW.possible(state)


def test_every_state_is_reached_and_every_step_is_possible_somewhere() -> None:
    reached, grown = {WORKFLOW.initial}, 0
    while grown != len(reached):
        grown = len(reached)
        reached |= {row.leads_to(state) for row in WORKFLOW.transitions for state in set(row.sources) & reached}
    assert reached == set(IncidentState)
    for row in WORKFLOW.transitions:
        assert row.sentence.endswith(".")
        assert row.target not in row.sources
