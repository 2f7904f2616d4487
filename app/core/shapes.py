"""What bodies are made of: their common base, and how a rule that spans several fields refuses them.

A type refuses with a sentence that says what to send instead, and writes the same rule into the JSON schema as far as
JSON Schema can say it. Codes of error are stable: partners' systems react to them.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from app.core.problems import Flaw

_T = TypeVar("_T")


class Shape(BaseModel):
    """The base of every body: unknown fields are refused, instances never change, every field is always written."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        validate_default=True,
        serialize_by_alias=True,
        hide_input_in_errors=True,  # the text of an error may end up in a log, its input must not
        json_schema_serialization_defaults_required=True,
    )


def refuse(title: str, flaws: Iterable[Flaw]) -> None:
    """Raise all `flaws` at once, as a validation error of the shape called `title`; without flaws do nothing.

    For validators of a whole shape, which would otherwise report one flaw at a time. Pydantic puts the place of the
    enclosing field before each pointer.

    Raises:
        ValidationError: there is at least one flaw.
    """
    lines = [
        InitErrorDetails(type=PydanticCustomError(flaw.code, flaw.detail), loc=_location(flaw.pointer), input=None)
        for flaw in flaws
    ]
    if lines:
        raise ValidationError.from_exception_data(title, lines, hide_input=True)


def _location(pointer: str) -> tuple[str | int, ...]:
    steps = (step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
    return tuple(int(step) if step.isdecimal() else step for step in steps)


def distinct(items: list[_T]) -> list[_T]:
    """Return the items without repetitions, each where it stood first."""
    return list(dict.fromkeys(items))


class Code:
    """Metadata of a `str`: `check` returns the canonical form or None; `describe` gives the JSON schema on demand.

    `describe` is called only when a schema is made, so that describing a register does not read it at import.
    """

    def __init__(
        self, check: Callable[[str], str | None], code: str, detail: str, describe: Callable[[], JsonSchemaValue]
    ) -> None:
        self.check = check
        self.error = PydanticCustomError(code, detail)
        self.describe = describe

    def _validate(self, value: str) -> str:
        canonical = self.check(value)
        if canonical is None:
            raise self.error
        return canonical

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._validate, core_schema.str_schema())

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", **self.describe()}
