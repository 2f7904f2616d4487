"""Bounds that follow from a type by itself, written out for generators and linters that do not know them."""

from typing import Any, Final

_LONGEST: Final = {
    "date": 10,
    "date-time": 35,  # nine digits of a second and an offset
    "iana-time-zone": 40,
    "iso-3166-2": 6,
    "partial-date": 10,
    "uuid": 36,
}
_INT32: Final = 2**31 - 1


def add_bounds(part: Any) -> None:  # noqa: ANN401 - any JSON value
    """Give every string of a known format its length, and every integer its size."""
    if isinstance(part, list):
        for inner in part:
            add_bounds(inner)
    elif isinstance(part, dict):
        if part.get("type") == "string" and part.get("format") in _LONGEST:
            part.setdefault("maxLength", _LONGEST[part["format"]])
        if part.get("type") == "integer":
            part.setdefault("format", "int32" if part.get("maximum", _INT32) <= _INT32 else "int64")
        for name, inner in part.items():
            if name not in ("example", "examples", "default"):
                add_bounds(inner)
