"""The drawn pages of the docs are those that the tables of the hub make."""

import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from app.cli import workflow
from app.cli.workflow import Course
from app.domain.joint_operations.workflow import WORKFLOW as OPERATIONS
from app.domain.repatriation_requests.workflow import WORKFLOW as REPATRIATIONS
from app.domain.transports.workflow import WORKFLOW as TRANSPORTS
from app.workflow import Workflow
from tests.cli.conftest import Command

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("course", Course)
def test_the_page_about_a_course_is_this_one(course: Course) -> None:
    stale = "the drawn pages of docs/guides are stale: run make docs"
    assert (GUIDES / f"{course}-workflow.md").read_text("utf-8") == workflow.page(course), stale
    assert (GUIDES / f"{course}-workflow.svg").read_text("utf-8") == workflow.picture(course), stale


def test_the_command_prints_both(bare: Command) -> None:
    for course in Course:
        assert bare("workflow", course).out == workflow.page(course)
        assert bare("workflow", course, "--form", "picture").out == workflow.picture(course)


@pytest.mark.parametrize(
    ("course", "table"),
    [
        (Course.JOINT_OPERATIONS, OPERATIONS),
        (Course.REPATRIATION_REQUESTS, REPATRIATIONS),
        (Course.TRANSPORTS, TRANSPORTS),
    ],
)
def test_every_state_and_every_step_is_drawn(course: Course, table: Workflow[Any]) -> None:
    root = ET.fromstring(workflow.picture(course))  # noqa: S314 - our own
    words = {text.text for text in root.iter(f"{SVG}text")}
    assert {*type(table.initial), *(row.action for row in table.transitions)} <= words
    columns = {
        group.findtext(f"{SVG}text"): float(group.find(f"{SVG}line").get("x1", ""))  # type: ignore[union-attr]
        for group in root.iter(f"{SVG}g")
        if group.get("class") == "state"
    }
    assert all(left < right for left, right in pairwise(columns.values()))
    drawn = [group for group in root.iter(f"{SVG}g") if "transition" in group.get("class", "")]
    for row, group in zip(table.transitions, drawn, strict=True):
        assert {float(dot.get("cx", "")) for dot in group.iter(f"{SVG}circle")} == {columns[s] for s in row.sources}
        tips = {float(arrow.get("points", "").split(",")[0]) for arrow in group.findall(f"{SVG}polyline")}
        moves = row.target is not None and set(row.sources) != {row.target}
        assert bool(tips) is moves
        assert all(abs(tip - columns[row.target]) <= 8 for tip in tips)
