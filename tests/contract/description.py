"""The description of the API as the application gives it, and the schemas in it."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for
from openapi_schema_validator import oas31_format_checker

from app.core.crypto import MasterKey
from app.main import create_app
from app.settings import Settings


@dataclass(frozen=True)
class Call:
    """One operation of the description."""

    method: str
    path: str
    spec: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.spec["operationId"])


@cache
def document() -> dict[str, Any]:
    """What `/openapi.json` answers, on every hub."""
    settings = Settings(_env_file=None)
    return create_app(settings, "", MasterKey(secrets.token_bytes(32))).openapi()


def operations() -> Iterator[Call]:
    for path, calls in document()["paths"].items():
        for method, spec in calls.items():
            yield Call(method, path, spec)


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """A part of the description, or what it refers to."""
    while "$ref" in part:
        found: Any = document()
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part


@cache
def _validator_class() -> type[Draft202012Validator]:
    found: type[Draft202012Validator] = validator_for({"$schema": "https://json-schema.org/draft/2020-12/schema"})
    return found


def _closed(part: Any) -> Any:
    if isinstance(part, list):
        return [_closed(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    closed = {name: _closed(inner) for name, inner in part.items()}
    if part.get("type") == "object" and "properties" in part:
        closed.setdefault("additionalProperties", False)
    return closed


@cache
def _components() -> Any:
    """The schemas, closed: for clients an answer may grow, but here whatever is answered is described."""
    return {"schemas": _closed(document()["components"]["schemas"])}


def flaws(value: Any, schema: dict[str, Any]) -> list[str]:
    """How a value differs from a schema of the description."""
    whole = {**_closed(schema), "components": _components()}
    validator = _validator_class()(whole, format_checker=oas31_format_checker)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]
