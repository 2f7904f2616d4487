"""The picture of one operation, as its caller may see it."""

from typing import Final

from app.access.desk import Desk
from app.core import clock
from app.domain.joint_operations import log, timeline
from app.domain.joint_operations.plan_shapes import Task, Window
from app.domain.joint_operations.plans import content_of
from app.records.shelf import Stored, require_current

_NO_WINDOW: Final = "no window yet"


async def timeline_of(desk: Desk, stored: Stored) -> str:
    """The operation's course as an SVG document; what was logged stands in it for those who take part.

    409 once the operation is retracted or purged.
    """
    require_current(stored)
    content = content_of(stored)
    entries = await log.listed(desk, stored, "at", None, timeline.MARKS_MAX + 1)
    window = content.window
    title = content.title if content.codename is None else f"{content.codename}: {content.title}"
    course = timeline.Course(
        title=title,
        caption=f"{stored.envelope.reference}, {stored.envelope.state}, {_span(window)}",
        window=None if window is None else (window.starts_at, window.ends_at),
        phases=[
            timeline.Phase(phase.name, phase.starts_at, phase.ends_at, [_task(task) for task in phase.tasks])
            for phase in content.phases
        ],
        marks=[
            timeline.Mark(entry.at, entry.agency, entry.kind, entry.entry) for entry in entries[: timeline.MARKS_MAX]
        ],
        more_marks=len(entries) > timeline.MARKS_MAX,
    )
    return timeline.draw(course, clock.now())


def _task(task: Task) -> timeline.Task:
    return timeline.Task(task.title, task.agency, task.due_at, task.done, task.done_at)


def _span(window: Window | None) -> str:
    if window is None:
        return _NO_WINDOW
    return f"{timeline.to_the_minute(window.starts_at)} to {timeline.to_the_minute(window.ends_at)} UTC"
