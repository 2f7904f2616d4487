"""Bodies of the calls about profiles: the profile itself, its relations, and what readers add to it."""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from app.access.envelope import Envelope, LinkIn, SharedEnvelope
from app.access.handling import HandlingIn
from app.core.codes import AgencyCode
from app.core.dates import PartialDate, UtcDateTime
from app.core.merge_patch import MergePatch
from app.core.shapes import Shape
from app.core.text import Line, Paragraph
from app.domain.criminal_organizations.content import CriminalOrganizationContent
from app.models.grading import Grading
from app.models.vocabularies import Assessment, RecordState, RelationType


class OwnCriminalOrganization(CriminalOrganizationContent):
    """What a profile's originator writes, at any time."""

    external_id: Line | None = Field(
        default=None, description="Your own number for the record, unique for your agency.", examples=["2026-1187"]
    )

    def content(self) -> CriminalOrganizationContent:
        """Return the profile's own fields, which are validated already."""
        return CriminalOrganizationContent.model_construct(
            **{name: getattr(self, name) for name in CriminalOrganizationContent.model_fields}
        )


class CriminalOrganizationCreate(OwnCriminalOrganization):
    """A profile to be created. Its restriction is part of it: left out, nobody but its originator sees it."""

    handling: HandlingIn = Field(
        default_factory=HandlingIn, description="Under which rules it is shared; RED and with nobody if left out."
    )
    links: list[LinkIn] = Field(default_factory=list, max_length=100, description="Pointers to other records.")


class CriminalOrganizationPatch(MergePatch):
    """A merge patch (RFC 7396) of a profile: what is left out stays, null clears, a list replaces the whole list."""

    target: ClassVar[type[Shape]] = OwnCriminalOrganization


class ProposedPatch(MergePatch):
    """A merge patch (RFC 7396) of what a profile says, which does not reach its originator's own number."""

    target: ClassVar[type[Shape]] = CriminalOrganizationContent


class CriminalOrganization(CriminalOrganizationContent, Envelope):
    """A profile as its originator sees it."""

    state: Literal[RecordState.CURRENT] = Field(default=RecordState.CURRENT, description="The record stands.")


class SharedCriminalOrganization(CriminalOrganizationContent, SharedEnvelope):
    """A profile as its readers see it."""

    state: Literal[RecordState.CURRENT] = Field(default=RecordState.CURRENT, description="The record stands.")


class RelationIn(Shape):
    """What this organization is to another one that has a profile."""

    type: RelationType = Field(description="What this organization is to the other.", examples=["successor_of"])
    target: UUID = Field(description="Id of the other organization's profile.")
    since: PartialDate | None = Field(default=None, description="Since when.")
    note: Paragraph | None = Field(default=None, description="What else is to be known about the relation.")


class Relation(Shape):
    """A relation between two profiles, shown to those who see both."""

    id: UUID = Field(description="The relation's id.")
    type: RelationType = Field(description="What the first organization is to the second.")
    source: UUID = Field(description="Id of the first organization's profile, whose originator states the relation.")
    target: UUID = Field(description="Id of the second organization's profile.")
    since: PartialDate | None = Field(description="Since when.")
    note: Paragraph | None = Field(description="What else is to be known about the relation.")
    created_at: UtcDateTime = Field(description="When the relation was stated.")


class AmendmentIn(Shape):
    """A change that a reader proposes to the profile's originator."""

    patch: ProposedPatch = Field(
        description="The change, as a merge patch of the profile.", examples=[{"status": "relocated"}]
    )
    note: Paragraph | None = Field(default=None, description="Why the profile should be changed.")


class SightingIn(Shape):
    """What a reader observed itself, for or against the profile."""

    assessment: Assessment = Field(description="What the observation says about the profile.")
    observed_on: PartialDate | None = Field(default=None, description="When it was observed.")
    note: Paragraph | None = Field(default=None, description="What was observed.")
    grading: Grading | None = Field(default=None, description="How reliable the source and the information are.")


class Sighting(Shape):
    """What a reader observed, shown to those who see the profile."""

    id: UUID = Field(description="The sighting's id.")
    agency: AgencyCode = Field(description="Who observed it.")
    assessment: Assessment = Field(description="What the observation says about the profile.")
    observed_on: PartialDate | None = Field(description="When it was observed.")
    note: Paragraph | None = Field(description="What was observed.")
    grading: Grading | None = Field(description="How reliable the source and the information are.")
    created_at: UtcDateTime = Field(description="When it was recorded.")
