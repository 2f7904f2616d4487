"""Dates only as exact as they are known, and moments in UTC."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from app.core.dates import CalendarDate, PartialDate, UtcDateTime, partial_dates_in_order

PARTIAL: TypeAdapter[str] = TypeAdapter(PartialDate)
CALENDAR: TypeAdapter[date] = TypeAdapter(CalendarDate)
MOMENT: TypeAdapter[datetime] = TypeAdapter(UtcDateTime)


def _refused(adapter: TypeAdapter[Any], value: object, code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python(value)
    assert [error["type"] for error in caught.value.errors()] == [code]


@pytest.mark.parametrize("sent", ["2024", "2024-02", "2024-02-29", "1000", "2999-12-31"])
def test_partial_date_is_taken_as_it_is(sent: str) -> None:
    assert PARTIAL.validate_python(sent) == sent


@pytest.mark.parametrize(
    "sent", ["2023-02-29", "2024-13", "24", "0999", "2024-1", "2024-02-30", "2024-02-", "\uff12\uff10\uff12\uff14"]
)
def test_partial_date_must_exist(sent: str) -> None:
    _refused(PARTIAL, sent, "date-invalid")


@pytest.mark.parametrize(
    ("earlier", "later", "in_order"),
    [
        ("2024", "2024-06", True),
        ("2024-06", "2024", True),
        ("2024-06-02", "2024-06", True),
        ("2024-06", "2024-05-31", False),
        ("2025", "2024-12-31", False),
        (None, "2024", True),
        ("2024", None, True),
    ],
)
def test_order_is_judged_as_far_as_both_are_known(earlier: str | None, later: str | None, *, in_order: bool) -> None:
    assert partial_dates_in_order(earlier, later) is in_order


def test_calendar_date() -> None:
    assert CALENDAR.validate_python("2024-02-29") == CALENDAR.validate_python(date(2024, 2, 29)) == date(2024, 2, 29)
    assert CALENDAR.json_schema()["format"] == "date"


@pytest.mark.parametrize("sent", ["2024", "2024-02-30", "2024-02-29T00:00:00", 1_700_000_000, None, datetime.now(UTC)])
def test_calendar_date_refuses(sent: object) -> None:
    _refused(CALENDAR, sent, "date-invalid")


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        ("2026-11-22T08:15:30Z", "2026-11-22T08:15:30.000000Z"),
        ("2026-11-22t17:15:30.5+09:00", "2026-11-22T08:15:30.500000Z"),
        ("2026-11-22T08:15:30.123456789z", "2026-11-22T08:15:30.123456Z"),
        (datetime(2026, 11, 22, 17, tzinfo=timezone(timedelta(hours=9))), "2026-11-22T08:00:00.000000Z"),
    ],
)
def test_moment_is_kept_and_written_in_utc(sent: object, written: str) -> None:
    moment = MOMENT.validate_python(sent)
    assert moment.tzinfo is UTC
    assert MOMENT.dump_json(moment) == f'"{written}"'.encode()


@pytest.mark.parametrize(
    "sent",
    [
        "2026-11-22",
        "2026-11-22T08:15:30",
        "2026-11-22 08:15:30Z",
        "2026-11-22T08:15Z",
        "2026-11-22T25:15:30Z",
        "2026-11-22T08:15:30+25:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "now",
        1_700_000_000,
        datetime(2026, 11, 22),  # noqa: DTZ001 - a moment without a zone is what is refused
        date(2026, 11, 22),
        None,
    ],
)
def test_moment_refuses(sent: object) -> None:
    _refused(MOMENT, sent, "time-invalid")


@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_moment_is_a_date_time_in_the_schema(mode: Any) -> None:
    assert MOMENT.json_schema(mode=mode)["format"] == "date-time"
