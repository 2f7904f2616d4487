"""The schemas of what is sent and answered."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import TypeAdapter

from app.web.openapi.notes import Described, Note
from app.web.openapi.refusals import ProblemDocument

_Mode = Literal["validation", "serialization"]
_REF = "#/components/schemas/{model}"


class Schemas:
    """The schemas of everything that notes name, and references to them."""

    def __init__(self, notes: list[Note]) -> None:
        inputs: dict[tuple[int, _Mode], Any] = {(id(model), mode): model for model, mode in _named_by(notes)}
        self._refs, schema = TypeAdapter.json_schemas(
            [(key, mode, TypeAdapter[Any](model)) for (key, mode), model in inputs.items()], ref_template=_REF
        )
        found: dict[str, Any] = schema.get("$defs", {})
        names = {name: _plain_name(name) for name in found}
        if len(set(names.values())) < len(names):
            message = f"schemas share a name: {sorted(names.values())}"
            raise ValueError(message)
        self.definitions = {names[name]: _tidied(part, names) for name, part in found.items()}
        self._refs = {key: _tidied(ref, names) for key, ref in self._refs.items()}

    def sent(self, model: Described) -> dict[str, Any]:
        """A reference to what a body must be."""
        return dict(self._refs[id(model), "validation"])

    def answered(self, model: Described) -> dict[str, Any]:
        """A reference to what an answer is."""
        return dict(self._refs[id(model), "serialization"])


def _plain_name(name: str) -> str:
    """What Pydantic calls `Alias-Output` and `Alias-Input`, as a name that every language can have."""
    return name.removesuffix("-Output") if name.endswith("-Output") else name.replace("-Input", "In")


def _tidied(part: Any, names: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON value
    """A schema with references by plain names, and without titles: generators would name classes after them."""
    if isinstance(part, list):
        return [_tidied(inner, names) for inner in part]
    if not isinstance(part, dict):
        return part
    tidied: dict[str, Any] = {}
    for word, value in part.items():
        if word == "$ref":
            tidied[word] = _REF.format(model=names[value.rpartition("/")[2]])
        elif word in ("properties", "patternProperties", "$defs"):
            tidied[word] = {name: _tidied(inner, names) for name, inner in value.items()}
        elif word in ("examples", "example", "default", "enum", "const"):
            tidied[word] = value
        elif word != "title":
            tidied[word] = _tidied(value, names)
    return tidied


def _named_by(notes: list[Note]) -> Iterator[tuple[Described, _Mode]]:
    yield ProblemDocument, "serialization"
    for note in notes:
        for answer in note.answers.values():
            if answer is not None:
                yield answer, "serialization"
        if note.body is not None:
            yield note.body, "validation"


def named_in(part: Any) -> set[str]:  # noqa: ANN401 - any JSON value
    """The last steps of all references in a part of the description."""
    if isinstance(part, dict):
        own = {part["$ref"].rpartition("/")[2]} if isinstance(part.get("$ref"), str) else set()
        return own.union(*map(named_in, part.values()))
    return set().union(*map(named_in, part)) if isinstance(part, list) else set()


def drop_unused(components: dict[str, Any], document: dict[str, Any]) -> None:
    """Leave out what nothing refers to any more, and what only this refers to."""
    while unused := (components["schemas"].keys() | components["examples"].keys()) - named_in(document):
        for name in unused:
            components["schemas"].pop(name, None)
            components["examples"].pop(name, None)


def open_answers(schemas: dict[str, Any], paths: dict[str, Any]) -> None:
    """Let answers have fields that this version does not know: a client made from it must outlive an upgrade.

    What is sent stays closed, since unknown fields are refused.
    """
    calls = [spec for found in paths.values() for spec in found.values()]
    sent = named_in([[spec.get("requestBody"), spec.get("parameters")] for spec in calls])
    while more := named_in([schemas[name] for name in sent if name in schemas]) - sent:
        sent |= more
    for name in schemas.keys() - sent:
        if schemas[name].get("additionalProperties") is False:
            del schemas[name]["additionalProperties"]
