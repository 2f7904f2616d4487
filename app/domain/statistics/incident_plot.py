"""Incident reports by year, drawn beside what agencies declared officially."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import Final

from app.core.clock import rfc3339
from app.domain.statistics import yearly_plot
from app.domain.statistics.community import CommunityStatistics
from app.domain.statistics.figures import DeclaredFigure
from app.domain.statistics.incidents import IncidentSelection, IncidentStatistics
from app.domain.statistics.yearly_plot import Bar, Chart, Series

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NOT_REPORTED, _NO_FIGURE = "not reported", "no figure"


def of_visible(counted: IncidentStatistics, selection: IncidentSelection) -> str:
    """The reports that one agency sees, by year, as an SVG document."""
    bars = {int(row.key): Bar(row.reports, row.confirmed) for row in counted.items if row.key and row.reports}
    series = Series("counted: reports that your agency sees", "none seen", bars)
    asked = selection.model_dump(mode="json", exclude_none=True)
    narrowed = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in asked.items())
    caption = f"As of {_moment(counted.as_of or _end_of_day(counted.counted_at))}" + (
        f"; {narrowed}" if narrowed else ""
    )
    return _drawn("Incident reports by year", caption, series, counted.declared)


def of_community(published: CommunityStatistics) -> str:
    """All reports by year, as they were published, as an SVG document."""
    bars = {int(row.key): Bar(row.reports) for row in published.items}
    series = Series("counted: all reports, rounded to multiples of five", "none shown", bars)
    caption = "Nothing is published" if published.as_of is None else f"Published as of {_moment(published.as_of)}"
    return _drawn("Incident reports by year, all agencies", caption, series, published.declared)


def _drawn(title: str, caption: str, counted: Series, declared: Sequence[DeclaredFigure]) -> str:
    sources: dict[tuple[str, str], list[DeclaredFigure]] = defaultdict(list)
    for figure in declared:
        sources[figure.agency, figure.series].append(figure)
    shown = list(sources.items())[: yearly_plot.SERIES_MAX - 1]
    series = [_series(f"declared by {agency}: {name}", figures) for (agency, name), figures in shown]
    drawn = sum(len(one.bars) + len(one.gaps) for one in series)
    notes = []
    if len(declared) > drawn:
        left_out = len(declared) - drawn
        notes.append(f"Declared figures that are left out, since another of the same year is drawn: {left_out}.")
    chart = Chart(title, caption, [counted, *series], notes)
    years = chart.years()
    if years and min([*counted.bars, *(year for one in series for year in (*one.bars, *one.gaps))]) < years[0]:
        notes.append(f"Years before {years[0]} are left out.")
    return yearly_plot.draw(chart)


def _series(name: str, figures: Sequence[DeclaredFigure]) -> Series:
    """Figures by year, of several within one year that of the longest period; those of several years stand in none."""
    made = Series(name, _NO_FIGURE)
    for figure in sorted(figures, key=_months):
        year = int(figure.period_from[:4])
        if figure.period_to[:4] != figure.period_from[:4]:
            continue
        made.bars.pop(year, None)
        made.gaps.pop(year, None)
        if figure.value is None:
            made.gaps[year] = _NOT_REPORTED
        else:
            made.bars[year] = Bar(figure.value, words=_span(figure))
    return made


def _end_of_day(moment: datetime) -> datetime:
    """What is drawn as of now says the day alone: the same picture for the same numbers."""
    return datetime.combine(moment.date(), time.max, UTC)


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}" if moment.time() == time.max else rfc3339(moment)


def _months(figure: DeclaredFigure) -> tuple[int, str]:
    first, last = _ends(figure)
    return last - first, figure.period_from


def _span(figure: DeclaredFigure) -> str | None:
    """The months that a figure covers, where it is not the whole year."""
    first, last = _ends(figure)
    if (first, last) == (1, 12):
        return None
    return _MONTHS[first - 1] if first == last else f"{_MONTHS[first - 1]}–{_MONTHS[last - 1]}"


def _ends(figure: DeclaredFigure) -> tuple[int, int]:
    return int(figure.period_from[5:7] or 1), int(figure.period_to[5:7] or 12)
