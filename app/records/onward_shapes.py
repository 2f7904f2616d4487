"""Bodies of the calls by which a reader asks for leave to pass a record on, and its originator answers."""

from datetime import timedelta
from typing import Annotated, Final, Self
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from app.core import clock
from app.core.codes import AgencyCode
from app.core.dates import UtcDateTime
from app.core.problems import Flaw
from app.core.shapes import Shape, distinct, refuse
from app.core.text import Paragraph
from app.models.vocabularies import OnwardRequestState

AGENCIES_MAX: Final = 20

LONGEST_WAIT: Final = timedelta(days=366)
"""How far ahead an answer may be asked for: a year, whatever its length."""

_Agencies = Annotated[list[AgencyCode], Field(min_length=1, max_length=AGENCIES_MAX), AfterValidator(distinct)]


class OnwardRequestIn(Shape):
    """To whom a reader would like to pass a record on, why, and by when it needs the answer."""

    agencies: _Agencies = Field(
        description="Agencies of the directory that should see the record; neither yours nor its originator.",
        examples=[["INTERPOL"]],
    )
    reason: Paragraph = Field(
        description="Why they need it. The originator reads it; if it grants the request, it is the disclosure's "
        "purpose.",
        examples=["Notices for two of its members, case 2026-1187."],
    )
    respond_by: UtcDateTime = Field(
        description="By when you need the answer: a moment in the future, at most a year ahead. Nothing lapses then; "
        "you and the originator are told that it has passed.",
        examples=["2026-12-06T09:00:00.000000Z"],
    )

    @model_validator(mode="after")
    def _leaves_time(self) -> Self:
        now = clock.now()
        if self.respond_by <= now:
            refuse("OnwardRequestIn", [Flaw("/respond_by", "respond-by-not-ahead", "Set a moment in the future.")])
        if self.respond_by > now + LONGEST_WAIT:
            refuse("OnwardRequestIn", [Flaw("/respond_by", "respond-by-too-late", "Set it at most a year ahead.")])
        return self


class OnwardGrantIn(Shape):
    """How far the originator grants a request."""

    agencies: _Agencies | None = Field(
        default=None,
        description="Which of the agencies asked for the record is opened to; all of them if left out.",
        examples=[["INTERPOL"]],
    )
    legal_basis: UUID | None = Field(
        default=None,
        description="The agreement that makes the sharing lawful; left out, it is the one that the handling names.",
    )
    note: Paragraph | None = Field(default=None, description="What goes with the answer; the requester reads it.")


class OnwardRefusalIn(Shape):
    """Why the originator does not grant a request."""

    reason: Paragraph = Field(description="Why; the requester reads it.", examples=["A source would be known by it."])


class OnwardRequest(Shape):
    """A reader's request for leave to pass a record on, as its agency and the originator see it."""

    id: UUID = Field(description="The request's id.")
    agency: AgencyCode = Field(description="Who asks.", examples=["KH-CNP"])
    agencies: list[AgencyCode] = Field(description="To whom it would like to pass the record on.")
    reason: Paragraph = Field(description="Why they need it.")
    respond_by: UtcDateTime = Field(description="By when the answer is needed.")
    state: OnwardRequestState = Field(description="How far it has come.")
    granted_to: list[AgencyCode] | None = Field(
        description="For whom it was granted; null unless it was. Not being among them says only that the originator "
        "did not grant it."
    )
    decision_note: Paragraph | None = Field(description="What the originator says to it; for a refusal, why.")
    disclosure: UUID | None = Field(description="The disclosure that a grant was; null for the requester.")
    version: int = Field(description="1 as requested, 2 once it is answered or withdrawn; also the ETag.")
    created_at: UtcDateTime = Field(description="When it was asked.")
    updated_at: UtcDateTime = Field(description="When it was answered or withdrawn; else when it was asked.")
