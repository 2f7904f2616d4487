"""Pydantic's verdict on a body, as a problem."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from app.core.problems import INVALID_BODY, Flaw, Problem

_M = TypeVar("_M", bound=BaseModel)


def flaws_of(errors: Sequence[ErrorDetails | Mapping[str, Any]], root: str = "") -> list[Flaw]:
    """Pydantic's errors as flaws: where (RFC 6901), a kebab-case code, and what to do."""
    return [
        Flaw(
            root + "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in error["loc"]),
            error["type"].replace("_", "-"),
            error["msg"],
        )
        for error in errors
    ]


def validated(model: type[_M], value: Any, root: str = "") -> _M:  # noqa: ANN401 - any JSON value
    """The value as `model`; Problem 422 with every flaw, each pointer below `root`."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        flaws = flaws_of(error.errors(include_url=False, include_input=False), root)
        raise Problem(INVALID_BODY, errors=flaws) from None
