"""Numbers of years as bars, side by side: what is missing is drawn as a gap that says so, and never as zero."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.core import svg

WIDTH: Final = 960
YEARS_MAX: Final = 15
"""Years that are drawn at most: the latest."""

_LEFT, _RIGHT, _TOP, _PLOT = 72, 24, 92, 300
_LEGEND: Final = 20
_GAP: Final = 84
"""How high a gap is, so that its words fit in."""
_TICKS_MAX: Final = 6
_BAR_MAX: Final = 46.0
_INK, _FAINT, _LINE, _MISSING = "#1f2933", "#52606d", "#d9dee4", "#52606d"
# Each is at least 4.5 : 1 on white (WCAG 2.2, 1.4.3 and 1.4.11); the second of a pair fills the part not yet certain.
_COLOURS: Final = (("#0b5cad", "#bcd8f2"), ("#a8480b", "#f3d3bd"), ("#5b3a8c", "#d9cfea"), ("#22693c", "#cbe5d3"))
SERIES_MAX: Final = len(_COLOURS)
"""Series that are drawn at most beside one another."""


@dataclass(frozen=True, slots=True)
class Bar:
    """The number of one year."""

    value: int
    certain: int | None = None
    """How much of it is drawn as certain; all of it where nothing is told apart."""
    words: str | None = None
    """What is to be known of it, below the year: the months it covers."""


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers of one source, by year; what a year without one is called."""

    name: str
    gap: str
    bars: dict[int, Bar] = field(default_factory=dict)
    gaps: dict[int, str] = field(default_factory=dict)
    """Years of which something else is to be said than `gap`."""

    def told(self, year: int) -> str:
        """The number of a year in words."""
        bar = self.bars.get(year)
        if bar is None:
            return self.gaps.get(year, self.gap)
        certain = "" if bar.certain is None else f", {bar.certain:,} of them confirmed"
        return f"{bar.value:,}{certain}" + ("" if bar.words is None else f" ({bar.words})")


@dataclass(frozen=True, slots=True)
class Chart:
    """All that is drawn."""

    title: str
    caption: str
    series: Sequence[Series]
    notes: Sequence[str] = ()

    def years(self) -> list[int]:
        """From the first year of which anything is said to the last, without a break; the latest of them."""
        said = [year for series in self.series for year in (*series.bars, *series.gaps)]
        return list(range(max(min(said), max(said) - YEARS_MAX + 1), max(said) + 1)) if said else []


@dataclass(frozen=True, slots=True)
class _Plane:
    """Where years and numbers stand."""

    years: Sequence[int]
    top: float
    most: int
    sources: int

    @property
    def ground(self) -> float:
        return self.top + _PLOT

    @property
    def room(self) -> float:
        """What one year takes up."""
        return (WIDTH - _LEFT - _RIGHT) / max(len(self.years), 1)

    @property
    def bar(self) -> float:
        return min(_BAR_MAX, self.room * 0.8 / self.sources)

    @property
    def step(self) -> int:
        """From one line to the next: one, two or five, and noughts."""
        tens: int = 10 ** max(len(str(self.most)) - 2, 0)
        steps = (factor * tens for factor in (1, 2, 5, 10, 20, 50, 100))
        return next(step for step in steps if self.most <= step * _TICKS_MAX)

    @property
    def end(self) -> int:
        """The highest line."""
        return -(-max(self.most, 1) // self.step) * self.step

    def x(self, index: int, source: int) -> float:
        middle = _LEFT + self.room * (index + 0.5)
        return middle + self.bar * (source - self.sources / 2)

    def height(self, value: int) -> float:
        """As high as the number; whatever is more than nothing can be seen."""
        return max(_PLOT * value / self.end, 2.0 if value else 0.0)


def draw(chart: Chart) -> str:
    """The chart as an SVG document, which is the same whenever the chart is."""
    years = chart.years()
    values = [series.bars[year].value for series in chart.series for year in years if year in series.bars]
    told_apart = any(bar.certain is not None for series in chart.series for bar in series.bars.values())
    top = _TOP + _LEGEND * (len(chart.series) + told_apart)
    plane = _Plane(years, top, max(values, default=1) or 1, max(len(chart.series), 1))
    notes = plane.ground + 62
    height = int(notes + 18 * len(chart.notes))
    root = svg.drawing(WIDTH, height, chart.title, _description(chart, years))
    svg.text(root, (24, 36), svg.shortened(chart.title, 80), font_size="20", font_weight="600", fill=_INK)
    svg.text(root, (24, 60), svg.shortened(chart.caption, 130), font_size="13", fill=_FAINT)
    _draw_legend(root, chart, told_apart=told_apart)
    _draw_lines(root, plane)
    for index, year in enumerate(years):
        _draw_year(root, chart, plane, index, year)
    for number, words in enumerate(chart.notes):
        svg.text(root, (24, notes + 18 * number), svg.shortened(words, 140), fill=_FAINT)
    if not years:
        svg.text(root, (_LEFT + 12, plane.ground - 12), "Nothing is counted or declared.", font_size="14", fill=_FAINT)
    return svg.written(root)


def _description(chart: Chart, years: Sequence[int]) -> str:
    rows = (f"{year}: " + ", ".join(f"{series.name}: {series.told(year)}" for series in chart.series) for year in years)
    return " ".join([chart.caption + ".", *(f"{row}." for row in rows), *chart.notes])


def _draw_legend(root: svg.Element, chart: Chart, *, told_apart: bool) -> None:
    legend = svg.group(root, "legend")
    entries = [(series.name, _COLOURS[number][0], "none") for number, series in enumerate(chart.series)]
    if told_apart:
        entries.insert(1, ("of these not confirmed", _COLOURS[0][1], _COLOURS[0][0]))
    for number, (name, fill, stroke) in enumerate(entries):
        y = _TOP - 8 + _LEGEND * number
        svg.rectangle(legend, (24, y - 11), (14, 14), fill=fill, stroke=stroke)
        svg.text(legend, (46, y), svg.shortened(name, 110), font_size="13", fill=_INK)


def _draw_lines(root: svg.Element, plane: _Plane) -> None:
    lines = svg.group(root, "axis")
    for value in _ticks(plane):
        y = plane.ground - plane.height(value)
        svg.line(lines, (_LEFT, y), (WIDTH - _RIGHT, y), stroke=_INK if value == 0 else _LINE)
        svg.text(lines, (_LEFT - 8, y + 4), f"{value:,}", text_anchor="end", fill=_FAINT)


def _ticks(plane: _Plane) -> Iterator[int]:
    yield from range(0, plane.end + 1, plane.step)


def _draw_year(root: svg.Element, chart: Chart, plane: _Plane, index: int, year: int) -> None:
    drawn = svg.group(root, "year")
    middle = _LEFT + plane.room * (index + 0.5)
    svg.text(
        drawn,
        (middle, plane.ground + 20),
        f"{year}",
        text_anchor="middle",
        font_size="13",
        font_weight="600",
        fill=_INK,
    )
    for source, series in enumerate(chart.series):
        corner = plane.x(index, source)
        told = f"{year}, {series.name}: {series.told(year)}"
        bar = series.bars.get(year)
        if bar is None:
            _draw_gap(svg.group(drawn, "missing", told), plane, corner, series.gaps.get(year, series.gap))
        else:
            _draw_bar(svg.group(drawn, "bar", told), plane, corner, bar, _COLOURS[source])


def _draw_bar(parent: svg.Element, plane: _Plane, corner: float, bar: Bar, colours: tuple[str, str]) -> None:
    width, height = plane.bar - 4, plane.height(bar.value)
    certain = height if bar.certain is None else plane.height(bar.certain)
    top = plane.ground - height
    if certain < height:
        svg.rectangle(parent, (corner + 2, top), (width, height), fill=colours[1], stroke=colours[0])
    svg.rectangle(parent, (corner + 2, plane.ground - certain), (width, certain), fill=colours[0])
    place = (corner + plane.bar / 2, top - 6)
    svg.text(parent, place, f"{bar.value:,}", text_anchor="middle", font_size="13", font_weight="600", fill=_INK)
    if bar.words is not None:
        place = (corner + plane.bar / 2, plane.ground + 36)
        svg.text(parent, place, bar.words, text_anchor="middle", font_size="11", fill=_FAINT)


def _draw_gap(parent: svg.Element, plane: _Plane, corner: float, words: str) -> None:
    """An empty frame with words that stand upright in it."""
    size = (plane.bar - 4, _GAP)
    svg.rectangle(
        parent, (corner + 2, plane.ground - _GAP), size, fill="#ffffff", stroke=_MISSING, stroke_dasharray="3 3"
    )
    x, y = corner + plane.bar / 2 + 4, plane.ground - _GAP / 2
    svg.text(
        parent, (x, y), words, text_anchor="middle", font_size="12", fill=_INK, transform=f"rotate(-90 {x:.1f} {y:.1f})"
    )
