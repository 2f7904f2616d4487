"""Machine-readable zones of travel documents, and their check digits (ICAO Doc 9303, parts 3 to 7).

A check digit is the sum of all characters, weighted 7, 3, 1, 7, 3, 1 …, modulo 10; letters count 10 to 35, the filler
`<` counts nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Final

FILLER: Final = "<"
LINE: Final = re.compile(r"[A-Z0-9<]+")

_NOT_IN_ZONE: Final = re.compile(r"[^A-Z0-9]")
_NUMBER_WIDTH: Final = 9


def check_digit(text: str) -> str:
    """The check digit of a field of a zone: characters A to Z, 0 to 9 and `<`."""
    values = (int(character, 36) for character in text.replace(FILLER, "0"))
    return str(sum(weight * value for weight, value in zip(cycle((7, 3, 1)), values, strict=False)) % 10)


def in_zone(number: str) -> str:
    """A document's number as its zone writes it: whatever is no letter or digit becomes a filler."""
    return _NOT_IN_ZONE.sub(FILLER, number)


@dataclass(frozen=True, slots=True)
class Field:
    """Where something stands in a zone: line and first position, counted from one as the document's makers do."""

    line: int
    start: int
    length: int

    def of(self, lines: Sequence[str]) -> str:
        """What stands there."""
        return lines[self.line - 1][self.start - 1 : self.start - 1 + self.length]


@dataclass(frozen=True, slots=True)
class Checked:
    """A field, or several read as one, with the place of its check digit; `optional`: a filler stands for zero."""

    name: str
    fields: tuple[Field, ...]
    digit: Field
    optional: bool = False

    def holds(self, lines: Sequence[str]) -> bool:
        """Whether the digit is the one that follows from the fields."""
        text = "".join(field.of(lines) for field in self.fields)
        digit = self.digit.of(lines)
        if digit == FILLER and self.optional:
            digit = "0"
        return digit == check_digit(text)


@dataclass(frozen=True, slots=True)
class Layout:
    """One of the five sizes of zones, and what stands where in it."""

    name: str
    lines: int
    width: int
    number: Field
    state: Field
    checked: tuple[Checked, ...]
    """All but the number's, which may go on in `rest`."""
    rest: Field | None = None
    """Where a number of more than nine characters goes on, with its check digit and a filler behind it."""


def _checked(line: int, birth: int, expiry: int) -> tuple[Checked, ...]:
    return (
        Checked("date of birth", (Field(line, birth, 6),), Field(line, birth + 6, 1)),
        Checked("date of expiry", (Field(line, expiry, 6),), Field(line, expiry + 6, 1)),
    )


def _two_lines(name: str, width: int, *, rest: Field | None = None, more: tuple[Checked, ...] = ()) -> Layout:
    return Layout(
        name,
        lines=2,
        width=width,
        number=Field(2, 1, _NUMBER_WIDTH),
        state=Field(1, 3, 3),
        checked=(*_checked(2, 14, 22), *more),
        rest=rest,
    )


_WHOLE: Final = "zone as a whole"
_TD3: Final = _two_lines(
    "TD3",
    44,
    more=(
        Checked("personal number", (Field(2, 29, 14),), Field(2, 43, 1), optional=True),
        Checked(_WHOLE, (Field(2, 1, 10), Field(2, 14, 7), Field(2, 22, 22)), Field(2, 44, 1)),
    ),
)
_TD2: Final = _two_lines(
    "TD2",
    36,
    rest=Field(2, 29, 7),
    more=(Checked(_WHOLE, (Field(2, 1, 10), Field(2, 14, 7), Field(2, 22, 14)), Field(2, 36, 1)),),
)
_VISA_A: Final = _two_lines("MRV-A", 44)
_VISA_B: Final = _two_lines("MRV-B", 36)
_TD1: Final = Layout(
    "TD1",
    lines=3,
    width=30,
    number=Field(1, 6, _NUMBER_WIDTH),
    state=Field(1, 3, 3),
    checked=(
        *_checked(2, 1, 9),
        Checked(_WHOLE, (Field(1, 6, 25), Field(2, 1, 7), Field(2, 9, 7), Field(2, 19, 11)), Field(2, 30, 1)),
    ),
    rest=Field(1, 16, 15),
)
SIZES: Final = "two lines of 44 or of 36 characters, or three of 30"


def layout_of(lines: Sequence[str]) -> Layout | None:
    """The size that a zone has, by its lines; None where it has none."""
    sizes = {(len(lines), len(line)) for line in lines}
    if sizes == {(_TD1.lines, _TD1.width)}:
        return _TD1
    visa = bool(lines) and lines[0].startswith("V")
    if sizes == {(_TD3.lines, _TD3.width)}:
        return _VISA_A if visa else _TD3
    if sizes == {(_TD2.lines, _TD2.width)}:
        return _VISA_B if visa else _TD2
    return None


@dataclass(frozen=True, slots=True)
class Flawed:
    """A check digit that does not fit: of what, and where it stands."""

    name: str
    line: int
    position: int


@dataclass(frozen=True, slots=True)
class Zone:
    """What a zone says of its document."""

    number: str
    issuing_state: str
    flaws: tuple[Flawed, ...]


def read(lines: Sequence[str], layout: Layout) -> Zone:
    """Read a zone of a known size, whose lines hold only characters of zones."""
    number, digit, place = _number(lines, layout)
    flaws = [] if digit == check_digit(number) else [Flawed("document number", place.line, place.start)]
    flaws += [
        Flawed(checked.name, checked.digit.line, checked.digit.start)
        for checked in layout.checked
        if not checked.holds(lines)
    ]
    state = layout.state.of(lines).rstrip(FILLER)
    return Zone(number.rstrip(FILLER), state, tuple(flaws))


def _number(lines: Sequence[str], layout: Layout) -> tuple[str, str, Field]:
    """The number, its check digit, and where that stands: a longer number goes on in the optional data."""
    number = layout.number.of(lines)
    place = Field(layout.number.line, layout.number.start + layout.number.length, 1)
    digit = place.of(lines)
    if digit != FILLER or layout.rest is None:
        return number, digit, place
    rest = layout.rest.of(lines).partition(FILLER)[0]
    if not rest:
        return number, digit, place
    return number + rest[:-1], rest[-1], Field(layout.rest.line, layout.rest.start + len(rest) - 1, 1)
