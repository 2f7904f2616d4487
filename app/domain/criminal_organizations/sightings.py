"""Sightings: what a reader observed itself, for or against a profile."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from app.access.desk import Desk
from app.core import clock
from app.core.ids import uuid7
from app.core.places import Place
from app.domain.criminal_organizations.shapes import Sighting, SightingIn
from app.records import contributions, shelf
from app.records.shelf import Stored

_TABLE = "sightings"


def _sighting(row: Any) -> Sighting:  # noqa: ANN401 - a row of the table
    return Sighting(
        id=row.id,
        agency=row.agency,
        assessment=row.assessment,
        observed_on=row.observed_on,
        note=row.note,
        grading=row.grading,
        created_at=row.created_at,
    )


async def add(desk: Desk, stored: Stored, sent: SightingIn) -> Sighting:
    """Record an observation about a profile and tell its originator."""
    shelf.require_current(stored)
    sighting_id = uuid7()
    values = {
        "id": sighting_id,
        "agency": desk.caller.agency,
        "assessment": sent.assessment.value,
        "observed_on": sent.observed_on,
        "note": sent.note,
        "grading": Jsonb(sent.grading.model_dump(mode="json")) if sent.grading else None,
        "created_at": clock.now(),
    }
    await contributions.insert(desk, _TABLE, stored, values)
    told = [stored.envelope.originator, desk.caller.agency]
    await contributions.tell(desk, stored, "sighting.add", "sighting.added", told, {"sighting": str(sighting_id)})
    return await one(desk, stored, sighting_id)


async def listed(desk: Desk, stored: Stored, after: Place | None, limit: int) -> Sequence[Sighting]:
    """Sightings of a profile, newest first: all for its originator, for a reader its own."""
    return [_sighting(row) for row in await contributions.page(desk, _TABLE, stored.envelope.id, after, limit)]


async def one(desk: Desk, stored: Stored, sighting_id: UUID | None) -> Sighting:
    """One sighting of a profile; 404 if the caller neither recorded it nor owns the profile."""
    return _sighting(await contributions.one(desk, _TABLE, stored.envelope.id, sighting_id))
