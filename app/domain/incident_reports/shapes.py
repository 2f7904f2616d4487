"""Bodies of the calls about incident reports: the report itself, its steps, its doubles, and who was called."""

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
from app.domain.incident_reports.content import IncidentReportContent, IncidentReportFields
from app.models.incident_vocabularies import AlarmCallState, IncidentState, Likeness, Urgency, Verification

_STATE = "How far the work on it has come."


class OwnIncidentReport(IncidentReportContent):
    """What a report's originator writes, at any time."""

    external_id: Line | None = Field(
        default=None, description="Your own number for the record, unique for your agency.", examples=["2025-0811"]
    )

    def content(self) -> IncidentReportContent:
        """Return the report's own fields, which are validated already."""
        return IncidentReportContent.model_construct(
            **{name: getattr(self, name) for name in IncidentReportContent.model_fields}
        )


class IncidentReportCreate(OwnIncidentReport):
    """A report to be created. Its restriction is part of it: left out, nobody but its originator sees it."""

    handling: HandlingIn = Field(
        default_factory=HandlingIn, description="Under which rules it is shared; RED and with nobody if left out."
    )
    links: list[LinkIn] = Field(default_factory=list, max_length=100, description="Pointers to other records.")


class IncidentReportPatch(MergePatch):
    """A merge patch (RFC 7396) of a report: what is left out stays, null clears, a list replaces the whole list."""

    target: ClassVar[type[Shape]] = OwnIncidentReport


class IncidentReport(IncidentReportFields, Envelope):
    """A report as its originator sees it."""

    state: IncidentState = Field(description=_STATE, examples=["investigating"])


class SharedIncidentReport(IncidentReportFields, SharedEnvelope):
    """A report as its readers see it."""

    state: IncidentState = Field(description=_STATE, examples=["investigating"])


class IncidentStepIn(Shape):
    """What is to be said with a step of a report's state."""

    note: Paragraph | None = Field(
        default=None,
        description="For everybody who sees the report; it takes the place of what was said with the step before.",
        examples=["Seen at a window of the site by a relative."],
    )


class VerificationIn(Shape):
    """Whether a report is known to be true, and what that rests on."""

    verification: Verification = Field(description="What is known of it now.", examples=["confirmed"])
    note: Paragraph | None = Field(
        default=None, description="What it rests on, for everybody who sees it.", examples=["He called from the site."]
    )


class IncidentMergeIn(Shape):
    """The report that counts in the place of this one."""

    duplicate_of: UUID = Field(description="Id of the report of the same matter that is to count.")
    note: Paragraph | None = Field(
        default=None, description="Why they are of the same matter, for everybody who sees both."
    )


class PossibleDuplicate(Shape):
    """A report that may be of the same matter as yours, among those your agency sees."""

    id: UUID = Field(description="The other report's id.")
    reference: str = Field(description="The other report's reference.", examples=["KH-CNP-IR-2026-481303"])
    originator: AgencyCode = Field(description="The agency that owns it.", examples=["KH-CNP"])
    title: Line = Field(description="Its title.", examples=["Foreigner held above the old road"])
    score: float = Field(ge=0, le=1, description="How alike they are, 0 to 1; at least 0.6.", examples=[0.85])
    reasons: list[Likeness] = Field(description="What they have in common.", examples=[["same_place", "same_days"]])


class AlarmAcknowledgementIn(Shape):
    """That an urgent report has come to those who can act on it."""

    note: Paragraph | None = Field(
        default=None, description="What is being done, for its originator.", examples=["A patrol is on its way."]
    )


class AlarmCall(Shape):
    """A call on an agency to acknowledge an urgent report, shown to it and to the report's originator."""

    id: UUID = Field(description="The call's id.")
    agency: AgencyCode = Field(description="The agency that was called.", examples=["KH-CNP"])
    urgency: Urgency = Field(description="Why the report is urgent.")
    state: AlarmCallState = Field(description="What became of the call.")
    called_at: UtcDateTime = Field(description="When the agency was told.")
    due_at: UtcDateTime = Field(description="By when it is to acknowledge.")
    acknowledged_at: UtcDateTime | None = Field(description="When it acknowledged; null before.")
    note: Paragraph | None = Field(description="What it said with that.")
