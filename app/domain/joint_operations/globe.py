"""Circles on the globe, and how far they are from one another."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from app.core.measures import Coordinates

EARTH_RADIUS_M: Final = 6_371_008.8
"""Mean radius of the Earth in metres: (2a + b) / 3 of the WGS 84 ellipsoid, as the IUGG defines it."""


_DECIMALS: Final = 7
"""Of a degree: a centimetre. Finer differences mean nothing, and their squares are too small for PostgreSQL."""


class Circle(NamedTuple):
    """An area: everything at most `radius_m` metres from a place, degrees as in WGS 84."""

    latitude: float
    longitude: float
    radius_m: float


def distance_m(latitude: float, longitude: float, to_latitude: float, to_longitude: float) -> float:
    """Metres between two places along the great circle, by the haversine formula, which is exact for small ones too."""
    north, to_north = math.radians(latitude), math.radians(to_latitude)
    a = (
        math.sin(math.radians(to_latitude - latitude) / 2) ** 2
        + math.cos(north) * math.cos(to_north) * math.sin(math.radians(to_longitude - longitude) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(a)))


def circle(center: Coordinates, radius_m: float) -> Circle:
    """A circle whose centre is a place to the centimetre."""
    return Circle(round(center.latitude, _DECIMALS), round(center.longitude, _DECIMALS), radius_m)


def circle_around(corners: Sequence[Coordinates]) -> Circle:
    """A circle that holds the whole polygon, its sides included, across the antimeridian and over a pole too.

    Its centre is the mean of the corners in space. A circle of less than a quarter of the Earth holds, with two places,
    the shortest way between them: so the corners are enough. For corners that are spread evenly around the Earth, whose
    mean is no place, it is the whole Earth.
    """
    x, y, z = (math.fsum(values) for values in zip(*map(_in_space, corners), strict=True))
    if math.hypot(x, y, z) < 1e-9:  # noqa: PLR2004 - what rounding leaves of zero
        return Circle(0.0, 0.0, math.pi * EARTH_RADIUS_M)
    latitude = round(math.degrees(math.atan2(z, math.hypot(x, y))), _DECIMALS)
    longitude = round(math.degrees(math.atan2(y, x)), _DECIMALS)
    return Circle(
        latitude,
        longitude,
        max(distance_m(latitude, longitude, corner.latitude, corner.longitude) for corner in corners),
    )


def _in_space(place: Coordinates) -> tuple[float, float, float]:
    north, east = math.radians(place.latitude), math.radians(place.longitude)
    return math.cos(north) * math.cos(east), math.cos(north) * math.sin(east), math.sin(north)
