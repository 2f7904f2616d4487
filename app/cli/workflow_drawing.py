"""A workflow as a picture: a column for each state, a line for each transition."""

from typing import Final

from app.core import svg
from app.workflow import S, Transition, Workflow

_LEFT: Final = 170
_COLUMN: Final = 118
_TOP: Final = 96
_ROW: Final = 40
_INK, _FAINT, _LINE, _STEP, _HUB = "#1f2933", "#52606d", "#d9dee4", "#0b5cad", "#8a5a00"


def draw(workflow: Workflow[S], title: str) -> str:
    """The workflow as an SVG document, in the order of its states and transitions."""
    states = list(type(workflow.initial))
    columns = {state: _LEFT + _COLUMN * number + _COLUMN / 2 for number, state in enumerate(states)}
    bottom = _TOP + _ROW * len(workflow.transitions)
    description = "; ".join(_told(row) for row in workflow.transitions)
    root = svg.drawing(_LEFT + _COLUMN * len(states) + 20, bottom + 24, title, description)
    svg.text(root, (20, 30), title, font_size="16", font_weight="600", fill=_INK)
    for state, x in columns.items():
        _draw_state(root, workflow, state, x, bottom)
    for number, row in enumerate(workflow.transitions):
        _draw_transition(root, row, columns, _TOP + _ROW * (number + 0.5))
    return svg.written(root)


def _told(row: Transition[S]) -> str:
    return f"{row.action}: from {' or '.join(row.sources)} to {row.destination}"


def _draw_state(root: svg.Element, workflow: Workflow[S], state: S, x: float, bottom: float) -> None:
    drawn = svg.group(root, "state", state.description)
    svg.line(drawn, (x, _TOP - 14), (x, bottom), stroke=_LINE)
    final = not any(state in row.sources and row.target not in (None, state) for row in workflow.transitions)
    svg.rectangle(drawn, (x - 52, _TOP - 42), (104, 28), rx="6", fill="#ffffff", stroke=_INK)
    if final:
        svg.rectangle(drawn, (x - 49, _TOP - 39), (98, 22), rx="4", fill="none", stroke=_INK)
    if state is workflow.initial:
        svg.shape(drawn, "circle", cx=x, cy=_TOP - 50.0, r=4.0, fill=_INK)
    svg.text(drawn, (x, _TOP - 24), state.value, text_anchor="middle", fill=_INK)


def _draw_transition(root: svg.Element, row: Transition[S], columns: dict[S, float], y: float) -> None:
    colour = _HUB if row.automatic else _STEP
    drawn = svg.group(root, "transition automatic" if row.automatic else "transition", row.sentence)
    svg.text(drawn, (20, y), row.action, font_weight="600", fill=colour)
    svg.text(drawn, (20, y + 14), row.by, font_size="11", fill=_FAINT)
    sources = [columns[source] for source in row.sources]
    target = None if row.target is None else columns[row.target]
    dashed = {"stroke_dasharray": "5 4"} if row.automatic else {}
    if target is not None:
        # The line from the farthest source on each side passes those between.
        ends = [(min(sources), 1)] * (min(sources) < target) + [(max(sources), -1)] * (max(sources) > target)
        for end, toward in ends:
            tip = (target - (8 if target in sources else 2) * toward, y)
            back = tip[0] - 10 * toward
            svg.line(drawn, (end, y), (back, y), stroke=colour, stroke_width="2", **dashed)
            svg.path(drawn, tip, (back, y - 5), (back, y + 5), tip, class_="arrow", fill=colour)
    for x in sources:
        stays = target is None or x == target
        fill, stroke, radius = ("#ffffff", colour, 6.0) if stays else (colour, "#ffffff", 4.0)
        svg.shape(drawn, "circle", class_="source", cx=x, cy=y, r=radius, fill=fill, stroke=stroke, stroke_width="2")
