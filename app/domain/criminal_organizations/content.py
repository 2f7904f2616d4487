"""What a profile of a criminal organization says."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, Strict, ValidationInfo, field_validator, model_validator

from app.core.codes import Country, Language, Subdivision
from app.core.dates import PartialDate, partial_dates_in_order
from app.core.measures import Coordinates
from app.core.problems import Flaw
from app.core.shapes import Shape, distinct, refuse
from app.core.text import Line, LongLine, Narrative, Paragraph
from app.matching.identifiers import comparable
from app.models.grading import Grading
from app.models.vocabularies import (
    CrimeType,
    IdentifierType,
    LocationRole,
    OrganizationKind,
    OrganizationStatus,
    ThreatLevel,
)

_NOTE = "What else is to be known about it."


class Alias(Shape):
    """Another name of the organization, in any script."""

    name: Line = Field(description="The name as it is written.", examples=["보코르 그룹"])
    language: Language | None = Field(default=None, description="Language of the name.")
    note: Paragraph | None = Field(default=None, description=_NOTE)


class Activity(Shape):
    """A line of crime."""

    type: CrimeType = Field(description="Type of crime.", examples=["phone_scam"])
    since: PartialDate | None = Field(default=None, description="Since when it is known.")
    note: Paragraph | None = Field(default=None, description=_NOTE)


class Location(Shape):
    """A place where the organization is or was. At least one of name, country, address and coordinates is given."""

    name: Line | None = Field(default=None, description="What the place is called.", examples=["Bokor mountain site"])
    role: LocationRole | None = Field(default=None, description="What the place is to it.", examples=["compound"])
    country: Country | None = Field(default=None, description="Country of the place.")
    subdivision: Subdivision | None = Field(default=None, description="Province, state or city, of that country.")
    address: LongLine | None = Field(default=None, description="Postal address or description of the way.")
    coordinates: Coordinates | None = Field(default=None, description="Where exactly.")
    from_: PartialDate | None = Field(default=None, alias="from", description="Since when it is used.")
    to: PartialDate | None = Field(default=None, description="Until when it was used; null while it is.")

    @model_validator(mode="after")
    def _is_one_place(self) -> Self:
        flaws = []
        if self.name is None and self.country is None and self.address is None and self.coordinates is None:
            flaws.append(Flaw("/name", "place-missing", "Give a name, a country, an address or coordinates."))
        if self.subdivision is not None and self.country is None:
            flaws.append(Flaw("/country", "country-missing", "Give the country that the subdivision belongs to."))
        elif self.subdivision is not None and not self.subdivision.startswith(f"{self.country}-"):
            flaws.append(Flaw("/subdivision", "subdivision-elsewhere", "Use a subdivision of the given country."))
        if not partial_dates_in_order(self.from_, self.to):
            flaws.append(Flaw("/to", "dates-reversed", "Set to on or after from."))
        refuse("Location", flaws)
        return self


class Identifier(Shape):
    """Something by which the organization can be recognized: a telephone, a wallet, a plate."""

    type: IdentifierType = Field(description="What the value is.", examples=["phone"])
    value: LongLine = Field(description="The value as it became known.", examples=["+855 23 000 000"])
    normalized: Annotated[str, Field(max_length=2_000)] | None = Field(
        default=None,
        description="The value in the form in which identifiers are compared; null where it has none. Made by the hub "
        "from type and value: what is sent here is ignored.",
        examples=["+85523000000"],
        json_schema_extra={"readOnly": True},
    )
    first_seen: PartialDate | None = Field(default=None, description="When it was first seen in use.")
    last_seen: PartialDate | None = Field(default=None, description="When it was last seen in use.")
    note: Paragraph | None = Field(default=None, description=_NOTE)

    @field_validator("normalized")
    @classmethod
    def _is_made_here(cls, _sent: str | None, info: ValidationInfo) -> str | None:
        if "type" not in info.data or "value" not in info.data:
            return None
        return comparable(info.data["type"], info.data["value"])

    @model_validator(mode="after")
    def _was_seen_in_order(self) -> Self:
        if not partial_dates_in_order(self.first_seen, self.last_seen):
            refuse("Identifier", [Flaw("/last_seen", "dates-reversed", "Set last_seen on or after first_seen.")])
        return self


class Member(Shape):
    """A person known to belong to the organization."""

    name: Line = Field(description="The name, in Latin script where it is known so.", examples=["CHOI Example"])
    native_name: Line | None = Field(default=None, description="The name in its own script.", examples=["최 예시"])
    aliases: list[Line] = Field(default_factory=list, max_length=50, description="Other names, nicknames.")
    role: Line | None = Field(default=None, description="What the person does in it.", examples=["recruiter"])
    nationality: Country | None = Field(default=None, description="Nationality.")
    note: Paragraph | None = Field(default=None, description=_NOTE)


class Relocation(Shape):
    """A move of the organization from one place or country to another."""

    from_: Line | None = Field(
        default=None, alias="from", description="Place left, or the code of the country left.", examples=["PH"]
    )
    to: Line | None = Field(
        default=None, description="Place gone to, or the code of the country gone to.", examples=["KH"]
    )
    on: PartialDate | None = Field(default=None, description="When it moved.")
    reason: Paragraph | None = Field(default=None, description="Why it moved.", examples=["Raids in the former place."])

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        if self.from_ is None and self.to is None:
            refuse("Relocation", [Flaw("/to", "place-missing", "Say where it left, where it went, or both.")])
        return self


class CriminalOrganizationContent(Shape):
    """What an agency knows of a criminal organization."""

    name: Line = Field(description="The name it is best known by.", examples=["Bokor Group"])
    aliases: list[Alias] = Field(default_factory=list, max_length=200, description="Its other names.")
    kind: OrganizationKind | None = Field(default=None, description="How it is built.", examples=["syndicate"])
    status: OrganizationStatus = Field(
        default=OrganizationStatus.SUSPECTED, description="What it is doing now; suspected if left out."
    )
    summary: Paragraph | None = Field(default=None, description="The profile in a few sentences.")
    threat_level: ThreatLevel | None = Field(default=None, description="How dangerous it is.", examples=["high"])
    activities: list[Activity] = Field(default_factory=list, max_length=100, description="Its lines of crime.")
    modus_operandi: Narrative | None = Field(default=None, description="How it works.")
    estimated_members: Annotated[int, Strict()] | None = Field(
        default=None, ge=0, le=10_000_000, description="About how many people belong to it.", examples=[120]
    )
    founded_on: PartialDate | None = Field(default=None, description="When it was founded.")
    nationalities: Annotated[list[Country], AfterValidator(distinct)] = Field(
        default_factory=list, max_length=100, description="Nationalities of its people.", examples=[["KR", "CN"]]
    )
    locations: list[Location] = Field(default_factory=list, max_length=500, description="Where it is and was.")
    identifiers: list[Identifier] = Field(
        default_factory=list, max_length=1_000, description="By what it can be recognized."
    )
    members: list[Member] = Field(default_factory=list, max_length=500, description="People known to belong to it.")
    relocations: list[Relocation] = Field(default_factory=list, max_length=100, description="Where it moved.")
    grading: Grading | None = Field(default=None, description="How reliable the source and the information are.")


def facets(content: CriminalOrganizationContent) -> list[str]:
    """Return what lists filter the profile by, as `name:value`.

    Its countries are those of its locations, past ones included: a gang of foreigners is not a gang of their country.
    """
    found = [f"status:{content.status}"]
    if content.kind is not None:
        found.append(f"kind:{content.kind}")
    if content.threat_level is not None:
        found.append(f"threat_level:{content.threat_level}")
    found += [f"activity:{activity.type}" for activity in content.activities]
    found += [f"country:{place.country}" for place in content.locations if place.country is not None]
    return distinct(found)


def search_names(content: CriminalOrganizationContent) -> list[str]:
    """Return the names that a search finds the profile by: its own and its aliases."""
    return distinct([content.name, *(alias.name for alias in content.aliases)])
