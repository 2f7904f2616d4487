"""Bodies of the calls about repatriation requests: the request itself, its steps, and messages between the sides."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from app.access.envelope import Envelope, LinkIn, SharedEnvelope
from app.access.handling import HandlingIn
from app.core.codes import AgencyCode
from app.core.dates import UtcDateTime
from app.core.merge_patch import MergePatch
from app.core.shapes import Shape
from app.core.text import Line, Paragraph
from app.domain.repatriation_requests.content import RepatriationRequestContent, RepatriationRequestFields
from app.models.repatriation_vocabularies import RepatriationState

_STATE = "How far it has come."


class OwnRepatriationRequest(RepatriationRequestContent):
    """What the requesting side writes."""

    external_id: Line | None = Field(
        default=None, description="Your own number for the record, unique for your agency.", examples=["2026-2207"]
    )


class RepatriationRequestCreate(OwnRepatriationRequest):
    """A request to be drafted. Left as it is, nobody but your agency sees it before you submit it."""

    handling: HandlingIn = Field(
        default_factory=HandlingIn, description="Under which rules it is shared; RED and with nobody if left out."
    )
    links: list[LinkIn] = Field(
        default_factory=list,
        max_length=100,
        description="Pointers to other records: `incident` to reports that it follows from, `operation` to operations.",
    )


class RepatriationRequestPatch(MergePatch):
    """A merge patch (RFC 7396) of a request: what is left out stays, null clears, a list replaces the whole list."""

    target: ClassVar[type[Shape]] = OwnRepatriationRequest


class RepatriationRequest(RepatriationRequestFields, Envelope):
    """A request as the requesting side, which owns it, sees it."""

    state: RepatriationState = Field(description=_STATE, examples=["accepted"])


class SharedRepatriationRequest(RepatriationRequestFields, SharedEnvelope):
    """A request as the requested side, transit agencies and other readers see it."""

    state: RepatriationState = Field(description=_STATE, examples=["accepted"])


class RepatriationStepIn(Shape):
    """What is to be said with a step."""

    note: Paragraph | None = Field(
        default=None,
        description="For everybody who sees the request; it takes the place of what was said with the step before.",
        examples=["Flight confirmed with the airline."],
    )


class RepatriationReasonIn(Shape):
    """Why a request is declined, put on hold or withdrawn."""

    reason: Paragraph = Field(
        description="For everybody who sees the request.", examples=["The court has not yet released the person."]
    )


class RepatriationMessageIn(Shape):
    """A message to the other side."""

    text: Paragraph = Field(
        description="What is to be said, without names.", examples=["The forensic team lands on Tuesday at 08:40."]
    )


class RepatriationMessage(Shape):
    """A message between the sides of a request. It is never changed, and transit agencies do not see it."""

    id: UUID = Field(description="The message's id.")
    agency: AgencyCode = Field(description="Who wrote it.", examples=["KH-CNP"])
    officer: str | None = Field(
        description="On whose behalf, if the call said so by `On-Behalf-Of`.", examples=["Insp. Example"]
    )
    text: Paragraph = Field(description="What it says.")
    created_at: UtcDateTime = Field(description="When it was written; no two messages of a request share a moment.")
