"""How a source and its information are graded: the schemes collide in their letters, so a code never stands alone."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Self

from pydantic import Field, model_validator

from app.core.problems import Flaw
from app.core.shapes import Shape, refuse
from app.core.vocabulary import Vocabulary

_NONE: Final[Mapping[str, str]] = MappingProxyType({})


class GradingScheme(Vocabulary):
    """A scheme by which intelligence is graded; the same letter means different things in different schemes."""

    source: Mapping[str, str]
    """What each code says of the source."""
    information: Mapping[str, str]
    """What each code says of the information."""

    def __new__(
        cls,
        value: str,
        description: str = "",
        source: Mapping[str, str] = _NONE,
        information: Mapping[str, str] = _NONE,
    ) -> Self:
        """Make a scheme out of its name, a sentence, and the meanings of its codes."""
        scheme = str.__new__(cls, value)
        scheme._value_ = value
        scheme.description = description
        scheme.source = source
        scheme.information = information
        return scheme

    ADMIRALTY = (
        "admiralty",
        "NATO's 6x6 or Admiralty code: source A to F, information 1 to 6.",
        {
            "A": "completely reliable",
            "B": "usually reliable",
            "C": "fairly reliable",
            "D": "not usually reliable",
            "E": "unreliable",
            "F": "cannot be judged",
        },
        {
            "1": "confirmed",
            "2": "probably true",
            "3": "possibly true",
            "4": "doubtful",
            "5": "improbable",
            "6": "cannot be judged",
        },
    )
    EUROPOL_4X4 = (
        "europol_4x4",
        "Europol's 4x4: source A, B, C or X, information 1 to 4.",
        {
            "A": "no doubt about the source",
            "B": "mostly reliable",
            "C": "mostly unreliable",
            "X": "cannot be assessed",
        },
        {
            "1": "accuracy not in doubt",
            "2": "known personally to the source, not to the officer",
            "3": "not known personally to the source, but corroborated",
            "4": "not known personally to the source and not corroborated",
        },
    )
    UK_5X5X5 = (
        "uk_5x5x5",
        "The United Kingdom's 5x5x5: source A to E, where E is untested, information 1 to 5.",
        {
            "A": "always reliable",
            "B": "mostly reliable",
            "C": "sometimes reliable",
            "D": "unreliable",
            "E": "untested",
        },
        {
            "1": "known to be true without reservation",
            "2": "known personally to the source, not to the officer",
            "3": "not known personally to the source, but corroborated",
            "4": "cannot be judged",
            "5": "suspected to be false",
        },
    )
    UK_3X5X2 = (
        "uk_3x5x2",
        "The United Kingdom's 3x5x2: source 1 to 3 and information A to E, digits and letters swapped.",
        {"1": "reliable", "2": "untested", "3": "not reliable"},
        {
            "A": "known directly",
            "B": "known indirectly, but corroborated",
            "C": "known indirectly",
            "D": "not known",
            "E": "suspected to be false",
        },
    )


class Grading(Shape):
    """How reliable the source is and how certain the information, by one scheme."""

    scheme: GradingScheme = Field(description="By which scheme the codes are to be read.")
    source: str = Field(
        max_length=1,
        description="How reliable the source is: a code of the scheme.",
        examples=["B"],
        json_schema_extra={"pattern": "^[A-FX1-3]$"},
    )
    information: str = Field(
        max_length=1,
        description="How certain the information is: a code of the scheme.",
        examples=["2"],
        json_schema_extra={"pattern": "^[A-E1-6]$"},
    )

    @model_validator(mode="after")
    def _codes_belong_to_scheme(self) -> Self:
        refuse(
            "Grading",
            [
                Flaw(f"/{part}", "grading-code-unknown", f"Use a code of {self.scheme} here: {', '.join(codes)}.")
                for part, code, codes in (
                    ("source", self.source, self.scheme.source),
                    ("information", self.information, self.scheme.information),
                )
                if code not in codes
            ],
        )
        return self
