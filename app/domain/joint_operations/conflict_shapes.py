"""Bodies of the calls about conflicts between operations."""

from typing import Annotated, Final
from uuid import UUID

from pydantic import Field

from app.core.codes import AgencyCode, Email, Phone
from app.core.dates import UtcDateTime
from app.core.shapes import Shape
from app.core.text import Paragraph
from app.models.conflict_vocabularies import ConflictKind, ConflictOutcome, ConflictSeverity, ConflictState

CONFLICTS_SHOWN: Final = 100
"""How many conflicts the answer to a check holds; the list has them all."""


class ContactPoint(Shape):
    """Where the other agency answers around the clock, as the directory has it."""

    phone: Phone | None = Field(description="The telephone number of its duty desk.", examples=["+85523000000"])
    email: Email | None = Field(description="The address of its duty desk.", examples=["duty@police.example"])


class Statement(Shape):
    """What one side of a conflict says."""

    outcome: ConflictOutcome = Field(description="What is to become of the two operations.")
    note: Paragraph = Field(description="What was agreed, for both sides to read.")
    at: UtcDateTime = Field(description="When it was said.")


class Override(Shape):
    """That one side resolved a conflict without the other's consent."""

    agency: AgencyCode = Field(description="Which agency.")
    reason: Paragraph = Field(description="Why; both sides read it.")


class Conflict(Shape):
    """That another operation is in the way of yours, and whom to call. Of the other operation nothing is said."""

    id: UUID = Field(description="The conflict's id; the same for both sides.")
    kinds: Annotated[list[ConflictKind], Field(min_length=1, max_length=len(ConflictKind))] = Field(
        description="In what the two collide.", examples=[["event"]]
    )
    severity: ConflictSeverity = Field(description="How much.", examples=["serious"])
    state: ConflictState = Field(description="How far it has come.", examples=["open"])
    from_check: bool = Field(
        description="Whether one of the two is no live operation, and its lead only asked: that stops nobody.",
        examples=[False],
    )
    agency: AgencyCode = Field(description="The agency that leads the other operation.", examples=["KH-CNP"])
    contact: ContactPoint = Field(description="Where that agency answers around the clock.")
    own: Statement | None = Field(description="What your side said; null if nothing yet.")
    other: Statement | None = Field(description="What the other side said; null if nothing yet.")
    override: Override | None = Field(description="Who resolved it alone, and why; null if nobody did.")
    version: int = Field(ge=1, description="Counts the changes; also the ETag.", examples=[1])
    created_at: UtcDateTime = Field(description="When it was found.")
    updated_at: UtcDateTime = Field(description="When it last changed.")


class ConflictCheck(Shape):
    """What a check of your operation came to."""

    id: UUID = Field(description="The check's id.")
    at: UtcDateTime = Field(description="When the operation was compared with all others.")
    found: int = Field(ge=0, description="How many conflicts the operation stands in.", examples=[1])
    conflicts: list[Conflict] = Field(
        max_length=CONFLICTS_SHOWN,
        description=f"The conflicts, the serious ones first; at most {CONFLICTS_SHOWN}, while the list has them all.",
    )


class ConflictResolutionIn(Shape):
    """What your side says to a conflict."""

    outcome: ConflictOutcome = Field(
        description="What is to become of the two operations. It is resolved once the other side says the same.",
        examples=["delayed"],
    )
    note: Paragraph = Field(
        description="What was agreed, for the other side to read. It is the only thing of your plan that it is told.",
        examples=["Agreed with your duty desk: we wait until you have left the site."],
    )
    override: Paragraph | None = Field(
        default=None,
        description="Resolves the conflict without the other side's consent: the reason, which it is told. Takes "
        "`operations:approve`.",
        examples=[None],
    )
