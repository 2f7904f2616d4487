"""What keeps deconfliction from being a way to find others' operations: how small and how large a plan may be drawn.

A plan drawn very small and moved about would feel its way to another's, one drawn over half a country and half a year
would ask for all of them at once. How often an agency may ask is limited by the database, which counts.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, Protocol

from app.core.measures import Coordinates
from app.core.problems import Flaw
from app.domain.joint_operations.globe import Circle, circle, circle_around

SHORTEST_WINDOW: Final = timedelta(hours=1)
LONGEST_WINDOW: Final = timedelta(days=90)
SMALLEST_RADIUS_M: Final = 500
LARGEST_RADIUS_M: Final = 50_000

CHECKS_PER_DAY: Final = 20
"""Checks on demand that an agency has within 24 hours."""
CLAIMS_PER_DAY: Final = 60
"""How often an agency may propose operations, and change windows, areas and targets of live ones, within 24 hours."""


class WindowDrawn(Protocol):
    """A plan's window."""

    @property
    def starts_at(self) -> datetime:
        """From when."""

    @property
    def ends_at(self) -> datetime:
        """Until when."""


class AreaDrawn(Protocol):
    """A plan's area: a circle, a polygon, or neither yet."""

    @property
    def center(self) -> Coordinates | None:
        """Centre of the circle."""

    @property
    def radius_m(self) -> int | None:
        """Its radius in metres."""

    @property
    def polygon(self) -> list[Coordinates] | None:
        """Corners of the polygon."""


def circle_of(area: AreaDrawn | None) -> Circle | None:
    """The circle that an area claims, of a polygon the one around it; None where nothing is drawn."""
    if area is None:
        return None
    if area.polygon:
        return circle_around(area.polygon)
    if area.center is None or area.radius_m is None:
        return None
    return circle(area.center, area.radius_m)


def flaws_of(window: WindowDrawn | None, area: AreaDrawn | None) -> list[Flaw]:
    """What is too small or too large of a plan, with pointers into it; what is not drawn yet is not wrong."""
    return [*_window_flaws(window), *_area_flaws(area)]


def _window_flaws(window: WindowDrawn | None) -> Iterator[Flaw]:
    if window is None:
        return
    length = window.ends_at - window.starts_at
    if length < SHORTEST_WINDOW:
        yield Flaw("/window/ends_at", "window-too-short", "Plan for at least an hour.")
    if length > LONGEST_WINDOW:
        yield Flaw("/window/ends_at", "window-too-long", f"Plan for at most {LONGEST_WINDOW.days} days.")


def _area_flaws(area: AreaDrawn | None) -> Iterator[Flaw]:
    drawn = circle_of(area)
    if area is None or drawn is None:
        return
    polygon = bool(area.polygon)
    pointer = "/area/polygon" if polygon else "/area/radius_m"
    what = "The circle around the polygon has" if polygon else "The circle has"
    if drawn.radius_m < SMALLEST_RADIUS_M:
        yield Flaw(pointer, "area-too-small", f"{what} a radius below {SMALLEST_RADIUS_M} m: draw a larger area.")
    if drawn.radius_m > LARGEST_RADIUS_M:
        yield Flaw(pointer, "area-too-large", f"{what} a radius above {LARGEST_RADIUS_M} m: draw a smaller area.")
