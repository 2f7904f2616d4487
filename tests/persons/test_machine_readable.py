"""Check digits and zones, by the specimens of ICAO Doc 9303, whose holders nobody ever was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.persons import machine_readable
from app.persons.machine_readable import check_digit, layout_of, read

SPECIMENS = {
    "TD3": ["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"],
    "TD1": ["I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"],
    "TD2": ["I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6"],
    "MRV-A": ["V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L8988901C4XXX4009078F96121096ZE184226B<<<<<<"],
    "MRV-B": ["V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "L8988901C4XXX4009078F9612109<<<<<<<<"],
}
LONG = {
    "TD1": ["I<UTOD23145890<7349<<<<<<<<<<<", "3407127M9507122UTO<<<<<<<<<<<2", "STEVENSON<<PETER<JOHN<<<<<<<<<"],
    "TD2": ["I<UTOSTEVENSON<<PETER<JOHN<<<<<<<<<<", "D23145890<UTO3407127M95071227349<<<8"],
}
"""Numbers of more than nine characters go on in the optional data."""


@pytest.mark.parametrize(
    ("text", "digit"),
    [("520727", "3"), ("AB2134<<<", "5"), ("L898902C3", "6"), ("HA672242<", "6"), ("", "0"), ("<<<", "0")],
)
def test_check_digits(text: str, digit: str) -> None:
    assert check_digit(text) == digit


@pytest.mark.parametrize("size", SPECIMENS)
def test_a_specimen_reads_as_it_should(size: str) -> None:
    lines = SPECIMENS[size]
    layout = layout_of(lines)
    assert layout is not None
    assert layout.name == size
    zone = read(lines, layout)
    assert (zone.issuing_state, zone.flaws) == ("UTO", ())
    assert zone.number == {"TD3": "L898902C3", "TD1": "D23145890", "TD2": "D23145890"}.get(size, "L8988901C")


@pytest.mark.parametrize("size", LONG)
def test_a_long_number_goes_on_in_the_optional_data(size: str) -> None:
    layout = layout_of(LONG[size])
    assert layout is not None
    zone = read(LONG[size], layout)
    assert (zone.number, zone.flaws) == ("D23145890734", ())
    wrong = [line.replace("7349", "7348") for line in LONG[size]]
    assert "document number" in {flaw.name for flaw in read(wrong, layout).flaws}


WRONG = [
    ("TD3", 2, 1, "M", {"document number", "zone as a whole"}, (2, 10)),
    ("TD3", 2, 14, "8", {"date of birth", "zone as a whole"}, (2, 20)),
    ("TD3", 2, 22, "2", {"date of expiry", "zone as a whole"}, (2, 28)),
    ("TD3", 2, 29, "A", {"personal number", "zone as a whole"}, (2, 43)),
    ("TD3", 2, 44, "1", {"zone as a whole"}, (2, 44)),
    ("TD1", 1, 6, "E", {"document number", "zone as a whole"}, (1, 15)),
    ("TD1", 2, 1, "8", {"date of birth", "zone as a whole"}, (2, 7)),
    ("TD1", 2, 19, "B", {"zone as a whole"}, (2, 30)),
    ("TD2", 2, 10, "1", {"document number", "zone as a whole"}, (2, 10)),
    ("MRV-A", 2, 22, "8", {"date of expiry"}, (2, 28)),
    ("MRV-B", 2, 14, "5", {"date of birth"}, (2, 20)),
]


@pytest.mark.parametrize(("size", "line", "position", "put", "names", "first"), WRONG)
def test_a_wrong_character_is_found_where_it_is_checked(
    size: str, line: int, position: int, put: str, names: set[str], first: tuple[int, int]
) -> None:
    lines = list(SPECIMENS[size])
    text = lines[line - 1]
    assert text[position - 1] != put
    lines[line - 1] = text[: position - 1] + put + text[position:]
    layout = layout_of(lines)
    assert layout is not None
    flaws = read(lines, layout).flaws
    assert {flaw.name for flaw in flaws} == names
    assert (flaws[0].line, flaws[0].position) == first


def test_an_empty_personal_number_has_a_filler_or_a_zero() -> None:
    first, second = SPECIMENS["TD3"]
    for digit in "<0":
        line = second[:28] + "<" * 14 + digit
        line += check_digit(line[:10] + line[13:20] + line[21:43])
        layout = layout_of([first, line])
        assert layout is not None
        assert read([first, line], layout).flaws == ()


@pytest.mark.parametrize("lines", [[], ["P<UTO"], ["<" * 44] * 3, ["<" * 30] * 2, ["<" * 44, "<" * 36], ["<" * 45] * 2])
def test_what_has_another_size_is_no_zone(lines: list[str]) -> None:
    assert layout_of(lines) is None


@given(st.text("ABCXYZ0189<", min_size=1, max_size=20), st.integers(0, 19), st.sampled_from("0123456789"))
def test_a_mistaken_digit_is_found(text: str, position: int, put: str) -> None:
    """One digit taken for another changes the check digit, whatever its weight: 7, 3 and 1 have inverses modulo 10."""
    place = position % len(text)
    if text[place].isdecimal() and text[place] != put:
        assert check_digit(text[:place] + put + text[place + 1 :]) != check_digit(text)


@given(st.lists(st.text("ABCPV<0123456789", min_size=30, max_size=44), max_size=4))
def test_whatever_is_sent_is_read_or_refused(lines: list[str]) -> None:
    layout = machine_readable.layout_of(lines)
    if layout is not None:
        machine_readable.read(lines, layout)
