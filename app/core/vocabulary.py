"""Closed vocabularies whose every word explains itself."""

from enum import StrEnum
from inspect import getdoc
from typing import Self

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


class Vocabulary(StrEnum):
    """A closed set of words; `description` says in a sentence what each one means, and the API's docs print it."""

    description: str

    def __new__(cls, value: str, description: str = "") -> Self:
        """Make a member out of its word and its sentence; with the word alone this finds the member."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        described = handler(schema)
        meanings = "\n".join(f"- `{member.value}`: {member.description}" for member in cls)
        handler.resolve_ref_schema(described)["description"] = f"{getdoc(cls)}\n\n{meanings}"
        return described
