"""The base of every body."""

from typing import Self

import pytest
from pydantic import Field, ValidationError, model_validator

from app.core.problems import Flaw
from app.core.shapes import Shape, distinct, refuse
from app.core.vocabulary import Vocabulary


class _Colour(Vocabulary):
    """A colour."""

    RED = "red", "Like blood."
    BLUE = "blue", "Like the sky."


class _Inner(Shape):
    items: list[int] = Field(default_factory=list)

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse("_Inner", [Flaw(f"/items/{i}", "too-big", "Use less.") for i, item in enumerate(self.items) if item > 1])
        return self


class _Outer(Shape):
    from_: str | None = Field(default=None, alias="from")
    inner: list[_Inner] = Field(default_factory=list)
    colour: _Colour | None = None


def test_every_field_is_written_under_its_own_name() -> None:
    assert _Outer().model_dump_json() == '{"from":null,"inner":[],"colour":null}'
    assert _Outer.model_json_schema(mode="serialization")["required"] == ["from", "inner", "colour"]


@pytest.mark.parametrize("body", [{"from_": "a"}, {"x": 1}])
def test_unknown_fields_are_refused(body: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as caught:
        _Outer.model_validate(body)
    assert [error["type"] for error in caught.value.errors()] == ["extra_forbidden"]


def test_shapes_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        _Outer().colour = _Colour.RED  # type: ignore[misc]


def test_flaws_are_reported_together_and_in_place() -> None:
    with pytest.raises(ValidationError) as caught:
        _Outer.model_validate({"inner": [{"items": [1]}, {"items": [2, 0, 3]}], "colour": "green"})
    assert [(error["loc"], error["type"]) for error in caught.value.errors()] == [
        (("inner", 1, "items", 0), "too-big"),
        (("inner", 1, "items", 2), "too-big"),
        (("colour",), "enum"),
    ]


def test_pointers_are_unescaped_and_details_taken_literally() -> None:
    with pytest.raises(ValidationError) as caught:
        refuse("Body", [Flaw("/a~1b/m~0n/0", "odd", "Not {this}.")])
    (error,) = caught.value.errors()
    assert (error["loc"], error["msg"]) == (("a/b", "m~n", 0), "Not {this}.")


def test_input_stays_out_of_the_text_of_errors() -> None:
    with pytest.raises(ValidationError) as caught:
        _Outer.model_validate({"colour": "a victim's name"})
    assert "victim" not in str(caught.value)


def test_distinct_keeps_the_first() -> None:
    assert distinct(["b", "a", "b"]) == ["b", "a"]


def test_vocabulary_explains_itself() -> None:
    assert _Colour("red") is _Colour.RED
    assert (_Colour.RED.value, _Colour.RED.description) == ("red", "Like blood.")
    schema = _Outer.model_json_schema()["$defs"]["_Colour"]
    assert schema["enum"] == ["red", "blue"]
    assert schema["description"] == "A colour.\n\n- `red`: Like blood.\n- `blue`: Like the sky."
