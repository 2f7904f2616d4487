"""The drawn pages of the docs are those that the tables of the hub make."""

import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

from app.cli import workflow
from app.domain.joint_operations.workflow import WORKFLOW
from app.models.operation_vocabularies import JointOperationState
from tests.cli.conftest import Command

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
SVG = "{http://www.w3.org/2000/svg}"


def test_the_page_about_operations_is_this_one() -> None:
    stale = "the drawn pages of docs/guides are stale: run make docs"
    assert (GUIDES / "joint-operations-workflow.md").read_text("utf-8") == workflow.page(), stale
    assert (GUIDES / "joint-operations-workflow.svg").read_text("utf-8") == workflow.picture(), stale


def test_the_command_prints_both(bare: Command) -> None:
    assert bare("workflow").out == workflow.page()
    assert bare("workflow", "--form", "picture").out == workflow.picture()


def test_every_state_and_every_step_is_drawn() -> None:
    root = ET.fromstring(workflow.picture())  # noqa: S314 - our own
    words = {text.text for text in root.iter(f"{SVG}text")}
    assert {*JointOperationState, *(row.action for row in WORKFLOW.transitions)} <= words
    columns = {
        group.findtext(f"{SVG}text"): float(group.find(f"{SVG}line").get("x1", ""))  # type: ignore[union-attr]
        for group in root.iter(f"{SVG}g")
        if group.get("class") == "state"
    }
    assert all(left < right for left, right in pairwise(columns.values()))
    drawn = [group for group in root.iter(f"{SVG}g") if "transition" in group.get("class", "")]
    for row, group in zip(WORKFLOW.transitions, drawn, strict=True):
        assert {float(dot.get("cx", "")) for dot in group.iter(f"{SVG}circle")} == {columns[s] for s in row.sources}
        tips = {float(arrow.get("points", "").split(",")[0]) for arrow in group.findall(f"{SVG}polyline")}
        moves = row.target is not None and set(row.sources) != {row.target}
        assert bool(tips) is moves
        assert all(abs(tip - columns[row.target]) <= 8 for tip in tips)
