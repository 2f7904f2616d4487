"""Legal holds: a court or an inquiry may need a record beyond the day on which it would be purged.

Readers learn nothing of a hold: that there are proceedings may be the more sensitive news.
"""

from collections.abc import Sequence
from typing import Any, Self
from uuid import UUID

from psycopg import sql
from pydantic import Field, model_validator

from app.access.desk import Desk
from app.core import clock
from app.core.dates import CalendarDate, UtcDateTime
from app.core.ids import uuid7
from app.core.places import NEWEST, Place
from app.core.problems import CONFLICT, PRECONDITION_FAILED, PURGED, Flaw, Problem, not_found
from app.core.shapes import Shape, refuse
from app.core.text import Line, Paragraph
from app.records.shelf import Stored, require_unpurged

_COLUMNS = "id, reason, authority, until, officer, version, created_at, updated_at, released_at, release_reason"
_LIST = sql.SQL(
    f"SELECT {_COLUMNS} FROM legal_holds WHERE record_id = %(record)s AND (created_at, id) < (%(at)s, %(last)s)"  # noqa: S608 - a constant
    " ORDER BY created_at DESC, id DESC LIMIT %(limit)s"
)
_ONE = sql.SQL(
    f"SELECT {_COLUMNS} FROM legal_holds WHERE record_id = %(record)s AND id = %(id)s"  # noqa: S608 - a constant
)
_OPEN = sql.SQL(
    "SELECT EXISTS (SELECT FROM legal_holds WHERE record_id = %(record)s AND released_at IS NULL"
    " AND coalesce(until >= %(today)s, true)) AS held"
)


class LegalHoldIn(Shape):
    """Why a record must not be purged, on whose order, and until when."""

    reason: Paragraph = Field(
        description="Why it must be kept; only your agency reads it.", examples=["Evidence in the Bokor trial."]
    )
    authority: Line | None = Field(
        default=None,
        description="Who ordered it, and the order's number.",
        examples=["Seoul Central District Court, 2026Gahap1187"],
    )
    until: CalendarDate | None = Field(
        default=None, description="The last day on which it holds; until it is released if left out."
    )

    @model_validator(mode="after")
    def _has_not_passed(self) -> Self:
        if self.until is not None and self.until < clock.now().date():
            refuse("LegalHoldIn", [Flaw("/until", "hold-in-the-past", "Set today or a later day, or leave it out.")])
        return self


class LegalHoldRelease(Shape):
    """Why a hold ends."""

    reason: Paragraph = Field(description="Why it is needed no more.", examples=["The judgment is final."])


class LegalHold(Shape):
    """That a record must not be purged, whatever its review date says."""

    id: UUID = Field(description="The hold's id.")
    reason: Paragraph = Field(description="Why the record must be kept.")
    authority: Line | None = Field(description="Who ordered it, and the order's number.")
    until: CalendarDate | None = Field(description="The last day on which it holds; null: until it is released.")
    officer: str | None = Field(description="On whose behalf it was placed, if the call said so.")
    version: int = Field(ge=1, description="1 when placed, 2 when released; also the ETag.")
    created_at: UtcDateTime = Field(description="When it was placed.")
    updated_at: UtcDateTime = Field(description="When it was placed or released.")
    released_at: UtcDateTime | None = Field(description="When it was released; null while it is not.")
    release_reason: Paragraph | None = Field(description="Why it was released.")


def _hold(row: Any) -> LegalHold:  # noqa: ANN401 - a row of the table
    return LegalHold(
        id=row.id,
        reason=row.reason,
        authority=row.authority,
        until=row.until,
        officer=row.officer,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        released_at=row.released_at,
        release_reason=row.release_reason,
    )


def as_of(hold: LegalHold, version: int) -> LegalHold:
    """The hold as it was at one of its two versions: placed, or released."""
    if version == hold.version:
        return hold
    return hold.model_copy(
        update={"version": 1, "updated_at": hold.created_at, "released_at": None, "release_reason": None}
    )


async def place(desk: Desk, stored: Stored, sent: LegalHoldIn) -> LegalHold:
    """Keep the caller's own record from being purged; a retracted one too, of which the versions are kept."""
    require_unpurged(stored)
    hold_id = uuid7()
    row = await desk.call_one(
        "place_legal_hold",
        p_id=hold_id,
        p_record=stored.envelope.id,
        p_reason=sent.reason,
        p_authority=sent.authority,
        p_until=sent.until,
        p_at=clock.now(),
    )
    if row.outcome == "purged":
        raise Problem(PURGED)
    return await one(desk, stored, hold_id)


async def release(desk: Desk, stored: Stored, hold: LegalHold, reason: str) -> LegalHold:
    """Let go of a record again: if its review date has passed, the next purge takes it. 409 if it was released."""
    if hold.released_at is not None:
        raise Problem(CONFLICT, detail="The hold is released already.")
    row = await desk.call_one(
        "release_legal_hold",
        p_id=hold.id,
        p_record=stored.envelope.id,
        p_expected=hold.version,
        p_reason=reason,
        p_at=max(clock.now(), hold.created_at + clock.TICK),
    )
    if row.outcome != "released":
        raise Problem(PRECONDITION_FAILED)
    return await one(desk, stored, hold.id)


async def listed(desk: Desk, stored: Stored, after: Place | None, limit: int) -> Sequence[LegalHold]:
    """Holds of the caller's own record, open, past and released, newest first."""
    at, last = after or NEWEST
    rows = await desk.rows(_LIST, record=stored.envelope.id, at=at, last=last, limit=limit)
    return [_hold(row) for row in rows]


async def one(desk: Desk, stored: Stored, hold_id: UUID | None) -> LegalHold:
    """One hold of the caller's own record; 404 if there is none."""
    rows = await desk.rows(_ONE, record=stored.envelope.id, id=hold_id)
    if not rows:
        raise not_found()
    return _hold(rows[0])


async def is_held(desk: Desk, stored: Stored) -> bool:
    """Whether a hold on the caller's own record is open."""
    (row,) = await desk.rows(_OPEN, record=stored.envelope.id, today=clock.now().date())
    return bool(row.held)
