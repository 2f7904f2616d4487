"""Bodies of the calls about action items."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from app.core.codes import AgencyCode
from app.core.dates import CalendarDate, UtcDateTime
from app.core.merge_patch import MergePatch
from app.core.shapes import Shape
from app.core.text import Paragraph
from app.models.vocabularies import MeetingActionState


class MeetingActionIn(Shape):
    """What an agency is to do."""

    text: Paragraph = Field(description="What is to be done.", examples=["Send the list of the site's telephones."])
    owner: AgencyCode = Field(
        description="The agency that is to do it: the convener or one that takes part.", examples=["KH-CNP"]
    )
    due_on: CalendarDate = Field(
        description="The last day on which it is in time, in UTC. When it has passed and the item is open still, owner "
        "and convener are told once.",
        examples=["2026-12-02"],
    )


class MeetingActionPatch(MergePatch):
    """A merge patch (RFC 7396) of an action item that is open: what is left out stays."""

    target: ClassVar[type[Shape]] = MeetingActionIn


class MeetingActionDone(Shape):
    """What came of an action item."""

    note: Paragraph | None = Field(
        default=None, description="What was done.", examples=["Sent on 30 November, 41 numbers."]
    )


class MeetingActionReason(Shape):
    """Why an action item is dropped, or opened again."""

    reason: Paragraph = Field(
        description="The reason, as all who see the meeting read it.", examples=["The site stands empty."]
    )


class MeetingAction(MeetingActionIn):
    """What an agency is to do, as all who see the meeting see it."""

    id: UUID = Field(description="The item's id.")
    meeting_id: UUID = Field(description="The meeting that it comes from.")
    meeting_reference: str = Field(description="That meeting's number for people.", examples=["KR-KNPA-ME-2026-481902"])
    state: MeetingActionState = Field(description="How far it has come.")
    note: Paragraph | None = Field(description="What was done, or why it was dropped or opened again.")
    version: int = Field(ge=1, description="Counts the changes of this item; also the ETag.")
    created_at: UtcDateTime = Field(description="When it was added.")
    updated_at: UtcDateTime = Field(description="When it last changed.")
    closed_at: UtcDateTime | None = Field(description="When it was done or dropped; null while it is open.")
