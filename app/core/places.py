"""Places in a list that is ordered by moment and id, newest first."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

Place = tuple[datetime, UUID]
"""Moment and id of the last row shown; what follows is older."""

NEWEST: Final[Place] = (datetime.max.replace(tzinfo=UTC), UUID(int=2**128 - 1))
"""Before everything."""
