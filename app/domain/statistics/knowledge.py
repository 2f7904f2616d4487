"""What was known when: the moment that a count is asked for, and whether its answer can still change."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError
from typing_extensions import TypeAliasType

from app.core import clock
from app.core.dates import read_moment

SETTLED_AFTER: Final = timedelta(minutes=1)
"""By then every change that says of itself that it was made before is committed: no caller's transaction may last as
long (`transaction_timeout` of the role interdesk_api)."""

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_AHEAD: Final = PydanticCustomError("as-of-ahead", "Name a day that has begun, or a moment that has passed.")
_INVALID: Final = PydanticCustomError("date-invalid", "Write a day as YYYY-MM-DD, or a moment as RFC 3339.")


def _read(value: object) -> datetime:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        moment = read_moment(value)
        if moment > clock.now():
            raise _AHEAD
        return moment
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise _INVALID from None
    if day > clock.now().date():
        raise _AHEAD
    return datetime.combine(day, time.max, UTC)


AsOf = TypeAliasType(
    "AsOf",
    Annotated[
        datetime,
        BeforeValidator(_read),
        WithJsonSchema(
            {
                "anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}],
                "description": "A day, which means its end in UTC, or a moment, RFC 3339. It has begun, or has passed.",
                "examples": ["2025-10-31", "2025-10-31T09:00:00Z"],
            }
        ),
    ],
)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What was known at a moment; without one, what is known now."""

    as_of: datetime | None
    counted_at: datetime
    """The last moment whose changes are counted: never one to come."""

    @classmethod
    def at(cls, as_of: datetime | None) -> "Knowledge":
        """What was known at this moment, or is now."""
        now = clock.now()
        return cls(as_of, now if as_of is None else min(as_of, now))

    @property
    def settled(self) -> bool:
        """Whether nothing can be added to what was known then."""
        return self.as_of is not None and self.as_of + SETTLED_AFTER <= clock.now()
