"""The world's registers of codes: countries, subdivisions, languages, currencies, time zones, telephone plans.

Each is read on first use and kept, because reading them all costs a fifth of a second and most commands of the command
line need none. A server calls `read_registers` when it starts, so that no request waits for one.
"""

import re
from functools import cache, lru_cache
from typing import Final

_PHONE_CHARACTERS: Final = re.compile(r"\+[0-9][0-9 ().\-/\u00a0\u2010-\u2013]{2,40}")
_RETIRED_TIME_ZONES: Final = frozenset({"Factory", "localtime"})


@cache
def countries() -> frozenset[str]:
    """ISO 3166-1 alpha-2 codes in use."""
    import pycountry  # noqa: PLC0415 - see the docstring of the module

    return frozenset(country.alpha_2 for country in pycountry.countries)


@cache
def subdivisions() -> frozenset[str]:
    """ISO 3166-2 codes in use, for example `KH-7` (Kampot)."""
    import pycountry  # noqa: PLC0415

    return frozenset(subdivision.code for subdivision in pycountry.subdivisions)


@cache
def currencies() -> frozenset[str]:
    """ISO 4217 alphabetic codes in use."""
    import pycountry  # noqa: PLC0415

    return frozenset(currency.alpha_3 for currency in pycountry.currencies)


@cache
def languages() -> dict[str, str]:
    """Every ISO 639 code with the one BCP 47 asks for: of two letters where there is one (RFC 5646, 2.2.1)."""
    import pycountry  # noqa: PLC0415

    preferred: dict[str, str] = {}
    for language in pycountry.languages:
        shortest = getattr(language, "alpha_2", language.alpha_3)
        preferred[language.alpha_3] = shortest
        preferred[shortest] = shortest
    return preferred


@cache
def time_zones() -> frozenset[str]:
    """Names of the IANA time zone database, for example `Asia/Phnom_Penh`."""
    import zoneinfo  # noqa: PLC0415

    return frozenset(zoneinfo.available_timezones()) - _RETIRED_TIME_ZONES


@lru_cache(maxsize=8_192)
def e164(text: str) -> str | None:
    """Return a telephone number in its E.164 form, or None where `text` is not one number in international form.

    The number must be possible (its country exists and its length fits), not assigned: numbering plans change faster
    than any table of them. Vanity letters, extensions and national forms are not international forms. The same numbers
    come again and again, and parsing one takes 30 µs; hence the cache.
    """
    if not _PHONE_CHARACTERS.fullmatch(text):
        return None
    import phonenumbers  # noqa: PLC0415

    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def email(text: str) -> str | None:
    """Return an email address with its domain in lower case, or None where `text` is not one.

    No name server is asked: police networks are closed, and a lookup would tell others which addresses are of interest.
    """
    import email_validator  # noqa: PLC0415

    try:
        return str(email_validator.validate_email(text, check_deliverability=False).normalized)
    except email_validator.EmailNotValidError:
        return None


def read_registers() -> None:
    """Read every register now."""
    for register in (countries, subdivisions, currencies, languages, time_zones):
        register()
    e164("+85523000000")
    email("duty@police.example")
