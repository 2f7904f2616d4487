"""What came of an operation, and what is learned from it: each agency's own part, and all parts together."""

from typing import Annotated, Self

from pydantic import Field, Strict, model_validator

from app.core.codes import AgencyCode, Country
from app.core.measures import Money
from app.core.problems import Flaw
from app.core.shapes import Shape, refuse
from app.core.text import Paragraph
from app.models.operation_vocabularies import SeizedKind

_ROWS_MAX = 300
_ALL_ROWS_MAX = 10_000
_AGENCIES_MAX = 200
_LESSONS_MAX = 50

_Lessons = Annotated[list[Paragraph], Field(max_length=_LESSONS_MAX)]


class PeopleIn(Shape):
    """How many people of one nationality."""

    nationality: Country | None = Field(
        default=None, description="Their nationality; null where it is not known yet.", examples=["KR"]
    )
    count: Annotated[int, Strict()] = Field(ge=1, le=100_000, description="How many people.", examples=[12])


class SeizureIn(Shape):
    """What was seized of one kind."""

    kind: SeizedKind = Field(description="What was seized.", examples=["phones"])
    quantity: Annotated[int, Strict()] | None = Field(
        default=None,
        ge=1,
        le=1_000_000_000_000,
        description="How many pieces; of drugs how many grams; null where only the value counts.",
        examples=[340],
    )
    value: Money | None = Field(default=None, description="What it is worth; of cash how much; null if not known.")

    @model_validator(mode="after")
    def _says_how_much(self) -> Self:
        if self.quantity is None and self.value is None:
            refuse("SeizureIn", [Flaw("/quantity", "amount-missing", "Give a quantity, a value, or both.")])
        return self


class OutcomeIn(Shape):
    """What came of the operation for your agency; it takes the place of what your agency said before."""

    arrested: list[PeopleIn] = Field(
        default_factory=list, max_length=_ROWS_MAX, description="People your agency arrested, by nationality."
    )
    rescued: list[PeopleIn] = Field(
        default_factory=list, max_length=_ROWS_MAX, description="People your agency brought to safety, by nationality."
    )
    seized: list[SeizureIn] = Field(
        default_factory=list, max_length=_ROWS_MAX, description="What your agency seized, by kind."
    )
    notes: Paragraph | None = Field(
        default=None, description="What else is to be said.", examples=["Two floors were empty when we came."]
    )

    @model_validator(mode="after")
    def _counts_each_nationality_once(self) -> Self:
        refuse("OutcomeIn", [*_repeated("arrested", self.arrested), *_repeated("rescued", self.rescued)])
        return self


def _repeated(field: str, rows: list[PeopleIn]) -> list[Flaw]:
    nationalities = [row.nationality for row in rows]
    return [
        Flaw(f"/{field}/{number}/nationality", "nationality-repeated", "Count each nationality in one row.")
        for number, nationality in enumerate(nationalities)
        if nationality in nationalities[:number]
    ]


class _Own(Shape):
    agency: AgencyCode = Field(description="The agency that says so.")


class People(PeopleIn, _Own):
    """How many people of one nationality, as one agency counted them."""


class Seizure(SeizureIn, _Own):
    """What one agency seized of one kind."""


class OutcomeNote(_Own):
    """What else one agency says of the outcome."""

    text: Paragraph = Field(description="What it says.")


class Outcome(Shape):
    """What came of the operation: every row says which agency counted it, and no agency counts for another."""

    arrested: list[People] = Field(
        default_factory=list, max_length=_ALL_ROWS_MAX, description="People who were arrested."
    )
    rescued: list[People] = Field(
        default_factory=list, max_length=_ALL_ROWS_MAX, description="People who were brought to safety."
    )
    seized: list[Seizure] = Field(default_factory=list, max_length=_ALL_ROWS_MAX, description="What was seized.")
    notes: list[OutcomeNote] = Field(
        default_factory=list, max_length=_AGENCIES_MAX, description="What else the agencies say."
    )


class DebriefIn(Shape):
    """What your agency learned from the operation; it takes the place of what it said before."""

    summary: Paragraph = Field(
        description="The operation in a few sentences, as your agency saw it.",
        examples=["The site was entered on time; the second building was found late."],
    )
    went_well: _Lessons = Field(default_factory=list, description="What to do again.")
    to_improve: _Lessons = Field(default_factory=list, description="What to do otherwise next time.")


class Debrief(DebriefIn, _Own):
    """What one agency learned from the operation."""
