"""Reviews: until when a record is kept, and how its originator keeps it longer.

A record whose review date passes is purged (app/records/purging.py). A later date is set by a renewal, which says why;
nothing else sets one, or the reason could be left out.
"""

from dataclasses import replace
from typing import Final, Self
from uuid import UUID

from psycopg import sql
from pydantic import Field, model_validator

from app.access.desk import Desk
from app.access.handling import Handling, HandlingIn, latest_review, review_flaws
from app.core import clock
from app.core.dates import CalendarDate, UtcDateTime
from app.core.ids import uuid7
from app.core.problems import CONFLICT, PRECONDITION_FAILED, Flaw, Problem, invalid
from app.core.shapes import Shape, refuse
from app.core.text import Paragraph
from app.records import holds, shelf
from app.records.documents import rerender
from app.records.holds import LegalHold
from app.records.shelf import Stored, next_version, require_current

SHOWN: Final = 100
"""Renewals and holds that are shown with a record's retention, the newest; of holds there is a list too."""

_RENEWALS = sql.SQL(
    "SELECT id, reason, former_review_on, review_on, officer, at FROM renewals WHERE record_id = %(record)s"
    " ORDER BY at DESC, id DESC LIMIT %(limit)s"
)
_WARNED = sql.SQL("SELECT at FROM review_warnings WHERE record_id = %(record)s AND review_on = %(review_on)s")


class RenewalIn(Shape):
    """Why a record is kept longer, and until when."""

    reason: Paragraph = Field(
        description="Why it must be kept; only your agency reads it.", examples=["Trial pending, case 2026-1187."]
    )
    review_on: CalendarDate | None = Field(
        default=None,
        description="The next review: later than the present one, and at most five years ahead, which is what holds if "
        "it is left out.",
        examples=["2031-11-22"],
    )

    @model_validator(mode="after")
    def _is_ahead(self) -> Self:
        if self.review_on is not None:
            refuse("RenewalIn", review_flaws(self.review_on, clock.now().date()))
        return self


class Renewal(Shape):
    """That a record was renewed."""

    id: UUID = Field(description="The renewal's id.")
    reason: Paragraph = Field(description="Why.")
    former_review_on: CalendarDate = Field(description="The review date before.")
    review_on: CalendarDate = Field(description="The review date that it set.")
    officer: str | None = Field(description="On whose behalf, if the call said so.")
    at: UtcDateTime = Field(description="When.")


class Retention(Shape):
    """Until when a record is kept, and why, as its originator sees it."""

    review_on: CalendarDate = Field(
        description="Its last day, unless it is renewed or held: the day after, its content is deleted."
    )
    warned_at: UtcDateTime | None = Field(
        description="When `record.review_due` was announced for this date; null before."
    )
    held: bool = Field(description="Whether a legal hold is open, so that it is kept beyond its review date.")
    renewals: list[Renewal] = Field(max_length=SHOWN, description="Renewals, newest first; at most a hundred.")
    legal_holds: list[LegalHold] = Field(max_length=SHOWN, description="Legal holds, newest first; at most a hundred.")


async def retention(desk: Desk, stored: Stored) -> Retention:
    """Until when the caller's own record is kept, and why."""
    review_on, record = stored.envelope.handling.review_on, stored.envelope.id
    warned = await desk.rows(_WARNED, record=record, review_on=review_on)
    renewals = await desk.rows(_RENEWALS, record=record, limit=SHOWN)
    return Retention(
        review_on=review_on,
        warned_at=warned[0].at if warned else None,
        held=await holds.is_held(desk, stored),
        renewals=[
            Renewal(
                id=row.id,
                reason=row.reason,
                former_review_on=row.former_review_on,
                review_on=row.review_on,
                officer=row.officer,
                at=row.at,
            )
            for row in renewals
        ],
        legal_holds=list(await holds.listed(desk, stored, None, SHOWN)),
    )


async def renew(desk: Desk, stored: Stored, sent: RenewalIn) -> Stored:
    """Set a later review date of the caller's own record, which makes a version; 409 if it is not later.

    412 if somebody else was faster. A disclosure at the same moment is none of that: it makes no version.
    """
    expected = stored.envelope.version

    async def act() -> Stored | None:
        nonlocal stored
        require_current(stored)
        renewed = await _renew(desk, stored, sent)
        if renewed is None:
            stored = await shelf.fetch(desk, stored.kind, stored.envelope.id)
            if stored.envelope.version != expected:
                raise Problem(PRECONDITION_FAILED)
        return renewed

    return await shelf.settled(act)


async def _renew(desk: Desk, stored: Stored, sent: RenewalIn) -> Stored | None:
    present = stored.envelope.handling.review_on
    review_on = sent.review_on or latest_review(clock.now().date())
    if review_on <= present:
        raise Problem(CONFLICT, detail=f"The record's review is on {present} already; a renewal sets a later date.")
    handling = stored.envelope.handling.model_copy(update={"review_on": review_on})
    envelope = next_version(stored.envelope, handling)
    rendered = rerender(envelope, stored.rendered.document)
    row = await desk.call_one(
        "renew_record",
        p_id=uuid7(),
        p_record=envelope.id,
        p_expected=stored.envelope.version,
        p_expected_audience=stored.audience_version,
        p_at=envelope.updated_at,
        p_review_on=review_on,
        p_reason=sent.reason,
        p_document=rendered.document,
        p_shared_document=rendered.shared_document,
    )
    if row.outcome != "renewed":
        return None
    return replace(stored, envelope=envelope, audience_version=stored.audience_version + 1, rendered=rendered)


def keep_review(stored: Stored, sent: HandlingIn) -> Handling:
    """A handling that is to replace a record's; its review date is the present one if none was sent.

    422 for a later one. An earlier one is fine: what a record is for may be done before its time.
    """
    handling, present = Handling.model_validate(sent.model_dump()), stored.envelope.handling.review_on
    if "review_on" not in sent.model_fields_set:
        return handling.model_copy(update={"review_on": present})
    if sent.review_on > present:
        detail = f"The record's review is on {present}. A later date takes a renewal, with a reason."
        raise invalid(Flaw("/review_on", "review-not-renewed", detail))
    return handling
