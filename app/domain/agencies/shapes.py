"""Bodies of the calls about agencies."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from app.core.codes import AgencyCode, Country, Email, Language, Phone, TimeZone
from app.core.dates import UtcDateTime
from app.core.merge_patch import MergePatch
from app.core.shapes import Shape, distinct
from app.core.text import Line
from app.core.vocabulary import Vocabulary
from app.models.vocabularies import AgencyKind


class AgencyStatus(Vocabulary):
    """Whether an agency takes part."""

    ACTIVE = "active", "Its credentials can sign in."
    SUSPENDED = "suspended", "None of its credentials can do anything; its records stay as they are."


class Contact(Shape):
    """Where an agency answers around the clock."""

    phone: Phone | None = Field(None, description="The telephone number of its duty desk.")
    email: Email | None = Field(None, description="The address of its duty desk.")


class AgencyContent(Shape):
    """An agency's entry in the directory."""

    name: Line = Field(
        description="Its name in the language the hub works in.", examples=["Korean National Police Agency"]
    )
    native_name: Line | None = Field(None, description="Its name in its own language.", examples=["경찰청"])
    kind: AgencyKind = Field(description="What it is.")
    country: Country | None = Field(None, description="Whose it is; null for an organization of several countries.")
    languages: Annotated[list[Language], AfterValidator(distinct)] = Field(
        default_factory=list, max_length=20, description="What its duty desk reads, the preferred one first."
    )
    time_zone: TimeZone = Field("UTC", description="Where its office hours are.")
    contact: Contact = Field(default_factory=Contact, description="Where it answers around the clock.")


class AgencyCreate(AgencyContent):
    """An agency to be admitted."""

    code: AgencyCode = Field(description="The code it is known by from now on. A code is never used for a second one.")


class AgencyPatch(MergePatch):
    """A merge patch (RFC 7396) of an agency's entry: what is left out stays, null clears, a list replaces the list."""

    target: ClassVar[type[Shape]] = AgencyContent


class Agency(AgencyContent):
    """An agency as the directory shows it to every member."""

    code: AgencyCode = Field(description="The code by which it is known everywhere.")
    status: AgencyStatus = Field(description="Whether it takes part.")
    version: int = Field(description="The version of this entry; its ETag.", examples=[1])
    created_at: UtcDateTime = Field(description="When it was admitted.")
    updated_at: UtcDateTime = Field(description="When its entry or its status last changed.")
