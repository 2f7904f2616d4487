"""Bodies of the calls that take a record back."""

from datetime import timedelta
from typing import Annotated, Final, Self
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from app.access.handling import AGENCIES_MAX, GROUPS_MAX
from app.core import clock
from app.core.codes import AgencyCode
from app.core.dates import UtcDateTime
from app.core.problems import Flaw
from app.core.shapes import Shape, distinct, refuse
from app.core.text import Paragraph
from app.core.vocabulary import Vocabulary
from app.models.vocabularies import RecordKind

DUE_AT_MOST: Final = timedelta(days=90)
"""How far ahead an answer may be asked for."""


class RecallCause(Vocabulary):
    """By what a recall came about."""

    RECALL = "recall", "The originator took the record back from recipients it named, for the reason it gave."
    HANDLING = "handling", "The originator narrowed who may see the record."
    RETRACTION = "retraction", "The originator retracted the record."


class RecallState(Vocabulary):
    """How far a recipient has come with a recall."""

    OPEN = "open", "The recipient has not said yet what it did with its copies, and is in time."
    OVERDUE = "overdue", "The recipient has not said so, and `due_at` has passed."
    ACKNOWLEDGED = "acknowledged", "The recipient said what it did with its copies."
    SUPERSEDED = "superseded", "The recipient sees the record again, for more than an emergency; nothing is asked."


class RecallOutcome(Vocabulary):
    """What a recipient did with its copies of a recalled record."""

    DELETED = "deleted", "All copies, and what was derived from them, were deleted."
    RETAINED_WITH_REASON = "retained_with_reason", "Copies are kept; the reason says which, and by what duty."


class RecallIn(Shape):
    """Agencies and groups to take a record back from, and why."""

    agencies: Annotated[list[AgencyCode], Field(max_length=AGENCIES_MAX), AfterValidator(distinct)] = Field(
        default_factory=list, description="Agencies to take it back from; each must see it.", examples=[["KH-CNP"]]
    )
    groups: Annotated[list[UUID], Field(max_length=GROUPS_MAX), AfterValidator(distinct)] = Field(
        default_factory=list, description="Groups to take it back from; each must stand in the audience."
    )
    reason: Paragraph = Field(
        description="Why. Every agency that loses sight reads it: name no recipient here.",
        examples=["The source took back its consent."],
    )
    due_at: UtcDateTime | None = Field(
        default=None,
        description="Until when recipients must say what they did with their copies: at most 90 days ahead, seven if "
        "left out.",
    )

    @model_validator(mode="after")
    def _can_be_done(self) -> Self:
        refuse("RecallIn", self._flaws())
        return self

    def _flaws(self) -> list[Flaw]:
        flaws, now = [], clock.now()
        if not self.agencies and not self.groups:
            flaws.append(Flaw("/agencies", "recipient-missing", "Name at least one agency or group."))
        if self.due_at is not None and self.due_at <= now:
            flaws.append(Flaw("/due_at", "due-not-ahead", "Set a moment in the future."))
        if self.due_at is not None and self.due_at > now + DUE_AT_MOST:
            flaws.append(Flaw("/due_at", "due-too-late", f"At most {DUE_AT_MOST.days} days ahead."))
        return flaws


class RecallRecipient(Shape):
    """One agency that lost sight, and what it did with its copies."""

    agency: AgencyCode = Field(description="The agency.", examples=["KH-CNP"])
    state: RecallState = Field(description="How far it has come.")
    outcome: RecallOutcome | None = Field(description="What it did with its copies; null until it says so.")
    reason: Paragraph | None = Field(description="What else it said: why it keeps copies, if it does.")
    closed_at: UtcDateTime | None = Field(description="When it said so, or need not any more.")
    escalations: int = Field(
        ge=0, description="How often both sides were reminded after `due_at`: every seven days.", examples=[0]
    )


class Recall(Shape):
    """That a record was taken back, and what became of its copies.

    Its originator finds all recipients in it. A recipient finds itself alone: who else could see the record is not for
    it to know.
    """

    id: UUID = Field(description="The recall's id.")
    kind: RecordKind = Field(description="The record's kind.")
    record_id: UUID = Field(description="The record's id.")
    reference: str = Field(description="The record's number for people.", examples=["KR-KNPA-CO-2026-481902"])
    originator: AgencyCode = Field(description="The agency that owns the record.", examples=["KR-KNPA"])
    cause: RecallCause = Field(description="By what it came about.")
    reason: Paragraph = Field(description="Why.", examples=["The source took back its consent."])
    at: UtcDateTime = Field(description="When.")
    due_at: UtcDateTime = Field(description="Until when recipients must say what they did with their copies.")
    recipients: list[RecallRecipient] = Field(
        description="For the originator all agencies that lost sight, for a recipient its own part alone."
    )
    version: int = Field(
        ge=1, description="Counts what became of the parts shown: overdue, reminded, answered.", examples=[1]
    )


class AcknowledgementIn(Shape):
    """What the caller's agency did with its copies of a recalled record."""

    outcome: RecallOutcome = Field(description="Whether they were deleted.", examples=["deleted"])
    reason: Paragraph | None = Field(
        default=None,
        description="Which copies are kept and why; needed for `retained_with_reason`. The originator reads it.",
        examples=["In the file of court case 2026-77, which the law forbids to change."],
    )

    @model_validator(mode="after")
    def _gives_its_reason(self) -> Self:
        if self.outcome is RecallOutcome.RETAINED_WITH_REASON and self.reason is None:
            refuse("AcknowledgementIn", [Flaw("/reason", "reason-missing", "Say which copies are kept, and why.")])
        return self
