"""Distances on the globe, by a second formula; and circles that hold what they are drawn around."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.measures import Coordinates
from app.domain.joint_operations.globe import EARTH_RADIUS_M, circle_around, distance_m

latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)
places = st.builds(Coordinates, latitude=latitudes, longitude=longitudes)


def in_space(latitude: float, longitude: float) -> tuple[float, float, float]:
    north, east = math.radians(latitude), math.radians(longitude)
    return math.cos(north) * math.cos(east), math.cos(north) * math.sin(east), math.sin(north)


def by_vectors(a: tuple[float, float, float], b: tuple[float, float, float]) -> float:
    """The angle between two directions from their cross and dot product, which is exact for every angle."""
    cross = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    return EARTH_RADIUS_M * math.atan2(math.hypot(*cross), sum(x * y for x, y in zip(a, b, strict=True)))


@given(latitudes, longitudes, latitudes, longitudes)
def test_a_distance_is_what_another_formula_says(a: float, b: float, c: float, d: float) -> None:
    expected = by_vectors(in_space(a, b), in_space(c, d))
    # Near the far side of the Earth the haversine loses digits: half a metre in twenty thousand kilometres.
    assert distance_m(a, b, c, d) == pytest.approx(expected, rel=1e-9, abs=0.5 if expected > 19e6 else 1e-3)
    assert distance_m(a, b, c, d) == distance_m(c, d, a, b)


@pytest.mark.parametrize(
    ("start", "end", "metres"),
    [
        ((0, 179.99), (0, -179.99), 2_223.9),  # across the antimeridian: a fiftieth of a degree
        ((90, 0), (90, 120), 0),  # a pole has every longitude
        ((89.99, 0), (89.99, 180), 2_223.9),  # over the pole
        ((-89.99, -90), (-89.99, 90), 2_223.9),
        ((0, 0), (0, 180), math.pi * EARTH_RADIUS_M),
        ((60, 0), (60, 1), 55_597),  # half as far as at the equator
    ],
)
def test_no_line_on_the_map_is_an_edge(start: tuple[float, float], end: tuple[float, float], metres: float) -> None:
    assert distance_m(*start, *end) == pytest.approx(metres, rel=1e-4, abs=0.01)


def along(a: Coordinates, b: Coordinates, share: float) -> tuple[float, float]:
    """A place on the shortest way from one to another."""
    u, v = in_space(a.latitude, a.longitude), in_space(b.latitude, b.longitude)
    x, y, z = (p * (1 - share) + q * share for p, q in zip(u, v, strict=True))
    return math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x))


@given(
    center=places,
    corners=st.lists(st.tuples(st.floats(-0.4, 0.4), st.floats(-0.4, 0.4)), min_size=3, max_size=12),
    share=st.floats(0, 1),
)
def test_a_circle_holds_the_polygon_with_its_sides(
    center: Coordinates, corners: list[tuple[float, float]], share: float
) -> None:
    polygon = [
        Coordinates(
            latitude=max(-90.0, min(90.0, center.latitude + north)),
            longitude=(center.longitude + east + 180) % 360 - 180,
        )
        for north, east in corners
    ]
    circle = circle_around(polygon)
    for a, b in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        on_the_side = along(a, b, share)
        assert distance_m(circle.latitude, circle.longitude, *on_the_side) <= circle.radius_m + 0.01


def test_a_polygon_across_the_antimeridian_is_small() -> None:
    corners = [(0.01, 179.99), (0.01, -179.99), (-0.01, -179.99), (-0.01, 179.99)]
    circle = circle_around([Coordinates(latitude=float(a), longitude=float(b)) for a, b in corners])
    assert abs(circle.longitude) == pytest.approx(180)
    assert circle.radius_m == pytest.approx(math.hypot(1_112, 1_112), rel=1e-3)


def test_corners_all_around_the_earth_are_all_of_it() -> None:
    corners = [(0.0, 0.0), (0.0, 120.0), (0.0, -120.0)]
    circle = circle_around([Coordinates(latitude=a, longitude=b) for a, b in corners])
    assert circle.radius_m == pytest.approx(math.pi * EARTH_RADIUS_M)
