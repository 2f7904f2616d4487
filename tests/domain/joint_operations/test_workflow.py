"""The table of an operation's course, and random walks over it: nothing happens that the table does not have."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.problems import Problem
from app.domain.joint_operations.workflow import LIVE, WORKFLOW
from app.models.operation_vocabularies import JointOperationState as State
from app.workflow import Transition, Workflow
from tests.conftest import Hub, Partner
from tests.routers.deconflicting import nothing_in_the_way
from tests.routers.operating import ASSAULT, LEAD, WATCH, decide, draft, hours, move, read

ENDED = {State.COMPLETED, State.CANCELLED}


def test_every_state_is_reached_and_only_ends_lead_nowhere() -> None:
    reached, edge = {WORKFLOW.initial}, {WORKFLOW.initial}
    while edge:
        edge = {row.leads_to(state) for state in edge for row in WORKFLOW.transitions if state in row.sources} - reached
        reached |= edge
    assert reached == set(State)
    lasting = {
        state for state in State if {r.leads_to(state) for r in WORKFLOW.transitions if state in r.sources} <= {state}
    }
    assert lasting == ENDED
    assert set(LIVE).isdisjoint(ENDED | {State.DRAFT})


def test_nothing_is_active_that_was_not_approved() -> None:
    into = {row.action: set(row.sources) for row in WORKFLOW.transitions if row.target is State.ACTIVE}
    assert into == {"activate": {State.APPROVED}, "resume": {State.SUSPENDED}}
    assert {row.action for row in WORKFLOW.transitions if row.target is State.APPROVED} == {"approve"}
    assert {row.action for row in WORKFLOW.transitions if row.target is State.SUSPENDED} == {"suspend"}


@pytest.mark.parametrize("state", list(State))
def test_what_is_not_possible_says_what_is(state: State) -> None:
    for row in WORKFLOW.transitions:
        if state in row.sources:
            assert WORKFLOW.require(row.action, state) is row
            continue
        with pytest.raises(Problem) as refused:
            WORKFLOW.require(row.action, state)
        said = str(refused.value.detail)
        assert state in said
        assert all(action in said for action in WORKFLOW.possible(state))


def test_an_action_stands_in_one_row() -> None:
    row = Transition("propose", (State.DRAFT,), State.PROPOSED, "the lead", "operation.proposed", "Once.")
    with pytest.raises(ValueError, match="one row"):
        Workflow(State.DRAFT, (row, row))


STEPS = (
    "propose",
    "activate",
    "suspend",
    "resume",
    "complete",
    "cancel",
    "leave",
    "approve",
    "reject",
    "change",
    "name",
)


class Walk:
    """What the table says should have happened, beside what did."""

    def __init__(self) -> None:
        self.state: State = WORKFLOW.initial
        self.approved: set[str] = set()
        self.rejected = False
        self.members = {LEAD, ASSAULT, WATCH}
        self.known = {LEAD}

    def takes(self, step: str, agency: str) -> bool:
        """Whether a step is to succeed; the state is what it leads to."""
        if agency not in self.known:
            return False
        return bool(getattr(self, f"_{step}", lambda who: self._lead(step, who))(agency))

    def _lead(self, step: str, agency: str) -> bool:
        row = WORKFLOW.row(step)
        if agency != LEAD or self.state not in row.sources or (step == "propose" and self._proposed_so()):
            return False
        if step == "propose" and len(self.members) == 1:
            return False
        self.state = row.leads_to(self.state)
        if step == "propose":
            self.approved, self.known = set(), set(self.members)
        return True

    def _proposed_so(self) -> bool:
        return self.state is State.PROPOSED

    def _approve(self, agency: str) -> bool:
        if self.state is not State.PROPOSED or agency in self.approved:
            return False
        self.approved.add(agency)
        if self.approved == self.members:
            self.state = State.APPROVED
        return True

    def _reject(self, agency: str) -> bool:
        if self.state is not State.PROPOSED or agency in self.approved:
            return False
        self.state = State.DRAFT
        return True

    def _change(self, agency: str) -> bool:
        if agency != LEAD or self.state in (State.ACTIVE, *ENDED):
            return False
        if self.state in WORKFLOW.row("return").sources:
            self.state = State.DRAFT
        return True

    def _name(self, agency: str) -> bool:
        return agency == LEAD

    def _leave(self, agency: str) -> bool:
        if agency == LEAD or self.state not in WORKFLOW.row("leave").sources:
            return False
        self.members.discard(agency)
        self.known.discard(agency)
        self.approved.discard(agency)
        if self.state in (State.PROPOSED, State.APPROVED):
            self.state = State.DRAFT
        return True


async def _try(partner: Partner, path: str, step: str, count: int) -> bool:
    if step in ("approve", "reject"):
        if (await partner.get(path)).status_code != 200:
            return False
        extra: dict[str, Any] = {"reason": "No."} if step == "reject" else {}
        digest = (await read(partner, path))["plan_hash"]
        answer = await decide(partner, path, step, **extra) if digest else None
        return answer is not None and answer.status_code == 201
    if step == "change":
        answer = await partner.patch(path, {"window": {"ends_at": hours(40 + count)}}, "*")
    elif step == "name":
        answer = await partner.patch(path, {"codename": f"Lantern {count}"}, "*")
    else:
        answer = await move(partner, path, step, {"reason": "So."} if step in ("suspend", "cancel", "leave") else None)
    assert answer.status_code in (200, 204, 403, 404, 409, 422), answer.text
    return answer.is_success


_FORWARD = [("propose", LEAD), ("approve", LEAD), ("approve", ASSAULT), ("approve", WATCH), ("activate", LEAD)]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    forward=st.integers(0, len(_FORWARD)),
    steps=st.lists(st.tuples(st.sampled_from(STEPS), st.sampled_from([LEAD, ASSAULT, WATCH])), max_size=12),
)
async def test_random_walks_go_where_the_table_says(hub: Hub, forward: int, steps: list[tuple[str, str]]) -> None:
    registered = {code for (code,) in hub.look("SELECT code FROM agencies")}
    partners = {
        agency: hub.caller(agency if agency in registered else hub.register(agency), "operations_officer", "commander")
        for agency in (LEAD, ASSAULT, WATCH)
    }
    expected, walk = Walk(), [*_FORWARD[:forward], *steps]
    nothing_in_the_way(hub)
    path = await draft(partners[LEAD], ASSAULT, WATCH)
    for count, (step, agency) in enumerate(walk):
        takes = expected.takes(step, agency)
        assert await _try(partners[agency], path, step, count) is takes, (walk[: count + 1], expected.state)
        assert (await read(partners[LEAD], path))["state"] == expected.state, walk[: count + 1]
