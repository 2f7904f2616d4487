"""The picture of an operation's course: everything stands where its moment is, and every word can be read."""

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.joint_operations.timeline import WIDTH, Course, Mark, Phase, Task, draw, scale_of

SVG = "{http://www.w3.org/2000/svg}"


def at(hour: float) -> datetime:
    return datetime(2026, 11, 22, tzinfo=UTC) + timedelta(hours=hour)


COURSE = Course(
    title="Lantern: <Entry> & exit",
    caption="KR-KNPA-JO-2026-481902, active",
    window=(at(2), at(10)),
    phases=[
        Phase(
            "Surveillance",
            at(2),
            at(4),
            [Task("Watch the gate", "KH-CNP", at(3), done=True, done_at=at(2.5)), Task("정문 감시", "KR-KNPA", at(4))],
        ),
        Phase("Entry", at(4), at(6), [Task("ចូលតាមច្រក", "KH-CNP", at(8)), Task("No day yet", "TH-RTP")]),
        Phase("Care"),
    ],
    marks=[
        Mark(at(5), "KR-KNPA", "arrest", "두 명 체포"),
        Mark(at(4), "KH-CNP", "entry", "فتحت البوابة \u202e<gate>"),
    ],
)


def drawn(course: Course = COURSE, now: datetime | None = None) -> ET.Element:
    return ET.fromstring(draw(course, now or at(5)))  # noqa: S314 - our own


def groups(root: ET.Element, name: str) -> list[ET.Element]:
    return [group for group in root.iter(f"{SVG}g") if name in group.get("class", "").split()]


def number(element: ET.Element, name: str) -> float:
    return float(element.get(name, ""))


def moment_at(root: ET.Element, x: float) -> datetime:
    """Which moment stands at `x`, by the window alone."""
    (band,) = groups(root, "window")
    rectangle = band.find(f"{SVG}rect")
    assert rectangle is not None
    share = (x - number(rectangle, "x")) / number(rectangle, "width")
    return at(2) + share * timedelta(hours=8)


def close(found: datetime, expected: datetime) -> bool:
    return abs(found - expected) < timedelta(minutes=1)


def test_bars_stand_at_their_times() -> None:
    root = drawn()
    for phase, (start, end) in zip(groups(root, "phase"), [(2, 4), (4, 6), (2, 10)], strict=True):
        rectangle = phase.findall(f"{SVG}rect")[0]
        assert close(moment_at(root, number(rectangle, "x")), at(start))
        assert close(moment_at(root, number(rectangle, "x") + number(rectangle, "width")), at(end))


def test_tasks_stand_where_they_are_due_and_say_whether_they_are_done() -> None:
    root = drawn()
    tasks = groups(root, "task")
    due = [task.findall(f"{SVG}polyline[@class='due']") for task in tasks]
    placed = [moment_at(root, float(marks[0].get("points", "").split(",")[0])) for marks in due if marks]
    assert all(map(close, placed, [at(3), at(4), at(8)]))
    assert [bool(marks) for marks in due] == [True, True, True, False]
    # In its box, and where it was said to be done.
    assert [len(task.findall(f"{SVG}polyline[@class='check']")) for task in tasks] == [2, 0, 0, 0]
    told = [task.findtext(f"{SVG}title") for task in tasks]
    assert told[0] == "Watch the gate (KH-CNP): done, due 2026-11-22 03:00"
    assert told[1] == "정문 감시 (KR-KNPA): overdue, due 2026-11-22 04:00"
    assert told[3] == "No day yet (TH-RTP): not done"


def test_entries_stand_in_order_with_their_numbers() -> None:
    root = drawn()
    circles = [mark.find(f"{SVG}circle") for mark in groups(root, "mark")]
    assert [
        close(moment_at(root, number(c, "cx")), at(h)) for c, h in zip(circles, (4, 5), strict=True) if c is not None
    ]
    lines = [[text.text for text in entry.iter(f"{SVG}text")] for entry in groups(root, "entry")]
    assert lines[0] == ["1", "2026-11-22 04:00", "KH-CNP", "entry", "فتحت البوابة \u202e<gate>"]
    assert lines[1][-1] == "두 명 체포"


def test_words_of_every_script_survive() -> None:
    words = {text.text for text in drawn().iter(f"{SVG}text")}
    assert {"Lantern: <Entry> & exit", "정문 감시", "ចូលតាមច្រក", "Surveillance", "KH-CNP"} <= words
    # What turns the direction of writing does so in its own words alone.
    assert {text.get("unicode-bidi") for text in drawn().iter(f"{SVG}text")} == {"isolate"}


def test_it_runs_nothing_and_loads_nothing() -> None:
    root = drawn()
    assert {part.tag.removeprefix(SVG) for part in root.iter()} <= {
        *("svg", "title", "desc", "g", "rect", "line", "polyline", "circle", "text"),
    }
    names = {name for part in root.iter() for name in part.attrib}
    assert not any(name.startswith("on") or "href" in name or name == "style" for name in names)
    assert re.findall(r"https?://[^\"]+", draw(COURSE, at(5))) == ["http://www.w3.org/2000/svg"]
    assert "url(" not in draw(COURSE, at(5))


@pytest.mark.parametrize(("hour", "shown"), [(5, True), (-400, False), (400, False)])
def test_now_is_a_line_where_it_falls_into_the_plan(hour: float, shown: bool) -> None:  # noqa: FBT001 - a parameter
    root = drawn(now=at(hour))
    lines = groups(root, "now")
    assert bool(lines) is shown
    for group in lines:
        line = group.find(f"{SVG}line")
        assert line is not None
        assert close(moment_at(root, number(line, "x1")), at(hour))


def test_a_plan_without_times_is_drawn_too() -> None:
    root = drawn(Course("Nothing yet", "draft", phases=[Phase("Entry", tasks=[Task("Watch", "KH-CNP")])]))
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert words == ["Nothing yet", "draft", "No moment is planned yet.", "Entry", "Watch", "KH-CNP"]


def test_an_entry_from_long_ago_presses_nothing_together() -> None:
    old = Course(
        "x", "x", window=COURSE.window, marks=[Mark(datetime(1999, 1, 1, tzinfo=UTC), "KR-KNPA", "other", "x")]
    )
    scale = scale_of(old)
    assert scale is not None
    assert scale.end - scale.start < timedelta(hours=12)
    circle = next(drawn(old).iter(f"{SVG}circle"))
    assert 0 < number(circle, "cx") < WIDTH


moments = st.datetimes(timezones=st.just(UTC))


@given(st.lists(moments, min_size=1, max_size=6), st.lists(moments, max_size=3), moments)
def test_any_moments_can_be_drawn(planned: list[datetime], logged: list[datetime], now: datetime) -> None:
    start, end = min(planned), max(planned)
    course = Course(
        "Any",
        "x",
        window=(start, end) if start < end else None,
        phases=[Phase("x", start, end, [Task("x", "x", moment) for moment in planned])],
        marks=[Mark(moment, "x", "other", "x") for moment in logged],
    )
    root = drawn(course, now)
    scale = scale_of(course)
    assert scale is not None
    ticks = list(scale.ticks())
    assert len(ticks) <= 10
    assert all(scale.start < tick < scale.end for tick in ticks)
    assert all(later - earlier == scale.step for earlier, later in pairwise(ticks))
    for element in root.iter(f"{SVG}circle"):
        assert 0 <= number(element, "cx") <= WIDTH
