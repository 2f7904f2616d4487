"""Plots that people can read: what is missing is a gap that says so; the words reach those who cannot see it."""

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from app.domain.statistics import incident_plot, yearly_plot
from app.domain.statistics.community import CommunityStatistics, PublishedCount
from app.domain.statistics.figures import DeclaredFigure
from app.domain.statistics.incidents import IncidentCounts, IncidentsBy, IncidentSelection, IncidentStatistics
from app.domain.statistics.yearly_plot import Bar, Chart, Series

SVG = "{http://www.w3.org/2000/svg}"
AT = datetime(2025, 10, 31, 23, 59, 59, 999999, UTC)
OFFICIAL = (("2021", "2021", 4), ("2022", "2022", 1), ("2023", "2023", 17), ("2024", "2024", None))


def figure(since: str, until: str, value: int | None, series: str = "Koreans detained in Cambodia") -> DeclaredFigure:
    return DeclaredFigure(
        id=UUID(int=1),
        agency="KR-KNPA",
        series=series,
        country="KH",
        nationality="KR",
        period_from=since,
        period_to=until,
        value=value,
        source="Briefing",
        published_on=AT.date(),
        note=None,
        declared_at=AT,
        withdrawn_at=None,
    )


def drawn(counted: dict[str, tuple[int, int]], *declared: DeclaredFigure) -> ET.Element:
    rows = [
        IncidentCounts(key=key, then=None, reports=reports, confirmed=confirmed, unfounded=0, victims=0)
        for key, (reports, confirmed) in counted.items()
    ]
    statistics = IncidentStatistics(
        by=IncidentsBy.YEAR,
        then_by=None,
        as_of=AT,
        counted_at=AT,
        settled=True,
        total=IncidentCounts(key=None, then=None, reports=0, confirmed=0, unfounded=0, victims=0),
        items=rows,
        declared=list(declared),
    )
    text = incident_plot.of_visible(statistics, IncidentSelection(country="KH", nationality="KR"))
    assert text == incident_plot.of_visible(statistics, IncidentSelection(country="KH", nationality="KR"))
    return ET.fromstring(text)  # noqa: S314 - drawn a moment ago


def told(root: ET.Element, kind: str) -> list[str]:
    return [g.findtext(f"{SVG}title") or "" for g in root.iter(f"{SVG}g") if g.get("class") == kind]


def test_a_missing_year_is_a_gap_and_never_zero() -> None:
    root = drawn(
        {"2023": (2, 1), "2025": (3, 0)}, *(figure(*one) for one in OFFICIAL), figure("2025-01", "2025-08", 330)
    )

    assert [bar.rpartition(": ")[2] for bar in told(root, "bar") if "declared" in bar] == [
        "4",
        "1",
        "17",
        "330 (Jan–Aug)",
    ]
    assert [gap.partition(",")[0] + gap.rpartition(":")[2] for gap in told(root, "missing")] == [
        "2021 none seen",
        "2022 none seen",
        "2024 none seen",
        "2024 not reported",
    ]
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert words.count("not reported") == 1
    assert words.count("0") == 1  # at the axis
    assert "Jan–Aug" in words
    assert "As of 2025-10-31; country KH, nationality KR" in words


def test_a_year_that_nobody_speaks_of_stays_in_its_place() -> None:
    root = drawn(
        {"2019": (1, 1)}, figure("2021", "2021", 0), figure("2021-03", "2021-05", 9), figure("2018", "2020", 7)
    )
    years = [text.text for text in root.iter(f"{SVG}text") if re.fullmatch("20[0-9]{2}", text.text or "")]

    assert years == ["2019", "2020", "2021"]
    # What was declared as none is a number; what nobody declared is a gap.
    assert next(bar for bar in told(root, "bar") if "declared" in bar).endswith(": 0")
    assert sum("no figure" in gap for gap in told(root, "missing")) == 2
    assert any("left out, since another of the same year is drawn: 2." in (text.text or "") for text in root.iter())


def test_what_it_shows_stands_in_words_too() -> None:
    root = drawn({"2023": (15, 12)}, figure("2023", "2023", 17))

    assert (root.get("role"), root.findtext(f"{SVG}title")) == ("img", "Incident reports by year")
    assert root.findtext(f"{SVG}desc") == (
        "As of 2025-10-31; country KH, nationality KR. 2023: counted: reports that your agency sees: 15, 12 of them "
        "confirmed, declared by KR-KNPA: Koreans detained in Cambodia: 17."
    )


@pytest.mark.parametrize("counted", [{}, {"2025": (1, 0)}, {f"{year}": (year, 0) for year in range(1900, 2026)}])
def test_it_loads_nothing_and_stays_within_its_frame(counted: Any) -> None:
    root = drawn(counted, figure("2024", "2024", 10**9))
    width, height = float(root.get("width", "0")), float(root.get("height", "0"))

    for element in root.iter():
        assert element.tag.removeprefix(SVG) in {"svg", "g", "rect", "line", "text", "title", "desc"}
        assert not [name for name in element.attrib if name.startswith("on") or "href" in name or name == "style"]
        if element.tag == f"{SVG}rect":
            x, y, wide, high = (float(element.get(name, "0")) for name in ("x", "y", "width", "height"))
            assert 0 <= x <= x + wide <= width
            assert 0 <= y <= y + high <= height
    assert len(told(root, "bar")) + len(told(root, "missing")) <= 2 * yearly_plot.YEARS_MAX


def test_every_colour_stands_out_from_the_white() -> None:
    chart = Chart("T", "C", [Series(f"s{n}", "gap", {2025: Bar(n + 1)}) for n in range(yearly_plot.SERIES_MAX)])
    fills = set(re.findall('<(?:rect|text)[^>]* fill="(#[0-9a-f]{6})"', yearly_plot.draw(chart))) - {"#ffffff"}

    assert len(fills) > yearly_plot.SERIES_MAX
    for fill in fills:
        assert 1.05 / (_luminance(fill) + 0.05) >= 4.5, fill


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_all_reports_are_drawn_as_they_were_published() -> None:
    items = [PublishedCount(key="2023", then=None, reports=15), PublishedCount(key="2025", then=None, reports=330)]
    published = CommunityStatistics(
        by=IncidentsBy.YEAR, then_by=None, as_of=AT, published_at=AT, items=items, declared=[]
    )
    root = ET.fromstring(incident_plot.of_community(published))  # noqa: S314 - drawn a moment ago

    assert [bar.rpartition(": ")[2] for bar in told(root, "bar")] == ["15", "330"]
    assert told(root, "missing") == ["2024, counted: all reports, rounded to multiples of five: none shown"]
    nothing = CommunityStatistics(
        by=IncidentsBy.YEAR, then_by=None, as_of=None, published_at=None, items=[], declared=[]
    )
    assert "Nothing is published" in incident_plot.of_community(nothing)
