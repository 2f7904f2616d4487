"""Bodies of the calls about meetings and what they are about."""

from typing import Annotated, ClassVar, Final, Self
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from app.core.codes import AgencyCode, TimeZone
from app.core.dates import UtcDateTime
from app.core.merge_patch import MergePatch
from app.core.problems import Flaw
from app.core.shapes import Shape, distinct, refuse
from app.core.text import Line, LongLine, Narrative, Paragraph
from app.models.vocabularies import LinkedKind, MeetingKind, MeetingState

_AGENCIES_MAX: Final = 100
_GROUPS_MAX: Final = 20
_AGENDA_MAX: Final = 50
_DECISIONS_MAX: Final = 100
_LINKS_MAX: Final = 50


class MeetingParticipants(Shape):
    """Who takes part in a meeting beside the agency that calls it."""

    agencies: Annotated[list[AgencyCode], Field(max_length=_AGENCIES_MAX), AfterValidator(distinct)] = Field(
        default_factory=list, description="Agencies by name, the convener left out.", examples=[["KH-CNP", "TH-RTP"]]
    )
    groups: Annotated[list[UUID], Field(max_length=_GROUPS_MAX), AfterValidator(distinct)] = Field(
        default_factory=list,
        description="Groups whose chair and members take part, whoever that is at each moment; observers do not. Name "
        "those that your agency is in. The convener reads all of them here, others those that they are in.",
    )


class AgendaItem(Shape):
    """A point of a meeting's agenda."""

    title: Line = Field(description="What it is about.", examples=["Where the people held at Bokor are now"])
    note: Paragraph | None = Field(default=None, description="What is to be known or prepared.")
    presenter: AgencyCode | None = Field(
        default=None, description="The agency that presents it: the convener or one that takes part."
    )


class MeetingDecision(Shape):
    """What a meeting decided."""

    text: Paragraph = Field(description="The decision.", examples=["The site is searched jointly before 15 December."])
    agreed_by: Annotated[list[AgencyCode], Field(max_length=_AGENCIES_MAX), AfterValidator(distinct)] = Field(
        default_factory=list,
        description="Agencies that agreed, of the convener and those that take part; none named: all of them.",
        examples=[["KR-KNPA", "KH-CNP"]],
    )


class MeetingContent(Shape):
    """What a meeting is to be."""

    kind: MeetingKind = Field(description="What kind of meeting it is.", examples=["council"])
    title: Line = Field(description="What it is called.", examples=["Third session of the Bokor council"])
    participants: MeetingParticipants = Field(
        default_factory=MeetingParticipants,
        description="Who takes part beside your agency, and so sees the meeting once it is called.",
    )
    starts_at: UtcDateTime = Field(description="When it begins.")
    ends_at: UtcDateTime = Field(description="When it ends.", examples=["2026-11-22T10:15:30.000000Z"])
    time_zone: TimeZone = Field(default="UTC", description="The time zone that its people go by.")
    place: LongLine | None = Field(default=None, description="Where it is held.", examples=["Phnom Penh, room 4"])
    video_link: LongLine | None = Field(
        default=None, description="Where it is held by video, as text; the hub never opens it."
    )
    agenda: list[AgendaItem] = Field(default_factory=list, max_length=_AGENDA_MAX, description="Its points, in order.")

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        flaws = []
        if self.ends_at <= self.starts_at:
            flaws.append(Flaw("/ends_at", "times-out-of-order", "A meeting ends after it begins."))
        if self.kind is MeetingKind.BILATERAL and (self.participants.groups or len(self.participants.agencies) > 1):
            detail = "A bilateral meeting is with one other agency: name one, and no group."
            flaws.append(Flaw("/participants", "not-bilateral", detail))
        refuse("MeetingContent", flaws)
        return self


class MeetingText(MeetingContent):
    """What a meeting is to be, and what came of it."""

    minutes: Narrative | None = Field(default=None, description="What was said, once it was held.")
    decisions: list[MeetingDecision] = Field(
        default_factory=list, max_length=_DECISIONS_MAX, description="What was decided, once it was held."
    )


class MeetingLinkIn(Shape):
    """What a meeting is about: a pointer to a record or an agreement."""

    kind: LinkedKind = Field(description="What it points at.", examples=["joint-operations"])
    id: UUID = Field(description="The id of the record or agreement.")
    note: Paragraph | None = Field(default=None, description="What else is to be known about the link.")


class MeetingLink(Shape):
    """What a meeting is about, shown to those who see both ends."""

    link_id: UUID = Field(description="The link's own id.")
    kind: LinkedKind = Field(description="What it points at.")
    id: UUID = Field(description="The id of the record or agreement.")
    note: Paragraph | None = Field(description="What else is to be known about the link.")
    created_at: UtcDateTime = Field(description="When the link was added.")


class MeetingCreate(MeetingContent):
    """A meeting to be drafted; your agency is its convener."""

    links: list[MeetingLinkIn] = Field(
        default_factory=list, max_length=_LINKS_MAX, description="What it is about: records and agreements."
    )


class MeetingPatch(MergePatch):
    """A merge patch (RFC 7396) of a meeting: what is left out stays, null clears, lists are replaced.

    `minutes` and `decisions` can be changed once it was held; then nothing else but `participants` can.
    """

    target: ClassVar[type[Shape]] = MeetingText


class MeetingOutcome(Shape):
    """What came of a meeting that was held; it can be completed later."""

    minutes: Narrative | None = Field(
        default=None, description="What was said.", examples=["All three agencies reported on the site at Bokor."]
    )
    decisions: list[MeetingDecision] = Field(
        default_factory=list, max_length=_DECISIONS_MAX, description="What was decided."
    )


class MeetingReason(Shape):
    """Why a meeting is cancelled."""

    reason: Paragraph = Field(
        description="The reason, as all who take part read it.", examples=["The delegation cannot travel."]
    )


class Meeting(MeetingText):
    """A meeting as its convener and those who take part see it."""

    id: UUID = Field(description="The meeting's id.")
    reference: str = Field(description="Its number for people.", examples=["KR-KNPA-ME-2026-481902"])
    convener: AgencyCode = Field(description="The agency that calls it, and changes it.")
    state: MeetingState = Field(description="How far it has come.")
    called_at: UtcDateTime | None = Field(description="When it was called; null for a draft.")
    ended_at: UtcDateTime | None = Field(description="When it was noted as held, or cancelled; null before.")
    cancel_reason: Paragraph | None = Field(description="Why it was cancelled; null unless it was.")
    version: int = Field(ge=1, description="Counts the changes of these fields; also the ETag.")
    created_at: UtcDateTime = Field(description="When it was drafted.")
    updated_at: UtcDateTime = Field(description="When one of these fields last changed.")
