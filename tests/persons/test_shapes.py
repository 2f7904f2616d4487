"""What a person may be said to be, and how it is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from app.persons.shapes import PersonContact, PersonIn, PersonName, script_of
from app.persons.travel_documents import TravelDocument
from tests.persons.people import KIM
from tests.persons.test_machine_readable import LONG, SPECIMENS


def refused(model: Any, value: Any) -> list[tuple[str, str]]:
    """Where and how a value is refused; nothing of it stands in the error's text."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate(value)
    assert "Zanzibarovski".lower() not in str(caught.value).lower()
    return [("/".join(map(str, error["loc"])), error["type"]) for error in caught.value.errors()]


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("김가나", "Hang"),
        ("KIM Gana", "Latn"),
        ("Nguyễn Văn Bê", "Latn"),
        ("陈例", "Hani"),
        ("សុខ ឧទាហរណ៍", "Khmr"),
        ("สมมุติ ตัวอย่าง", "Thai"),
        ("ສົມມຸດ", "Laoo"),
        ("ဥပမာ", "Mymr"),
        ("Пример", "Cyrl"),
        ("れいカナ", "Jpan"),
        ("김 (KIM)", "Latn"),
        ("1234", None),
        ("ꦲꦏ꧀ꦱꦫ", None),
    ],
)
def test_a_names_script_is_read_off_it(text: str, script: str | None) -> None:
    assert script_of(text) == script
    assert PersonName(name=text).script == script


def test_a_script_that_is_said_stands() -> None:
    assert PersonName(name="佐藤", script="Jpan").script == "Jpan"


def test_a_person_may_be_nobody_known_yet() -> None:
    person = PersonIn.model_validate({"roles": [{"role": "deceased", "since": "2026-11"}]})
    assert (person.names, person.birth_date, person.stateless) == ([], None, False)
    assert refused(PersonIn, {}) == [("roles", "missing")]


def test_roles_are_several_and_dated() -> None:
    roles = [
        {"role": "victim", "since": "2026-08"},
        {"role": "suspect", "since": "2026-11-03", "until": "2026-11-20", "note": "Screened: forced."},
        {"role": "witness", "since": "2026-11-20"},
    ]
    said = PersonIn.model_validate({**KIM, "roles": roles}).roles
    assert [role.role for role in said] == ["victim", "suspect", "witness"]
    assert refused(PersonIn, {**KIM, "roles": [{"role": "victim"}]}) == [("roles/0/since", "missing")]


@pytest.mark.parametrize(
    ("contact", "number"),
    [
        ({"type": "phone", "value": "+855 (0)12 000 000"}, "+85512000000"),
        ({"type": "phone", "value": "012 000 000"}, None),
        ({"type": "phone", "value": "012 000 000", "e164": "+855 12 000 000"}, "+85512000000"),
        ({"type": "messenger", "value": "+85512000000"}, None),
    ],
)
def test_a_telephone_is_kept_as_given_and_as_it_is_dialled(contact: dict[str, str], number: str | None) -> None:
    read = PersonContact.model_validate(contact)
    assert (read.value, read.e164) == (contact["value"], number)
    assert PersonContact.model_validate(read.model_dump()) == read


@pytest.mark.parametrize("state", ["KOR", "D", "UNO", "UNA", "XXA", "XXB", "XXC", "XPO", "GBD", "RKS", "d"])
def test_whoever_issues_documents_may_have_issued_it(state: str) -> None:
    document = TravelDocument.model_validate({"type": "passport", "number": "M70689098", "issuing_state": state})
    assert document.issuing_state == state.upper()


def test_a_number_is_checked_where_its_digit_is_given() -> None:
    good = {"type": "passport", "number": "l898902c3", "issuing_state": "UTO", "check_digit": "6"}
    assert TravelDocument.model_validate(good).number == "L898902C3"
    # The digit of a number with separators is that of the zone, where they are fillers.
    assert TravelDocument.model_validate({**good, "number": "AB-2134", "check_digit": "1"}).number == "AB-2134"
    assert refused(TravelDocument, {**good, "check_digit": "7"}) == [("check_digit", "check-digit-wrong")]
    assert refused(TravelDocument, {**good, "check_digit": "x"}) == [("check_digit", "string_pattern_mismatch")]
    assert refused(TravelDocument, {**good, "number": "ZANZIBAROVSKI<"})[0][0] == "number"


@pytest.mark.parametrize("lines", [*SPECIMENS.values(), *LONG.values()])
def test_number_and_state_are_read_from_the_zone(lines: list[str]) -> None:
    sent = {"type": "passport", "machine_readable_zone": [f" {line.lower()}" for line in lines]}
    document = TravelDocument.model_validate(sent)
    assert document.machine_readable_zone == lines
    assert document.issuing_state == "UTO"
    assert document.number is not None
    assert TravelDocument.model_validate(document.model_dump(mode="json")) == document


def test_what_is_wrong_with_a_zone_is_said() -> None:
    first, second = SPECIMENS["TD3"]
    sent = {"type": "passport", "machine_readable_zone": [first, second[:-1] + "9"]}
    assert refused(TravelDocument, sent) == [("machine_readable_zone/1", "check-digit-wrong")]
    with pytest.raises(ValidationError, match="zone as a whole, position 44 of this line"):
        TravelDocument.model_validate(sent)
    short = {"type": "passport", "number": "X1", "issuing_state": "UTO", "machine_readable_zone": [first, second + "<"]}
    assert refused(TravelDocument, short) == [("machine_readable_zone/1", "string_pattern_mismatch")]
    one = {**short, "machine_readable_zone": [second]}
    assert refused(TravelDocument, one) == [("machine_readable_zone", "zone-size-wrong")]
    script = {**short, "machine_readable_zone": ["가" * 44, second]}
    assert refused(TravelDocument, script) == [("machine_readable_zone/0", "zone-character-invalid")]
    none = {**short, "machine_readable_zone": "P<UTO"}
    assert refused(TravelDocument, none) == [("machine_readable_zone", "list_type")]


def test_a_zone_that_says_something_else_is_refused() -> None:
    sent = {"type": "passport", "machine_readable_zone": SPECIMENS["TD3"]}
    assert refused(TravelDocument, {**sent, "number": "M70689098"}) == [("number", "zone-differs")]
    assert refused(TravelDocument, {**sent, "issuing_state": "KOR"}) == [("issuing_state", "zone-differs")]
    both = {"type": "passport", "issued_on": "2026", "expires_on": "2025"}
    assert refused(TravelDocument, both) == [
        ("number", "number-missing"),
        ("issuing_state", "issuing-state-missing"),
        ("expires_on", "dates-reversed"),
    ]
