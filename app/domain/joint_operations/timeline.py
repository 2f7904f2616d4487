"""An operation's course as a picture: its phases as bars over time, tasks by when they are due, and what was logged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from app.core import svg

WIDTH: Final = 1200
LEFT, RIGHT = 420, 24
TOP, ROW = 110, 26
MARKS_MAX: Final = 100
"""Entries of the log that are drawn at most: the newest."""

_BAR: Final = 14
_TICKS_MAX: Final = 9
_STEPS: Final = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 30, 60, 180, 360, 720)) + tuple(
    timedelta(days=days) for days in (1, 2, 7, 14, 30, 91, 365, 3650, 36500, 365000)
)
_DAY: Final = timedelta(days=1)
_MONDAY: Final = datetime(1970, 1, 5, tzinfo=UTC)

_INK, _FAINT, _LINE, _BAND = "#1f2933", "#52606d", "#d9dee4", "#eef4fb"
_PHASE, _DONE, _DUE, _LATE, _LOGGED = "#0b5cad", "#2f7d4a", "#8a5a00", "#c62f3e", "#6a4c93"


@dataclass(frozen=True, slots=True)
class Task:
    """Something an agency is to do."""

    title: str
    agency: str
    due_at: datetime | None = None
    done: bool = False
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the course; where a moment is missing it reaches to the end of the window."""

    name: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    tasks: Sequence[Task] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened."""

    at: datetime
    agency: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Course:
    """All that is drawn of an operation."""

    title: str
    caption: str
    window: tuple[datetime, datetime] | None = None
    phases: Sequence[Phase] = ()
    marks: Sequence[Mark] = ()
    more_marks: bool = field(default=False)
    """Whether older entries of the log are left out."""

    def moments(self) -> Iterator[datetime]:
        """Every moment of the plan."""
        yield from self.window or ()
        for phase in self.phases:
            yield from (moment for moment in (phase.starts_at, phase.ends_at) if moment is not None)
            for task in phase.tasks:
                yield from (moment for moment in (task.due_at, task.done_at) if moment is not None)


@dataclass(frozen=True, slots=True)
class Scale:
    """The span of time that is drawn, and where its moments stand."""

    start: datetime
    end: datetime

    def x(self, moment: datetime) -> float:
        """Where a moment stands; at the edge if it lies outside."""
        share = (min(max(moment, self.start), self.end) - self.start) / (self.end - self.start)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    @property
    def step(self) -> timedelta:
        """From one tick to the next."""
        return next((step for step in _STEPS if (self.end - self.start) / step <= _TICKS_MAX), _STEPS[-1])

    def ticks(self) -> Iterator[datetime]:
        """Round moments, in order."""
        passed = self.step - (self.start - _MONDAY) % self.step
        while passed < self.end - self.start:
            yield self.start + passed
            passed += self.step


def scale_of(course: Course) -> Scale | None:
    """The span that a course is drawn over; None where no moment is known.

    It is that of the plan, and up to a quarter of its length before and after it where something was logged there: an
    entry from long ago must not press the plan together.
    """
    planned = list(course.moments())
    logged = [mark.at for mark in course.marks]
    if not planned and not logged:
        return None
    start, end = min(planned or logged), max(planned or logged)
    beside = max((end - start) / 4, timedelta(hours=1))
    first, last = _moved(start, -beside), _moved(end, beside)
    start = min([start, *(max(at, first) for at in logged)])
    end = max([end, *(min(at, last) for at in logged)])
    margin = max(end - start, timedelta(minutes=30)) / 50
    return Scale(_moved(start, -margin), _moved(end, margin))


def _moved(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:  # the first or last year there is
        return moment


def draw(course: Course, now: datetime) -> str:
    """The course as an SVG document, with a line where `now` is."""
    scale = scale_of(course)
    rows = sum(1 + len(phase.tasks) for phase in course.phases) + (1 if course.marks else 0)
    bottom = TOP + rows * ROW
    height = bottom + 40 + len(course.marks) * 18 + (18 if course.more_marks else 0)
    root = svg.drawing(WIDTH, height, f"Timeline: {course.title}", _description(course))
    svg.text(root, (24, 34), svg.shortened(course.title, 90), font_size="18", font_weight="600", fill=_INK)
    svg.text(root, (24, 56), svg.shortened(course.caption, 150), fill=_FAINT)
    if scale is None:
        svg.text(root, (LEFT, TOP - 10), "No moment is planned yet.", fill=_FAINT)
    else:
        _draw_axis(root, course, scale, bottom)
    y = float(TOP)
    for phase in course.phases:
        y = _draw_phase(root, phase, course.window, scale, y, now)
    if scale is not None:
        _draw_log(root, course, scale, y, bottom + 30)
        _draw_now(root, scale, bottom, now)
    return svg.written(root)


def _description(course: Course) -> str:
    tasks = [task for phase in course.phases for task in phase.tasks]
    done = sum(task.done for task in tasks)
    return (
        f"{len(course.phases)} phases; {done} of {len(tasks)} tasks done; {len(course.marks)} entries of the log shown."
        " All times are UTC."
    )


def _draw_axis(root: svg.Element, course: Course, scale: Scale, bottom: int) -> None:
    if course.window is not None:
        start, end = course.window
        band = svg.group(root, "window", f"Window: {to_the_minute(start)} to {to_the_minute(end)}")
        x = scale.x(start)
        svg.rectangle(band, (x, TOP - 6), (scale.x(end) - x, bottom - TOP + 6), fill=_BAND)
    axis = svg.group(root, "axis")
    hours = scale.step < _DAY
    for tick in scale.ticks():
        x = scale.x(tick)
        svg.line(axis, (x, TOP - 6), (x, bottom), stroke=_LINE)
        label = f"{tick:%d %b}" if hours else f"{tick.date()}"
        svg.text(axis, (x, TOP - 24), label, text_anchor="middle", font_size="11", fill=_FAINT)
        if hours:
            svg.text(axis, (x, TOP - 11), f"{tick:%H:%M}", text_anchor="middle", font_size="11", fill=_FAINT)
    svg.text(axis, (LEFT - 8, TOP - 11), "UTC", text_anchor="end", font_size="11", fill=_FAINT)


def _draw_phase(
    root: svg.Element,
    phase: Phase,
    window: tuple[datetime, datetime] | None,
    scale: Scale | None,
    y: float,
    now: datetime,
) -> float:
    """A phase with its tasks, from `y` down; where the next one begins."""
    start = phase.starts_at or (window[0] if window else None)
    end = phase.ends_at or (window[1] if window else None)
    times = f"{to_the_minute(start)} to {to_the_minute(end)}" if start and end else "no times yet"
    drawn = svg.group(root, "phase", f"{phase.name}: {times}")
    svg.text(drawn, (24, y + 17), svg.shortened(phase.name, 50), font_weight="600", fill=_INK)
    if scale is not None and start is not None and end is not None and start < end:
        x = scale.x(start)
        size = (max(scale.x(end) - x, 2), _BAR)
        svg.rectangle(drawn, (x, y + (ROW - _BAR) / 2), size, rx="3", fill=_PHASE)
    for task in phase.tasks:
        y += ROW
        _draw_task(root, task, scale, y, now)
    return y + ROW


def _draw_task(root: svg.Element, task: Task, scale: Scale | None, y: float, now: datetime) -> None:
    late = not task.done and task.due_at is not None and task.due_at < now
    told = "done" if task.done else "overdue" if late else "not done"
    due = f", due {to_the_minute(task.due_at)}" if task.due_at else ""
    drawn = svg.group(root, "task done" if task.done else "task", f"{task.title} ({task.agency}): {told}{due}")
    middle = y + ROW / 2
    colour = _DONE if task.done else _LATE if late else _DUE
    svg.rectangle(drawn, (40, middle - 6), (12, 12), rx="2", fill="none", stroke=colour)
    if task.done:
        _draw_check(drawn, 46, middle)
    svg.text(drawn, (60, middle + 4), svg.shortened(task.title, 32), fill=_INK)
    svg.text(drawn, (LEFT - 12, middle + 4), svg.shortened(task.agency, 16), text_anchor="end", fill=_FAINT)
    if scale is not None and task.due_at is not None:
        x = scale.x(task.due_at)
        corners = ((x, middle - 6), (x + 6, middle), (x, middle + 6), (x - 6, middle), (x, middle - 6))
        svg.path(drawn, *corners, class_="due", fill=colour if task.done or late else "#ffffff", stroke=colour)
    if scale is not None and task.done and task.done_at is not None:
        _draw_check(drawn, scale.x(task.done_at), middle)


def _draw_check(parent: svg.Element, x: float, y: float) -> None:
    svg.path(
        parent, (x - 4, y), (x - 1, y + 4), (x + 5, y - 4), class_="check", fill="none", stroke=_DONE, stroke_width="2"
    )


def _draw_log(root: svg.Element, course: Course, scale: Scale, y: float, below: int) -> None:
    """The entries as numbered marks in a row at `y`, and as lines of text from `below` on."""
    if not course.marks:
        return
    svg.text(root, (24, y + 17), "Log", font_weight="600", fill=_INK)
    for number, mark in enumerate(sorted(course.marks, key=lambda mark: mark.at), start=1):
        told = f"{to_the_minute(mark.at)} {mark.agency}, {mark.kind}: {mark.text}"
        drawn = svg.group(root, "mark", told)
        x = scale.x(mark.at)
        svg.shape(drawn, "circle", cx=x, cy=y + ROW / 2, r=8.0, fill=_LOGGED, stroke="#ffffff")
        svg.text(drawn, (x, y + ROW / 2 + 3), f"{number}", text_anchor="middle", font_size="9", fill="#ffffff")
        line = svg.group(root, "entry")
        for place, words in ((24, f"{number}"), (56, to_the_minute(mark.at)), (190, mark.agency), (330, mark.kind)):
            svg.text(line, (place, below), svg.shortened(words, 18), font_size="11", fill=_FAINT)
        svg.text(line, (LEFT, below), svg.shortened(mark.text, 110), font_size="11", fill=_INK)
        below += 18
    if course.more_marks:
        svg.text(root, (24, below), "Older entries are left out.", font_size="11", fill=_FAINT)


def _draw_now(root: svg.Element, scale: Scale, bottom: int, now: datetime) -> None:
    if scale.start <= now <= scale.end:
        x = scale.x(now)
        drawn = svg.group(root, "now", f"Now: {to_the_minute(now)}")
        svg.line(drawn, (x, TOP - 6), (x, bottom), stroke=_LATE, stroke_width="1.5", stroke_dasharray="5 4")
        svg.text(drawn, (x, bottom + 12), "now", text_anchor="middle", font_size="11", fill=_LATE)


def to_the_minute(moment: datetime) -> str:
    """A moment in UTC, to the minute."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
