"""Codes that somebody else keeps a register of, and addresses of people: countries, languages, telephones, agencies."""

import re
from collections.abc import Callable
from typing import Annotated, Final

from typing_extensions import TypeAliasType

from app.core import registers
from app.core.shapes import Code

_AGENCY_CODE: Final = r"[A-Z0-9]{2,12}(-[A-Z0-9]{1,12}){0,2}"
_LANGUAGE: Final = (
    r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?(-([A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*"
    r"(-[A-WYZa-wyz0-9](-[A-Za-z0-9]{2,8})+)*(-[Xx](-[A-Za-z0-9]{1,8})+)?"
)
_LANGUAGE_MAX: Final = 35  # what RFC 5646, section 4.4.1, asks of a buffer for language tags
_EMAIL_MAX: Final = 254
_PHONE_MAX: Final = 42

_agency_code = re.compile(_AGENCY_CODE)
_language = re.compile(_LANGUAGE)


def _listed_in(register: Callable[[], frozenset[str]]) -> Callable[[str], str | None]:
    return lambda value: value if value in register() else None


def _check_language(value: str) -> str | None:
    if len(value) > _LANGUAGE_MAX or not _language.fullmatch(value):
        return None
    primary, *rest = value.lower().split("-")
    if registers.languages().get(primary) != primary:
        return None
    tag = [primary]
    for subtag in rest:
        # Conventional case (RFC 5646, section 2.1.1); what follows a singleton stays in lower case.
        if any(len(earlier) == 1 for earlier in tag):
            tag.append(subtag)
        else:
            tag.append({2: subtag.upper(), 4: subtag.title()}.get(len(subtag), subtag))
    return "-".join(tag)


def _check_email(value: str) -> str | None:
    return registers.email(value) if len(value) <= _EMAIL_MAX else None


def _check_agency_code(value: str) -> str | None:
    return value if _agency_code.fullmatch(value) else None


Country = TypeAliasType(
    "Country",
    Annotated[
        str,
        Code(
            _listed_in(registers.countries),
            "country-unknown",
            "Use an ISO 3166-1 alpha-2 code in capitals, for example KH.",
            lambda: {
                "format": "iso-3166-1-alpha-2",
                "description": "Country, ISO 3166-1 alpha-2.",
                "enum": sorted(registers.countries()),
                "examples": ["KH", "KR"],
            },
        ),
    ],
)

Subdivision = TypeAliasType(
    "Subdivision",
    Annotated[
        str,
        Code(
            _listed_in(registers.subdivisions),
            "subdivision-unknown",
            "Use an ISO 3166-2 code in capitals, for example KH-7.",
            lambda: {
                "format": "iso-3166-2",
                "description": "Province, state or city of a country, ISO 3166-2.",
                "pattern": "^[A-Z]{2}-[A-Z0-9]{1,3}$",
                "examples": ["KH-7", "KH-18"],
            },
        ),
    ],
)

Language = TypeAliasType(
    "Language",
    Annotated[
        str,
        Code(
            _check_language,
            "language-unknown",
            "Use a BCP 47 tag that starts with the shortest ISO 639 code of a language, for example km or zh-Hant.",
            lambda: {
                "format": "bcp-47",
                "description": "Language, BCP 47; answered in the conventional case.",
                "pattern": f"^{_LANGUAGE}$",
                "maxLength": _LANGUAGE_MAX,
                "examples": ["km", "ko", "zh-Hant"],
            },
        ),
    ],
)

TimeZone = TypeAliasType(
    "TimeZone",
    Annotated[
        str,
        Code(
            _listed_in(registers.time_zones),
            "time-zone-unknown",
            "Use a name of the IANA time zone database, for example Asia/Phnom_Penh.",
            lambda: {
                "format": "iana-time-zone",
                "description": "Time zone, IANA name.",
                "pattern": "^[A-Za-z0-9_+/-]{2,40}$",
                "examples": ["Asia/Phnom_Penh", "Asia/Seoul", "UTC"],
            },
        ),
    ],
)

Currency = TypeAliasType(
    "Currency",
    Annotated[
        str,
        Code(
            _listed_in(registers.currencies),
            "currency-unknown",
            "Use an ISO 4217 code in capitals, for example USD.",
            lambda: {
                "format": "iso-4217",
                "description": "Currency, ISO 4217.",
                "enum": sorted(registers.currencies()),
                "examples": ["USD", "KRW"],
            },
        ),
    ],
)

Phone = TypeAliasType(
    "Phone",
    Annotated[
        str,
        Code(
            registers.e164,
            "phone-invalid",
            "Write the number in international form without an extension, for example +855 23 000 000.",
            lambda: {
                "format": "phone",
                "description": "Telephone number in international form; spaces, dots, hyphens and brackets are taken "
                "out, and it is answered in E.164.",
                "pattern": r"^\+[0-9][0-9 ().\-/]{2,40}$",
                "maxLength": _PHONE_MAX,
                "examples": ["+85523000000", "+82 2 3150 0000"],
            },
        ),
    ],
)

Email = TypeAliasType(
    "Email",
    Annotated[
        str,
        Code(
            _check_email,
            "email-invalid",
            "Write one email address without a name, for example duty@police.example.",
            lambda: {
                "format": "email",
                "description": "Email address.",
                "maxLength": _EMAIL_MAX,
                "examples": ["duty@police.example"],
            },
        ),
    ],
)

AgencyCode = TypeAliasType(
    "AgencyCode",
    Annotated[
        str,
        Code(
            _check_agency_code,
            "agency-code-invalid",
            "Write an agency's code: capitals and digits in one to three parts joined by hyphens, for example KR-KNPA.",
            lambda: {
                "description": "The code by which an agency is known everywhere.",
                "pattern": f"^{_AGENCY_CODE}$",
                "maxLength": 38,
                "examples": ["KR-KNPA", "INTERPOL"],
            },
        ),
    ],
)
