"""How small and how large a plan may be drawn, to the metre and the second."""

from datetime import UTC, datetime, timedelta

import pytest

from app.core.measures import Coordinates
from app.domain.joint_operations.plan_shapes import Area, Window
from app.domain.joint_operations.probing import circle_of, flaws_of

START = datetime(2026, 11, 22, tzinfo=UTC)
CENTER = Coordinates(latitude=10.6333, longitude=104.05)


def codes(window: Window | None, area: Area | None) -> list[tuple[str, str]]:
    return [(flaw.pointer, flaw.code) for flaw in flaws_of(window, area)]


@pytest.mark.parametrize(
    ("length", "code"),
    [
        (timedelta(hours=1) - timedelta(seconds=1), "window-too-short"),
        (timedelta(hours=1), None),
        (timedelta(days=90), None),
        (timedelta(days=90, seconds=1), "window-too-long"),
    ],
)
def test_a_window_has_its_bounds(length: timedelta, code: str | None) -> None:
    window = Window(starts_at=START, ends_at=START + length)
    assert codes(window, None) == ([("/window/ends_at", code)] if code else [])


@pytest.mark.parametrize(
    ("radius", "code"), [(499, "area-too-small"), (500, None), (50_000, None), (50_001, "area-too-large")]
)
def test_a_circle_has_its_bounds(radius: int, code: str | None) -> None:
    area = Area(center=CENTER, radius_m=radius)
    assert codes(None, area) == ([("/area/radius_m", code)] if code else [])


@pytest.mark.parametrize(("degrees", "code"), [(0.001, "area-too-small"), (0.1, None), (1.0, "area-too-large")])
def test_a_polygon_has_the_bounds_of_the_circle_around_it(degrees: float, code: str | None) -> None:
    corners = [(0.0, 0.0), (degrees, 0.0), (0.0, degrees)]
    area = Area(
        polygon=[
            Coordinates(latitude=CENTER.latitude + north, longitude=CENTER.longitude + east) for north, east in corners
        ]
    )
    assert codes(None, area) == ([("/area/polygon", code)] if code else [])


def test_what_is_not_drawn_yet_is_not_wrong() -> None:
    assert flaws_of(None, None) == []
    assert flaws_of(None, Area(country="KH")) == []
    assert circle_of(None) is circle_of(Area(country="KH")) is None
