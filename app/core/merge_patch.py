"""JSON merge patch (RFC 7396), and bodies that are one."""

from collections.abc import Mapping
from copy import deepcopy
from inspect import getdoc
from typing import Any, ClassVar, Final, Self, cast

from pydantic import ConfigDict, GetJsonSchemaHandler, RootModel, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError

from app.core.shapes import Shape

MEDIA_TYPE: Final = "application/merge-patch+json"


def merge_patch(target: object, patch: object) -> object:
    """Return `target` changed by `patch` as RFC 7396, section 2, says; neither of them is altered.

    Written as a loop and not as the RFC's recursion, so that no depth of nesting can exhaust the stack.
    """
    if not isinstance(patch, dict):
        return patch
    result: dict[str, Any] = dict(target) if isinstance(target, dict) else {}
    pending: list[tuple[dict[str, Any], dict[str, Any]]] = [(result, patch)]
    while pending:
        merged, changes = pending.pop()
        for name, change in changes.items():
            if change is None:
                merged.pop(name, None)
            elif isinstance(change, dict):
                old = merged.get(name)
                merged[name] = dict(old) if isinstance(old, dict) else {}
                pending.append((merged[name], change))
            else:
                merged[name] = change
    return result


_not_clearable = PydanticCustomError("not-clearable", "This field cannot be empty: send a value, or leave it out.")


class MergePatch(RootModel[dict[str, Any]]):
    """A merge patch for the shape named by `target`: only its fields, null only where a field can be empty.

    The values are checked once they are merged: what a patch holds is only a part. Their pointers fit all the same,
    because objects merge by name and lists are replaced whole.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    target: ClassVar[type[Shape]]

    def merged(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Return `before`, the JSON form of the target, with this patch applied; still to be validated."""
        return cast("dict[str, Any]", merge_patch(before, self.root))

    @model_validator(mode="after")
    def _holds_only_known_fields(self) -> Self:
        fields = _fields(self.target)
        errors = [
            InitErrorDetails(type=_not_clearable if name in fields else "extra_forbidden", loc=(name,), input=None)
            for name, change in self.root.items()
            if name not in fields or (change is None and not _clearable(fields[name]))
        ]
        if errors:
            raise ValidationError.from_exception_data(type(self).__name__, errors, hide_input=True)
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        full = handler.resolve_ref_schema(handler(cls.target.__pydantic_core_schema__))
        fields = _fields(cls.target)
        properties = {
            name: _as_patched(described, clearable=_clearable(fields[name]), handler=handler)
            for name, described in full["properties"].items()
        }
        return {
            "type": "object",
            "title": cls.__name__,
            "description": getdoc(cls),
            "properties": properties,
            "additionalProperties": False,
        }


def _fields(target: type[Shape]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in target.model_fields.items()}


def _clearable(field: FieldInfo) -> bool:
    """A field can be empty when what it falls back to is nothing: null or an empty list."""
    return not field.is_required() and not field.get_default(call_default_factory=True, validated_data={})


def _as_patched(described: JsonSchemaValue, *, clearable: bool, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
    """Describe a property as it stands in a patch: no default, null where it clears, objects in part."""
    kept: JsonSchemaValue = {
        word: described[word] for word in ("title", "description", "examples") if word in described
    }
    rest = {word: value for word, value in described.items() if word not in kept and word != "default"}
    choices = [choice for choice in rest.pop("anyOf", [rest]) if choice != {"type": "null"}]
    patched = [_in_part(choice, handler) for choice in choices]
    if clearable:
        patched.append({"type": "null"})
    return {**kept, **(patched[0] if len(patched) == 1 else {"anyOf": patched})}


def _in_part(described: JsonSchemaValue, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
    full = handler.resolve_ref_schema(described)
    if full.get("type") != "object":
        return described
    return {word: value for word, value in deepcopy(full).items() if word not in ("required", "title")}
