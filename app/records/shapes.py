"""Bodies of the calls that every kind of record has."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, Field, Strict, model_validator

from app.access.handling import AGENCIES_MAX, GROUPS_MAX
from app.core.codes import AgencyCode
from app.core.dates import UtcDateTime
from app.core.problems import Flaw
from app.core.shapes import Shape, distinct, refuse
from app.core.text import Paragraph
from app.core.vocabulary import Vocabulary
from app.models.vocabularies import LinkType, RecordKind


class Reach(Shape):
    """Who would see a record after a change that was only tried."""

    agencies: list[AgencyCode] = Field(description="Every agency that would see the record, its originator included.")
    gained: list[AgencyCode] = Field(description="Those of them that do not see it now.")
    lost: list[AgencyCode] = Field(description="Agencies that see it now and would not any more.")


class DisclosureIn(Shape):
    """Agencies and groups to open a record to, and why."""

    agencies: Annotated[list[AgencyCode], Field(max_length=AGENCIES_MAX), AfterValidator(distinct)] = Field(
        default_factory=list, description="Agencies to open the record to.", examples=[["INTERPOL"]]
    )
    groups: Annotated[list[UUID], Field(max_length=GROUPS_MAX), AfterValidator(distinct)] = Field(
        default_factory=list, description="Groups to open it to; their chair and members see it."
    )
    legal_basis: UUID | None = Field(
        default=None,
        description="The agreement that makes the sharing with these agencies lawful; left out, it is the one that the "
        "handling names. With groups it is always their charter.",
    )
    purpose: Paragraph = Field(
        description="Why they need it.", examples=["Arrest planned for December, case 2026-1187."]
    )
    emergency: Annotated[bool, Strict()] = Field(
        default=False,
        description="Danger to life: the agencies see the record for 72 hours, whether or not there is a legal basis.",
    )
    reason: Paragraph | None = Field(
        default=None, description="Why it cannot wait; with `emergency`, and only then.", examples=[None]
    )

    @model_validator(mode="after")
    def _opens_to_somebody(self) -> Self:
        broken = []
        if not self.agencies and not self.groups:
            broken.append(Flaw("/agencies", "recipient-missing", "Name at least one agency or group."))
        if self.emergency and self.groups:
            broken.append(Flaw("/groups", "emergency-for-groups", "In an emergency name the agencies."))
        if self.emergency and self.legal_basis is not None:
            broken.append(Flaw("/legal_basis", "emergency-with-basis", "With a legal basis it needs no emergency."))
        if self.emergency != (self.reason is not None):
            broken.append(Flaw("/reason", "reason-and-emergency", "An emergency needs a reason, nothing else does."))
        refuse("DisclosureIn", broken)
        return self


class ConfirmationIn(Shape):
    """Why an emergency disclosure is to stand, and on what."""

    legal_basis: UUID | None = Field(
        default=None,
        description="The agreement on which it stands for good, by a disclosure of its own; left out, the agencies see "
        "the record for 72 hours from now.",
    )
    reason: Paragraph = Field(description="Why.", examples=["The place where they are held is not found yet."])


class Disclosure(Shape):
    """The logged act of opening a record, as its originator sees it."""

    id: UUID = Field(description="The disclosure's id.")
    agencies: list[AgencyCode] = Field(description="Agencies the record was opened to.")
    groups: list[UUID] = Field(description="Groups it was opened to.")
    legal_basis: UUID | None = Field(description="The agreement that makes the sharing with the agencies lawful.")
    without_basis: bool = Field(description="Whether somebody was opened the record with nothing to rest on.")
    purpose: Paragraph = Field(description="Why.")
    emergency: bool = Field(description="Whether it was opened in an emergency, for a while.")
    reason: Paragraph | None = Field(description="Why it could not wait; null where it was no emergency.")
    lapses_at: UtcDateTime | None = Field(description="Until when an emergency disclosure stands, if not recalled.")
    confirmed_by: UUID | None = Field(description="The disclosure that took an emergency's place on a legal basis.")
    confirmation: Paragraph | None = Field(description="Why an emergency was last confirmed; null if it was not.")
    officer: str | None = Field(description="On whose behalf, if the call said so.")
    requested_by: AgencyCode | None = Field(description="The reader whose onward request it grants, if it grants one.")
    onward_request: UUID | None = Field(description="That request.")
    version: int = Field(ge=1, description="Counts the confirmations of an emergency; also the ETag.")
    at: UtcDateTime = Field(description="When.")


class Via(Vocabulary):
    """Through what an agency sees a record."""

    ORIGINATOR = "originator", "It owns the record."
    AGENCY = "agency", "The audience names it."
    PARTY = "party", "The record is about it: it takes part in what the record plans or asks for."
    GROUP = "group", "It is chair or member of a group in the audience."
    OBSERVERS = "observers", "It is observer of a group whose observers the audience names."
    COMMUNITY = "community", "The record is open to the whole community."
    EMERGENCY = "emergency", "It was opened in an emergency, for a while."


class Access(Shape):
    """One reason why one agency sees a record."""

    agency: AgencyCode = Field(description="The agency.")
    via: Via = Field(description="Through what it sees the record.")
    group: UUID | None = Field(description="The group, where one is the reason.")
    legal_basis: UUID | None = Field(description="The agreement that it rests on: a group's is its charter.")
    without_basis: bool = Field(description="Whether it rests on nothing although the record's label asks for a basis.")
    since: UtcDateTime = Field(description="Since when, without a break.")
    until: UtcDateTime | None = Field(description="When an emergency lapses; null for all other reasons.")
    disclosure: UUID | None = Field(description="The disclosure that opened it; null where the handling itself did.")


class VersionSummary(Shape):
    """That a record changed, and in which fields."""

    version: int = Field(ge=1, description="The version.")
    at: UtcDateTime = Field(description="When it came.")
    by: AgencyCode = Field(description="Which agency made it: the originator, or a party of the record.")
    changed: list[str] = Field(
        description="Fields that differ from the version before; empty for the first you may see."
    )


class LinkOut(Shape):
    """A pointer between two records, shown to those who see both."""

    link_id: UUID = Field(description="The link's own id, to take it back by.")
    type: LinkType = Field(description="What the target is to the source.")
    kind: RecordKind = Field(description="The other record's kind.")
    id: UUID = Field(description="The other record's id.")
    outgoing: bool = Field(description="Whether the link starts at this record, or at the other one.")
    note: Paragraph | None = Field(description="What else is to be known about it.")
    version: int = Field(description="Always 1: a link is not changed, only taken back.")
    created_at: UtcDateTime = Field(description="When it was made.")
