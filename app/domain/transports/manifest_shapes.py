"""Bodies of the calls about a manifest: who travels, who boarded, who was handed over to whom."""

from typing import Annotated, Final, Self
from uuid import UUID

from pydantic import AfterValidator, Field, Strict, model_validator

from app.core import clock
from app.core.codes import AgencyCode
from app.core.dates import UtcDateTime
from app.core.problems import Flaw
from app.core.shapes import Shape, distinct, refuse
from app.core.text import Line, Paragraph
from app.models.repatriation_vocabularies import RepatriationCategory, RepatriationState
from app.models.transport_vocabularies import ManifestAction, ManifestState, TransportState

_MANY: Final = 500
_CLOCKS_DIFFER: Final = 300
"""Seconds by which a partner's clock may be ahead."""

_Entries = Annotated[list[UUID], Field(min_length=1, max_length=_MANY), AfterValidator(distinct)]
_ENTRIES: Final = "Entries of your people, up to 500; all of them are taken, or none."


class ManifestAddition(Shape):
    """People of one request that are to travel."""

    request: UUID = Field(
        description="A repatriation request that your agency is a side of, and that is `cleared`, or `scheduled` by "
        "this transport."
    )
    persons: Annotated[list[UUID], Field(min_length=1, max_length=_MANY), AfterValidator(distinct)] = Field(
        description="Ids of persons of that request, up to 500; all of them are put on the manifest, or none."
    )
    section: Line | None = Field(
        default=None,
        description="Where they sit; can be left out where there is one section, and is for remains.",
        examples=["rows 1 to 20"],
    )
    namesakes: Annotated[bool, Strict()] = Field(
        default=False,
        description="`true` says that you made sure: whoever of them shares a document, or a name and birth date, with "
        "somebody of another request of yours on a manifest is somebody else.",
    )


class ManifestReceiptIn(Shape):
    """Who received somebody, where and when."""

    received_by: Line = Field(
        description="Office that received the person, without an officer's name.",
        examples=["Incheon airport police, reception office"],
    )
    at: UtcDateTime = Field(
        default_factory=clock.now,
        description="When; after the departure, and not in the future. The moment of the call if left out.",
    )
    note: Paragraph | None = Field(
        default=None, description="In what condition, with which documents and belongings; without names."
    )

    @model_validator(mode="after")
    def _is_past(self) -> Self:
        if (self.at - clock.now()).total_seconds() > _CLOCKS_DIFFER:
            refuse("ManifestReceipt", [Flaw("/at", "time-in-future", "A receipt is given when it is done.")])
        return self


class NoShowReason(Shape):
    """Why somebody is not on board."""

    reason: Paragraph = Field(
        description="The reason, without names; the two sides of the request read it.",
        examples=["Not fit to fly, says the physician."],
    )


class ManifestEntries(Shape):
    """Several of your people on a manifest."""

    entries: _Entries = Field(description=_ENTRIES)


class ManifestNoShows(NoShowReason):
    """Several of your people who are not on board, for one reason."""

    entries: _Entries = Field(description=_ENTRIES)


class ManifestHandOvers(ManifestReceiptIn):
    """Several people whom your agency received together."""

    entries: _Entries = Field(description=_ENTRIES)


class ManifestReceipt(Shape):
    """Who received somebody, where and when, as the sides of the request see it."""

    agency: AgencyCode = Field(description="The agency that gave the receipt.", examples=["KR-KNPA"])
    received_by: Line = Field(description="Office that received the person.")
    at: UtcDateTime = Field(description="When.")
    note: Paragraph | None = Field(description="In what condition, with which documents and belongings.")


class ManifestEntry(Shape):
    """Somebody on a manifest, for the two sides of the request. Names are read with the request's persons."""

    id: UUID = Field(description="The entry's id.")
    transport_id: UUID = Field(description="The transport.")
    request: UUID = Field(description="The repatriation request.")
    request_state: RepatriationState | None = Field(
        description="How far that request has come; null where nothing is left of it."
    )
    person: UUID = Field(description="The person's id in that request.")
    category: RepatriationCategory = Field(description="Who travels, as the request says.")
    agency: AgencyCode = Field(description="The agency that put the person there.", examples=["KH-CNP"])
    section: Line | None = Field(description="Where the person sits; null for remains.")
    state: ManifestState = Field(description="What became of it.")
    reason: Paragraph | None = Field(description="Why the person is not on board; null otherwise.")
    receipt: ManifestReceipt | None = Field(description="Who received the person; null before.")
    created_at: UtcDateTime = Field(description="When the person was put on the manifest.")
    updated_at: UtcDateTime = Field(description="When this entry last changed.")


class PeopleByCategory(Shape):
    """How many people of each category travel."""

    victim: int = Field(ge=0, description="Victims.")
    suspect: int = Field(ge=0, description="Suspects.")
    remains: int = Field(ge=0, description="Remains, which take no seat.")


class PeopleByState(Shape):
    """How many people a manifest has in each state."""

    listed: int = Field(ge=0, description="Are to travel.")
    boarded: int = Field(ge=0, description="Are on board, or were.")
    no_show: int = Field(ge=0, description="Did not come; their seats are free.")
    handed_over: int = Field(ge=0, description="Were handed over.")
    withdrawn: int = Field(ge=0, description="Came off by themselves; their seats are free.")


class PeopleOfAgency(Shape):
    """How many people an agency put on a manifest."""

    agency: AgencyCode = Field(description="The agency.", examples=["KH-CNP"])
    people: int = Field(ge=0, description="How many of them travel.")


class PeopleInSection(Shape):
    """How full a section is."""

    section: Line = Field(description="The section.", examples=["rows 1 to 20"])
    seats: int = Field(ge=0, description="Its seats.")
    taken: int = Field(ge=0, description="How many of them are taken.")


class ManifestTotals(Shape):
    """A manifest in numbers, the same for everybody who sees the transport."""

    seats: int = Field(ge=0, description="All seats.")
    escorts: int = Field(ge=0, description="Seats of escorts.")
    taken: int = Field(ge=0, description="Seats taken, by escorts and people.")
    free: int = Field(ge=0, description="Seats left; a section may have fewer.")
    by_category: PeopleByCategory = Field(description="People who travel, by category.")
    by_state: PeopleByState = Field(description="Everybody on the manifest, by what became of them.")
    by_agency: list[PeopleOfAgency] = Field(description="People who travel, by who put them there.")
    by_section: list[PeopleInSection] = Field(description="How full each section is.")


class Manifest(Shape):
    """A manifest: the numbers of all of it, and a page of your agency's own people."""

    transport_id: UUID = Field(description="The transport.")
    state: TransportState = Field(description="How far the transport has come.")
    totals: ManifestTotals = Field(description="The numbers of the whole manifest.")
    items: list[ManifestEntry] = Field(
        description="People of requests that your agency is a side of, in the order in which they were put there."
    )
    next_cursor: str | None = Field(description="For the next page; null on the last.", max_length=2048)


class ManifestMark(Shape):
    """What a call did to one entry."""

    id: UUID = Field(description="The entry.")
    request: UUID = Field(description="The repatriation request.")
    person: UUID = Field(description="The person.")
    section: Line | None = Field(description="Where the person sits; null for remains.")
    state: ManifestState = Field(description="What had become of it by that call.")


class ManifestChange(Shape):
    """What a call did to a manifest, as it stood then."""

    id: UUID = Field(description="The change's id.")
    transport_id: UUID = Field(description="The transport.")
    action: ManifestAction = Field(description="What was done.")
    agency: AgencyCode = Field(description="The agency that did it.", examples=["KH-CNP"])
    entries: list[ManifestMark] = Field(description="The entries it was done to, in the order of the call.")
    at: UtcDateTime = Field(description="When.")


class SeparationIn(Shape):
    """Two people who must not sit in the same section."""

    persons: Annotated[list[UUID], Field(min_length=2, max_length=2)] = Field(
        description="Ids of two persons of requests that your agency is a side of."
    )
    reason: Paragraph | None = Field(
        default=None, description="Why, without names.", examples=["One testifies against the other."]
    )

    @model_validator(mode="after")
    def _are_two(self) -> Self:
        if self.persons[0] == self.persons[1]:
            refuse("Separation", [Flaw("/persons/1", "named-twice", "Name two different persons.")])
        return self


class Separation(Shape):
    """Two people who must not sit in the same section, for those who see both."""

    id: UUID = Field(description="The separation's id.")
    transport_id: UUID = Field(description="The transport.")
    persons: list[UUID] = Field(description="The two persons.", max_length=2)
    agency: AgencyCode = Field(description="The agency that named them.", examples=["KH-CNP"])
    reason: Paragraph | None = Field(description="Why.")
    created_at: UtcDateTime = Field(description="When they were named.")
