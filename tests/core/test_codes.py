"""Codes of registers, telephones, email addresses, agencies."""

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.core import registers
from app.core.codes import AgencyCode, Country, Currency, Email, Language, Phone, Subdivision, TimeZone

TYPES: dict[str, Any] = {
    "country": Country,
    "subdivision": Subdivision,
    "language": Language,
    "time-zone": TimeZone,
    "currency": Currency,
    "phone": Phone,
    "email": Email,
    "agency-code": AgencyCode,
}


@pytest.mark.parametrize(
    ("type_", "sent", "kept"),
    [
        ("country", "KH", "KH"),
        ("subdivision", "KH-7", "KH-7"),
        ("subdivision", "KH-18", "KH-18"),
        ("subdivision", "KH-12", "KH-12"),
        ("language", "km", "km"),
        ("language", "ZH-hant-tw", "zh-Hant-TW"),
        ("language", "yue", "yue"),
        ("language", "de-CH-1996", "de-CH-1996"),
        ("language", "en-a-BBB-x-AB", "en-a-bbb-x-ab"),
        ("language", "es-419", "es-419"),
        ("time-zone", "Asia/Phnom_Penh", "Asia/Phnom_Penh"),
        ("time-zone", "UTC", "UTC"),
        ("currency", "KRW", "KRW"),
        ("phone", "+855 (23) 000-000", "+85523000000"),
        ("phone", "+44 (0)20 7946 0000", "+442079460000"),
        ("phone", "+821012345678", "+821012345678"),
        ("email", "Duty@Police.EXAMPLE", "Duty@police.example"),
        ("agency-code", "KR-KNPA", "KR-KNPA"),
        ("agency-code", "INTERPOL", "INTERPOL"),
        ("agency-code", "A1-B-C", "A1-B-C"),
    ],
)
def test_code_is_taken(type_: str, sent: str, kept: str) -> None:
    assert TypeAdapter(TYPES[type_]).validate_python(sent) == kept


@pytest.mark.parametrize(
    ("type_", "sent", "code"),
    [
        ("country", "kh", "country-unknown"),
        ("country", "XX", "country-unknown"),
        ("country", "KHM", "country-unknown"),
        ("country", "KH\n", "country-unknown"),
        ("subdivision", "KH-99", "subdivision-unknown"),
        ("language", "khm", "language-unknown"),
        ("language", "qq", "language-unknown"),
        ("language", "english", "language-unknown"),
        ("language", "en-", "language-unknown"),
        ("language", "en-x-" + "-".join(["abcdefgh"] * 4), "language-unknown"),
        ("time-zone", "Asia/Bokor", "time-zone-unknown"),
        ("time-zone", "localtime", "time-zone-unknown"),
        ("currency", "krw", "currency-unknown"),
        ("phone", "023 000 000", "phone-invalid"),
        ("phone", "+855 1", "phone-invalid"),
        ("phone", "+999123456789", "phone-invalid"),
        ("phone", "+1 800 FLOWERS", "phone-invalid"),
        ("phone", "+82 2 3150 0000 ext 5", "phone-invalid"),
        ("phone", "+" + "1" * 60, "phone-invalid"),
        ("email", "duty", "email-invalid"),
        ("email", "Duty <duty@police.example>", "email-invalid"),
        ("email", "duty@localhost", "email-invalid"),
        ("email", "a" * 300 + "@police.example", "email-invalid"),
        ("agency-code", "kr-knpa", "agency-code-invalid"),
        ("agency-code", "K", "agency-code-invalid"),
        ("agency-code", "KR-A-B-C", "agency-code-invalid"),
        ("agency-code", "KR-KNPA\n", "agency-code-invalid"),
        ("agency-code", "KR-", "agency-code-invalid"),
        ("agency-code", "\u039a\u03a1-\u039a\u039d\u03a1\u0391", "agency-code-invalid"),
    ],
)
def test_code_is_refused(type_: str, sent: str, code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(TYPES[type_]).validate_python(sent)
    assert [error["type"] for error in caught.value.errors()] == [code]


@pytest.mark.parametrize("type_", TYPES)
@given(sent=st.text(st.characters(), max_size=50) | st.integers() | st.none() | st.booleans() | st.floats())
def test_anything_is_taken_or_refused(type_: str, sent: object) -> None:
    adapter: TypeAdapter[str] = TypeAdapter(TYPES[type_])
    try:
        kept = adapter.validate_python(sent)
    except ValidationError:
        return
    assert adapter.validate_python(kept) == kept


@pytest.mark.parametrize("type_", TYPES)
def test_schema_describes_and_gives_examples_that_are_taken(type_: str) -> None:
    adapter: TypeAdapter[str] = TypeAdapter(TYPES[type_])
    schema = adapter.json_schema()
    assert schema["type"] == "string"
    assert schema["description"]
    assert {"enum", "pattern", "format"} & schema.keys()
    for example in schema["examples"]:
        adapter.validate_python(example)


def test_registers_are_read_once_and_complete() -> None:
    registers.read_registers()
    assert registers.countries() is registers.countries()
    assert len(registers.countries()) > 240
    assert {"KH", "KR", "TH", "PH"} <= registers.countries()


def test_importing_reads_no_register() -> None:
    program = (
        "import sys, app.domain.criminal_organizations.shapes\n"
        "print([name for name in ('pycountry', 'phonenumbers', 'email_validator', 'idna') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    assert answer.stdout.strip() == "[]"
