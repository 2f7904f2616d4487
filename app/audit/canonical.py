"""JSON in the one form that can be hashed: the JSON Canonicalization Scheme (RFC 8785)."""

import json
import math
from typing import Any, Final

_EXACT: Final = 2**53
"""Above this a number of JSON is not exact (RFC 7493, section 2.2)."""
_PLAIN_FROM, _PLAIN_BELOW = -6, 21
"""Powers of ten between which ECMAScript writes a number without an exponent."""


_FIRST_SURROGATE: Final = "\ud800"

_write = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def canonical(value: Any) -> bytes:  # noqa: ANN401 - any JSON value
    """The canonical form of a JSON value, in UTF-8.

    Raises:
        ValueError: a number that is not finite or half a surrogate pair, which JSON between systems cannot carry.
    """
    return (_write(value) if _is_plain(value) else _text(value)).encode("utf-8")


def _is_plain(value: Any) -> bool:  # noqa: ANN401 - as above
    """Whether Python's own writer, which is ten times as fast, writes the canonical form."""
    match value:
        case None | bool() | str():
            return True
        case int():
            return -_EXACT <= value <= _EXACT
        case dict():
            return all(name < _FIRST_SURROGATE for name in value) and all(map(_is_plain, value.values()))
        case list():
            return all(map(_is_plain, value))
        case _:
            return False


def _text(value: Any) -> str:  # noqa: ANN401 - as above
    match value:
        case None | bool() | str():
            return json.dumps(value, ensure_ascii=False)
        case int() if -_EXACT <= value <= _EXACT:
            return str(value)
        case int() | float():
            return _number(float(value))
        case dict():
            # Ordered by UTF-16 code units (section 3.2.3); by code points characters beyond U+FFFF would come later.
            names = sorted(value, key=lambda name: name.encode("utf-16-be"))
            return "{" + ",".join(f"{_text(name)}:{_text(value[name])}" for name in names) + "}"
        case list():
            return "[" + ",".join(map(_text, value)) + "]"
        case _:
            message = f"not a JSON value: {type(value).__name__}"
            raise TypeError(message)


def _number(value: float) -> str:
    """A number as ECMAScript writes it (section 3.2.2.3): the shortest digits, which are Python's too."""
    if not math.isfinite(value):
        raise ValueError("JSON has no such number")
    if value == 0:
        return "0"
    digits, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = digits.partition(".")
    significant = (whole + fraction).lstrip("0")
    # The number is 0.significant times ten to this power.
    power = int(exponent or 0) + (len(whole) if whole != "0" else len(fraction.lstrip("0")) - len(fraction))
    significant = significant.rstrip("0")
    count = len(significant)
    if count <= power <= _PLAIN_BELOW:
        text = significant + "0" * (power - count)
    elif 0 < power <= _PLAIN_BELOW:
        text = f"{significant[:power]}.{significant[power:]}"
    elif _PLAIN_FROM < power <= 0:
        text = "0." + "0" * -power + significant
    else:
        mantissa = significant[0] + (f".{significant[1:]}" if count > 1 else "")
        text = f"{mantissa}e{power - 1:+d}"
    return f"-{text}" if value < 0 else text
