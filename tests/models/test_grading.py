"""A code is read by its scheme."""

import itertools

import pytest
from pydantic import ValidationError

from app.models.grading import Grading, GradingScheme


@pytest.mark.parametrize("scheme", GradingScheme)
def test_each_scheme_takes_its_own_codes_alone(scheme: GradingScheme) -> None:
    for source, information in itertools.product("ABCDEFX123456", repeat=2):
        body = {"scheme": scheme, "source": source, "information": information}
        wrong = {
            (part,)
            for part, code, codes in (
                ("source", source, scheme.source),
                ("information", information, scheme.information),
            )
            if code not in codes
        }
        if not wrong:
            assert Grading.model_validate(body).model_dump(mode="json") == body
            continue
        with pytest.raises(ValidationError) as caught:
            Grading.model_validate(body)
        assert {error["loc"] for error in caught.value.errors()} == wrong
        assert {error["type"] for error in caught.value.errors()} == {"grading-code-unknown"}


def test_the_same_letter_means_different_things() -> None:
    assert GradingScheme.ADMIRALTY.source["E"] == "unreliable"
    assert GradingScheme.UK_5X5X5.source["E"] == "untested"
    assert GradingScheme.UK_3X5X2.information["E"] == "suspected to be false"
    assert "E" not in GradingScheme.EUROPOL_4X4.source


def test_message_names_the_codes() -> None:
    with pytest.raises(ValidationError, match="Use a code of europol_4x4 here: A, B, C, X"):
        Grading.model_validate({"scheme": "europol_4x4", "source": "E", "information": "1"})
