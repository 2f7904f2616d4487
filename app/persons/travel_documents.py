"""Travel documents of persons: what is known of each, checked where the document itself can be."""

import re
from typing import Annotated, Any, Final, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from app.core.dates import PartialDate, partial_dates_in_order
from app.core.problems import Flaw
from app.core.shapes import Shape, refuse
from app.core.text import Line, Paragraph
from app.models.person_vocabularies import TravelDocumentKind
from app.persons import machine_readable
from app.persons.machine_readable import LINE, SIZES

_NUMBER: Final = r"^[A-Z0-9][A-Z0-9 /.-]{0,29}$"
_STATE: Final = r"^[A-Z]{1,3}$"
_ZONE_LINE: Final = r"^[A-Z0-9<]{30,44}$"
_SEPARATORS: Final = re.compile(r"[ /.-]")
_FORGED: Final = "If the document itself shows it so, leave the zone out and say that in note."
_zone_error = PydanticCustomError(
    "zone-character-invalid", "A machine-readable zone holds the letters A to Z, digits and the filler < alone."
)


def _capitals(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    return value.strip().upper() if isinstance(value, str) else value


def _zone_line(value: Any) -> Any:  # noqa: ANN401 - as above
    """A line of a zone as scanners and people write it: blanks between groups mean nothing."""
    if not isinstance(value, str):
        return value
    line = value.replace(" ", "").upper()
    if not LINE.fullmatch(line):
        raise _zone_error
    return line


Number = Annotated[str, BeforeValidator(_capitals), StringConstraints(pattern=_NUMBER, max_length=30)]
State = Annotated[
    str, BeforeValidator(_capitals), StringConstraints(pattern=_STATE), Field(json_schema_extra={"maxLength": 3})
]
ZoneLine = Annotated[
    str, BeforeValidator(_zone_line), StringConstraints(pattern=_ZONE_LINE), Field(json_schema_extra={"maxLength": 44})
]


class TravelDocument(Shape):
    """A document that a person travels with. Either number and issuing state are given, or the zone that says both."""

    type: TravelDocumentKind = Field(description="What it is.", examples=["passport"])
    number: Number | None = Field(
        default=None,
        description="The document's number, as printed. Left out, it is read from the zone.",
        examples=["L898902C3"],
    )
    issuing_state: State | None = Field(
        default=None,
        description="Who issued it, in the letters of ICAO Doc 9303: the ISO 3166-1 alpha-3 code of a state, and codes "
        "that are none: `D` Germany, `GBD` and others British, `RKS` Kosovo, `UNO` and `UNA` United Nations, `XPO` "
        "Interpol, `XOM` Order of Malta, `XXA` stateless, `XXB` and `XXC` refugees. No register is "
        "asked. Left out, it is read from the zone.",
        examples=["KOR", "D", "UNO"],
    )
    check_digit: (
        Annotated[str, StringConstraints(pattern=r"^[0-9]$"), Field(json_schema_extra={"maxLength": 1})] | None
    ) = Field(
        default=None,
        description="The digit behind the number in the zone; where it is given, the number is checked with it.",
        examples=["6"],
    )
    machine_readable_zone: list[ZoneLine] | None = Field(
        default=None,
        max_length=3,
        description=f"The lines at the document's foot: {SIZES}. Every check digit in them is checked.",
        examples=[["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"]],
    )
    issued_on: PartialDate | None = Field(default=None, description="When it was issued.")
    expires_on: PartialDate | None = Field(default=None, description="When it expires.")
    held_by: Line | None = Field(
        default=None, description="Who has it now: the person, an agency, those who took it away.", examples=["KH-CNP"]
    )
    note: Paragraph | None = Field(default=None, description="What else is to be known about it: that it is forged.")

    @model_validator(mode="before")
    @classmethod
    def _read_from_zone(cls, sent: Any) -> Any:  # noqa: ANN401 - any JSON value
        """Fill in what only the zone says. What is wrong with the zone is said later."""
        if not isinstance(sent, dict) or not isinstance(sent.get("machine_readable_zone"), list):
            return sent
        lines = [line.replace(" ", "").upper() for line in sent["machine_readable_zone"] if isinstance(line, str)]
        layout = machine_readable.layout_of(lines)
        if layout is None or not all(LINE.fullmatch(line) for line in lines):
            return sent
        zone = machine_readable.read(lines, layout)
        said = {"number": zone.number or None, "issuing_state": zone.issuing_state or None}
        return {**sent, **{name: value for name, value in said.items() if sent.get(name) is None}}

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        flaws = []
        if self.number is None:
            flaws.append(Flaw("/number", "number-missing", "Give the number, or the zone that holds it."))
        if self.issuing_state is None:
            flaws.append(Flaw("/issuing_state", "issuing-state-missing", "Give the state, or the zone that holds it."))
        if not partial_dates_in_order(self.issued_on, self.expires_on):
            flaws.append(Flaw("/expires_on", "dates-reversed", "Set expires_on on or after issued_on."))
        refuse("TravelDocument", [*flaws, *self._digit_flaws(), *self._zone_flaws()])
        return self

    def _digit_flaws(self) -> list[Flaw]:
        if self.check_digit is None or self.number is None:
            return []
        if self.check_digit == machine_readable.check_digit(machine_readable.in_zone(self.number)):
            return []
        detail = (
            "The check digit does not fit the number (ICAO Doc 9303: weights 7, 3, 1, modulo 10): look for letters and "
            "digits that were mistaken for one another, such as O and 0."
        )
        return [Flaw("/check_digit", "check-digit-wrong", detail)]

    def _zone_flaws(self) -> list[Flaw]:
        lines = self.machine_readable_zone
        if lines is None:
            return []
        layout = machine_readable.layout_of(lines)
        if layout is None:
            detail = f"A machine-readable zone has {SIZES}."
            return [Flaw("/machine_readable_zone", "zone-size-wrong", detail)]
        zone = machine_readable.read(lines, layout)
        flaws = [
            Flaw(
                f"/machine_readable_zone/{flaw.line - 1}",
                "check-digit-wrong",
                f"The check digit of the {flaw.name}, position {flaw.position} of this line, does not fit. {_FORGED}",
            )
            for flaw in zone.flaws
        ]
        if self.number is not None and _bare(self.number) != _bare(zone.number.replace("<", " ")):
            flaws.append(Flaw("/number", "zone-differs", f"The zone holds another number. {_FORGED}"))
        if self.issuing_state is not None and self.issuing_state != zone.issuing_state:
            flaws.append(Flaw("/issuing_state", "zone-differs", f"The zone holds another state. {_FORGED}"))
        return flaws


def _bare(number: str) -> str:
    return _SEPARATORS.sub("", number)
