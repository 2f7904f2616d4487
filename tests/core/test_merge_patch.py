"""JSON merge patch."""

import json
from copy import deepcopy
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from app.core.merge_patch import MergePatch, merge_patch
from app.core.shapes import Shape

# RFC 7396, appendix A.
VECTORS = [
    ('{"a":"b"}', '{"a":"c"}', '{"a":"c"}'),
    ('{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'),
    ('{"a":"b"}', '{"a":null}', "{}"),
    ('{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'),
    ('{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'),
    ('{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'),
    ('{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'),
    ('{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'),
    ('["a","b"]', '["c","d"]', '["c","d"]'),
    ('{"a":"b"}', '["c"]', '["c"]'),
    ('{"a":"foo"}', "null", "null"),
    ('{"a":"foo"}', '"bar"', '"bar"'),
    ('{"e":null}', '{"a":1}', '{"e":null,"a":1}'),
    ("[1,2]", '{"a":"b","c":null}', '{"a":"b"}'),
    ("{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'),
    # Part of the example of section 3.
    (
        '{"title":"Goodbye!","author":{"givenName":"A","familyName":"B"},"tags":["a","b"],"content":"x"}',
        '{"title":"Hello!","phoneNumber":"+1","author":{"familyName":null},"tags":["a"]}',
        '{"title":"Hello!","author":{"givenName":"A"},"tags":["a"],"content":"x","phoneNumber":"+1"}',
    ),
]


@pytest.mark.parametrize(("target", "patch", "result"), VECTORS)
def test_vectors_of_the_rfc(target: str, patch: str, result: str) -> None:
    assert merge_patch(json.loads(target), json.loads(patch)) == json.loads(result)


def _recursive(target: Any, patch: Any) -> Any:
    """The pseudocode of RFC 7396, section 2, word for word."""
    if not isinstance(patch, dict):
        return patch
    if not isinstance(target, dict):
        target = {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = _recursive(target.get(name), value)
    return target


_names = st.sampled_from("abcd")
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=4),
    max_leaves=20,
)


@given(_json, _json)
def test_same_as_the_rfc_and_nothing_is_altered(target: Any, patch: Any) -> None:
    target_before, patch_before = deepcopy(target), deepcopy(patch)
    assert merge_patch(target, patch) == _recursive(deepcopy(target), deepcopy(patch))
    assert (target, patch) == (target_before, patch_before)


def test_depth_does_not_matter() -> None:
    patch: dict[str, Any] = {"leaf": 1}
    for _ in range(5_000):
        patch = {"a": patch}
    merged: Any = merge_patch({}, patch)
    for _ in range(5_000):
        merged = merged["a"]
    assert merged == {"leaf": 1}


class _Part(Shape):
    left: int
    right: int | None = None


class _Whole(Shape):
    name: str
    mood: str = "calm"
    from_: int | None = Field(default=None, alias="from")
    tags: list[str] = Field(default_factory=list)
    part: _Part | None = None


class _WholePatch(MergePatch):
    target: ClassVar[type[Shape]] = _Whole


def test_patch_merges_and_the_target_judges() -> None:
    before = {"name": "a", "mood": "glad", "from": 1, "tags": ["x"], "part": {"left": 1, "right": 2}}
    patch = _WholePatch.model_validate({"from": None, "tags": None, "part": {"right": None}})
    assert _Whole.model_validate(patch.merged(before)).model_dump() == {
        "name": "a",
        "mood": "glad",
        "from": None,
        "tags": [],
        "part": {"left": 1, "right": None},
    }


def test_patch_refuses_all_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        _WholePatch.model_validate({"name": None, "mood": None, "from_": 1, "nmae": None})
    assert [(error["loc"], error["type"]) for error in caught.value.errors()] == [
        (("name",), "not-clearable"),
        (("mood",), "not-clearable"),
        (("from_",), "extra_forbidden"),
        (("nmae",), "extra_forbidden"),
    ]


@pytest.mark.parametrize("sent", [[], None, "a", 1])
def test_patch_must_be_an_object(sent: object) -> None:
    with pytest.raises(ValidationError) as caught:
        _WholePatch.model_validate(sent)
    assert [error["type"] for error in caught.value.errors()] == ["dict_type"]


def test_schema_has_every_field_and_asks_for_none() -> None:
    schema = _WholePatch.model_json_schema()
    assert "required" not in schema
    assert schema["additionalProperties"] is False
    properties = schema["properties"]
    assert list(properties) == ["name", "mood", "from", "tags", "part"]
    assert properties["name"] == {"title": "Name", "type": "string"}
    assert properties["mood"] == {"title": "Mood", "type": "string"}
    assert properties["from"]["anyOf"] == [{"type": "integer"}, {"type": "null"}]
    assert properties["tags"]["anyOf"] == [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]
    part, nothing = properties["part"]["anyOf"]
    assert nothing == {"type": "null"}
    assert "required" not in part
    assert list(part["properties"]) == ["left", "right"]
