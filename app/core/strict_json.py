"""Reading JSON that says one thing: every reader of a body must find the same in it."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import orjson

from app.core.problems import Flaw, Problem, invalid

MAX_DEPTH: Final = 12
_MOST_TOLD: Final = 100


class _Repeated(Exception):  # noqa: N818 - a signal between two functions
    pass


class _Object(dict[str, Any]):
    """An object that remembers which of its names stand there more than once."""

    repeated: list[str]


def read_json(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """The JSON value of a body: UTF-8, at most twelve levels deep, each name once in its object; else Problem 422.

    Of a name that is repeated readers take the first value or the last (RFC 8259, section 4), so the caller's system
    may not have meant what would be kept.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise invalid(Flaw("", "json-invalid", f"This is not JSON: {error.msg} at character {error.pos}.")) from None
    _check_depth(value)
    if b"\\u0000" in body:
        _check_names(value)
    try:
        _SCANNER.decode(body.decode())
    except _Repeated:
        raise _refusal(body.decode()) from None
    return value


def _check_depth(value: object) -> None:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise invalid(Flaw("", "too-deep", f"Objects and lists may be nested {MAX_DEPTH} deep."))
        level = [child for parent in level for child in _children(parent) if type(child) is dict or type(child) is list]


def _children(value: Any) -> Any:  # noqa: ANN401 - any JSON value, and an iterable of such
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _check_names(value: object) -> None:
    """422 for a NUL in a name: what a patch clears is not looked at by any type, and PostgreSQL cannot keep it."""
    if isinstance(value, dict) and any("\0" in name for name in value):
        raise invalid(Flaw("", "name-invalid", "The name of a field holds no NUL character."))
    for child in _children(value):
        _check_names(child)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Repeated
    return found


def _remembering(pairs: list[tuple[str, Any]]) -> _Object:
    found = _Object(pairs)
    found.repeated = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
    return found


# Nothing that orjson took is refused here: numbers of any length are read as floats, which need no length.
_SCANNER: Final = json.JSONDecoder(object_pairs_hook=_object, parse_int=float)


def _refusal(text: str) -> Problem:
    value = json.loads(text, object_pairs_hook=_remembering, parse_int=float)
    detail = "This field stands there more than once. Send it once."
    return invalid(*(Flaw(pointer, "field-repeated", detail) for pointer in islice(_repeated(value, ""), _MOST_TOLD)))


def _repeated(value: Any, root: str) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    """Where names are repeated, as pointers (RFC 6901)."""
    if isinstance(value, _Object):
        yield from (f"{root}/{_escaped(name)}" for name in value.repeated)
        for name, child in value.items():
            yield from _repeated(child, f"{root}/{_escaped(name)}")
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from _repeated(child, f"{root}/{number}")


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
