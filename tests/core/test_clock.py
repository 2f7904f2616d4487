from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import clock

moments = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=9)), timezone(timedelta(hours=-3))]))
comfortable = moments.filter(lambda moment: 1 < moment.year < 9999)


def test_now_is_aware_and_in_utc() -> None:
    assert clock.now().tzinfo is UTC


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 11, 22, 8, 15, 30, tzinfo=UTC), "2026-11-22T08:15:30.000000Z"),
        (datetime(2026, 11, 22, 8, 15, 30, 7, tzinfo=UTC), "2026-11-22T08:15:30.000007Z"),
        (datetime(2026, 11, 22, 2, 0, tzinfo=timezone(timedelta(hours=9))), "2026-11-21T17:00:00.000000Z"),
    ],
)
def test_a_moment_is_written_in_utc_with_six_decimals(moment: datetime, text: str) -> None:
    assert clock.rfc3339(moment) == text


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        clock.rfc3339(datetime(2026, 11, 22))  # noqa: DTZ001 - the subject of the test


@given(comfortable, comfortable)
def test_texts_sort_as_the_moments_do_and_read_back(one: datetime, other: datetime) -> None:
    assert (clock.rfc3339(one) < clock.rfc3339(other)) == (one < other)
    assert datetime.fromisoformat(clock.rfc3339(one)) == one
