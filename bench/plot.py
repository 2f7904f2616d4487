"""Bars and lines as SVG, written by hand: a plot needs no library, and a reader in a browser needs nothing else."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

COLOURS = ("#0b5cad", "#d1495b", "#3a7d44", "#8a5a00", "#6a4c93", "#5b6770")
PLAIN = "font-family='system-ui, sans-serif' font-size='12' fill='#222'"
SMALL = "style='font-size:10px'"
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 52, 52
HEIGHT = 320


@dataclass
class _Canvas:
    width: int
    title: str
    parts: list[str] = field(default_factory=list)

    def text(self, x: float, y: float, text: str, anchor: str = "middle", extra: str = "") -> None:
        self.parts.append(f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' {PLAIN} {extra}>{escape(text)}</text>")

    def line(
        self, start: tuple[float, float], end: tuple[float, float], colour: str = "#ddd", width: float = 1
    ) -> None:
        self.parts.append(
            f"<line x1='{start[0]:.1f}' y1='{start[1]:.1f}' x2='{end[0]:.1f}' y2='{end[1]:.1f}' "
            f"stroke='{colour}' stroke-width='{width}'/>"
        )

    def bar(self, x: float, width: float, height: float, colour: str) -> None:
        y = HEIGHT - BOTTOM - height
        self.parts.append(f"<rect x='{x:.1f}' y='{y:.1f}' width='{width:.1f}' height='{height:.1f}' fill='{colour}'/>")

    def curve(self, points: Sequence[tuple[float, float]], colour: str) -> None:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='2'/>")
        self.parts += [f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3.5' fill='{colour}'/>" for x, y in points]

    def legend(self, names: Sequence[str]) -> None:
        x = float(LEFT)
        for name, colour in zip(names, _colours(len(names)), strict=True):
            self.parts.append(f"<rect x='{x:.1f}' y='30' width='10' height='10' fill='{colour}'/>")
            self.text(x + 15, 39, name, "start")
            x += _legend_width(name)

    def svg(self) -> str:
        head = (
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {self.width} {HEIGHT}' width='{self.width}' "
            f"height='{HEIGHT}' role='img' aria-label='{escape(self.title, quote=True)}'>"
            f"<rect width='100%' height='100%' fill='#fff'/>"
        )
        self.text(LEFT, 18, self.title, "start", "font-weight='600'")
        return "\n".join([head, *self.parts, "</svg>"]) + "\n"


def _legend_width(name: str) -> float:
    return 30 + 6.6 * len(name)


def _width(plot: float, names: Iterable[str]) -> int:
    """As wide as the plot or its legend needs."""
    return math.ceil(LEFT + RIGHT + max(plot, sum(map(_legend_width, names))))


def _colours(count: int) -> list[str]:
    return [COLOURS[index % len(COLOURS)] for index in range(count)]


def ticks(largest: float, wanted: int = 5) -> list[float]:
    """Round numbers from 0 to the first one that is not below `largest`, about `wanted` of them."""
    if largest <= 0:
        return [0.0, 1.0]
    rough = largest / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * (1 - 1e-9))
    return [index * step for index in range(math.ceil(largest / step - 1e-9) + 1)]


def _number(value: float) -> str:
    digits = max(0, 1 - math.floor(math.log10(value))) if 0 < value != int(value) else 0
    return f"{value:,.{digits}f}"


def _frame(canvas: _Canvas, largest: float) -> float:
    """Draw the value axis; the pixels that one unit takes."""
    marks = ticks(largest)
    scale = (HEIGHT - TOP - BOTTOM) / marks[-1]
    for mark in marks:
        y = HEIGHT - BOTTOM - mark * scale
        canvas.line((LEFT, y), (canvas.width - RIGHT, y))
        canvas.text(LEFT - 6, y + 4, _number(mark), "end")
    return scale


def bars(title: str, groups: Sequence[str], series: Mapping[str, Sequence[float | None]]) -> str:
    """Bars side by side: one group for every case, in it one bar for every server that has a value there."""
    group_width = max(28 * len(series) + 28, 110)
    canvas = _Canvas(_width(len(groups) * group_width, series), title)
    scale = _frame(canvas, _largest(series))
    bar_width = (group_width - 28) / len(series)
    colours = _colours(len(series))
    for place, group in enumerate(groups):
        middle = LEFT + (place + 0.5) * group_width
        canvas.text(middle, HEIGHT - BOTTOM + 18, group)
        shown = [(each[place], colour) for each, colour in zip(series.values(), colours, strict=True)]
        x = middle - sum(value is not None for value, _ in shown) * bar_width / 2
        for value, colour in shown:
            if value is not None:
                canvas.bar(x + 1, bar_width - 2, value * scale, colour)
                canvas.text(x + bar_width / 2, HEIGHT - BOTTOM - value * scale - 4, _number(value), extra=SMALL)
                x += bar_width
    canvas.legend(list(series))
    return canvas.svg()


def lines(title: str, positions: Sequence[float], series: Mapping[str, Sequence[float | None]], axis: str) -> str:
    """Lines over a logarithmic axis, with a point wherever a series has a value."""
    canvas = _Canvas(_width(560, series), title)
    scale = _frame(canvas, _largest(series))
    low, high = math.log10(min(positions)), math.log10(max(positions))
    span = (high - low) or 1.0
    places = [LEFT + 30 + (math.log10(each) - low) / span * (canvas.width - LEFT - RIGHT - 60) for each in positions]
    for place, position in zip(places, positions, strict=True):
        canvas.text(place, HEIGHT - BOTTOM + 18, _number(position))
    canvas.text((LEFT + canvas.width - RIGHT) / 2, HEIGHT - 12, axis)
    for values, colour in zip(series.values(), _colours(len(series)), strict=True):
        pairs = zip(places, values, strict=True)
        canvas.curve([(x, HEIGHT - BOTTOM - value * scale) for x, value in pairs if value is not None], colour)
    canvas.legend(list(series))
    return canvas.svg()


def _largest(series: Mapping[str, Sequence[float | None]]) -> float:
    return max((value for each in series.values() for value in each if value is not None), default=0)
