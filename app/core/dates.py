"""Dates and moments in bodies: dates only as exact as they are known, moments always in UTC."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, PlainSerializer
from pydantic_core import PydanticCustomError
from typing_extensions import TypeAliasType

from app.core import clock
from app.core.shapes import Code

_PARTIAL_DATE: Final = r"[12][0-9]{3}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?"

_partial_date = re.compile(_PARTIAL_DATE)
_calendar_date = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_moment = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_calendar_date_error = PydanticCustomError("date-invalid", "Write a date as YYYY-MM-DD.")
_moment_error = PydanticCustomError(
    "time-invalid", "Write a time as RFC 3339 with its offset, for example 2026-11-22T08:15:30Z."
)


def _check_partial_date(value: str) -> str | None:
    if not _partial_date.fullmatch(value):
        return None
    try:
        date.fromisoformat(f"{value}-01-01"[:10])
    except ValueError:
        return None
    return value


def _read_date(value: object) -> date:
    # Left to itself, Pydantic takes 1700000000 for a date as well.
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _calendar_date.fullmatch(value):
        raise _calendar_date_error
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise _calendar_date_error from None


def read_moment(value: object) -> datetime:
    """A moment with its offset, in UTC; refuses what is none, and what names no offset."""
    if isinstance(value, str) and _moment.fullmatch(value):
        try:
            value = datetime.fromisoformat(value.upper())
        except ValueError:
            raise _moment_error from None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise _moment_error
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise _moment_error from None


PartialDate = TypeAliasType(
    "PartialDate",
    Annotated[
        str,
        Code(
            _check_partial_date,
            "date-invalid",
            "Write a date as YYYY, YYYY-MM or YYYY-MM-DD, only as exact as it is known.",
            lambda: {
                "format": "partial-date",
                "description": "A date, only as exact as it is known: YYYY, YYYY-MM or YYYY-MM-DD.",
                "pattern": f"^{_PARTIAL_DATE}$",
                "examples": ["2024", "2024-11", "2024-11-22"],
            },
        ),
    ],
)

CalendarDate = TypeAliasType(
    "CalendarDate",
    Annotated[
        date,
        BeforeValidator(_read_date, json_schema_input_type=date),
        Field(description="A whole date, YYYY-MM-DD.", examples=["2031-11-22"]),
    ],
)

UtcDateTime = TypeAliasType(
    "UtcDateTime",
    Annotated[
        datetime,
        BeforeValidator(read_moment, json_schema_input_type=datetime),
        PlainSerializer(clock.rfc3339, return_type=str, when_used="json"),
        Field(
            description="A moment, RFC 3339; read with any offset, answered in UTC.",
            examples=["2026-11-22T08:15:30.000000Z"],
            json_schema_extra={"format": "date-time"},  # the serializer's plain string would hide it
        ),
    ],
)


def partial_dates_in_order(earlier: str | None, later: str | None) -> bool:
    """Say whether `earlier` can lie on or before `later`, as far as both are known: 2024-06 can lie before 2024."""
    if earlier is None or later is None:
        return True
    known = min(len(earlier), len(later))
    return earlier[:known] <= later[:known]
