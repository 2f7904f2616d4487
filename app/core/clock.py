"""The one clock: every "now" of the application is read here, so that a test can set it in one place.

Callers write `clock.now()` (module and function), never `from app.core.clock import now`: only then does replacing
the function reach all of them.
"""

from datetime import UTC, datetime, timedelta

TICK = timedelta(microseconds=1)
"""The smallest step between two versions of a record: what PostgreSQL tells apart."""


def now() -> datetime:
    """The present moment, aware, in UTC, with microseconds."""
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """`moment` as RFC 3339 in UTC with six decimals and `Z`: `2026-11-22T08:15:30.000000Z`.

    The length never varies, so that the texts of two moments sort as the moments do.

    Raises:
        ValueError: the moment has no time zone, so nobody can know which one it means.
    """
    if moment.tzinfo is None:
        message = "a moment without a time zone cannot be written down"
        raise ValueError(message)
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
