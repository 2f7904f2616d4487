"""Bodies of the calls about persons."""

import unicodedata
from collections import Counter
from typing import Annotated, ClassVar, Final, Self
from uuid import UUID

from pydantic import AfterValidator, Field, Strict, StringConstraints, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from app.core import clock, registers
from app.core.codes import AgencyCode, Country, Language, Phone
from app.core.dates import PartialDate, UtcDateTime, partial_dates_in_order
from app.core.merge_patch import MergePatch
from app.core.problems import Flaw
from app.core.shapes import Shape, distinct, refuse
from app.core.text import Line, LongLine, Paragraph
from app.models.person_vocabularies import ContactKind, NameKind, PersonRole, SexMarker
from app.persons.travel_documents import TravelDocument

_NOTE: Final = "What else is to be known about it."
_SCRIPTS: Final = {
    "LATIN": "Latn",
    "HANGUL": "Hang",
    "CJK": "Hani",
    "HIRAGANA": "Jpan",
    "KATAKANA": "Jpan",
    "KHMER": "Khmr",
    "THAI": "Thai",
    "LAO": "Laoo",
    "MYANMAR": "Mymr",
    "CYRILLIC": "Cyrl",
    "ARABIC": "Arab",
    "DEVANAGARI": "Deva",
    "BENGALI": "Beng",
    "TAMIL": "Taml",
    "SINHALA": "Sinh",
    "ETHIOPIC": "Ethi",
    "GREEK": "Grek",
    "HEBREW": "Hebr",
}
"""The first word of a character's Unicode name, and the ISO 15924 code of its script."""

_no_phone = PydanticCustomError("no-phone", "Only a telephone has a number in E.164: leave the field out.")
_other_phone = PydanticCustomError("phone-differs", "The value is another number in international form.")
_ahead = PydanticCustomError("date-ahead", "A date of birth lies in the past.")


def script_of(text: str) -> str | None:
    """The ISO 15924 code of the script that most letters of a text are of; None where it is not one of those known."""
    words = Counter(unicodedata.name(char, "").partition(" ")[0] for char in text if char.isalpha())
    scripts = Counter({_SCRIPTS[word]: count for word, count in words.items() if word in _SCRIPTS})
    return scripts.most_common(1)[0][0] if scripts else None


class PersonName(Shape):
    """One of a person's names, in one script."""

    name: Line = Field(description="The whole name, as it is written in its script.", examples=["김예시"])
    type: NameKind = Field(default=NameKind.LEGAL, description="What the name is; legal if left out.")
    family_name: Line | None = Field(default=None, description="The family name in it.", examples=["김"])
    given_names: Line | None = Field(default=None, description="The given names in it.", examples=["예시"])
    language: Language | None = Field(default=None, description="Language of the name.", examples=["ko"])
    script: (
        Annotated[str, StringConstraints(pattern=r"^[A-Z][a-z]{3}$"), Field(json_schema_extra={"maxLength": 4})] | None
    ) = Field(
        default=None,
        description="Script of the name, ISO 15924. Left out, the hub reads it off the name; null where it cannot.",
        examples=["Hang", "Latn", "Khmr"],
    )
    note: Paragraph | None = Field(default=None, description=_NOTE)

    @field_validator("script")
    @classmethod
    def _is_read_off(cls, sent: str | None, info: ValidationInfo) -> str | None:
        return sent or script_of(info.data.get("name", ""))


class PersonContact(Shape):
    """By what somebody is reached, as it was given, and for telephones the number in the form that can be dialled."""

    type: ContactKind = Field(description="By which way.", examples=["phone"])
    value: LongLine = Field(description="As it was given.", examples=["010-0000-1234 (mother)"])
    e164: Phone | None = Field(
        default=None,
        description="The telephone number in E.164. Left out, the hub makes it from `value` where that is in "
        "international form; null where nobody knows it.",
        examples=["+821000001234"],
    )
    note: Paragraph | None = Field(default=None, description=_NOTE)

    @field_validator("e164")
    @classmethod
    def _can_be_dialled(cls, sent: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("type") is not ContactKind.PHONE:
            if sent is not None and "type" in info.data:
                raise _no_phone
            return sent
        read = registers.e164(info.data.get("value", ""))
        if sent is not None and read not in (None, sent):
            raise _other_phone
        return sent or read


class NextOfKin(Shape):
    """Somebody close to the person, who may have to be told or asked."""

    names: list[PersonName] = Field(min_length=1, max_length=10, description="Their names.")
    relationship: Line = Field(description="Who they are to the person.", examples=["mother"])
    contacts: list[PersonContact] = Field(default_factory=list, max_length=20, description="How to reach them.")
    languages: Annotated[list[Language], AfterValidator(distinct)] = Field(
        default_factory=list, max_length=10, description="Languages they speak.", examples=[["ko"]]
    )
    note: Paragraph | None = Field(default=None, description="What else is to be known: that they were told, and when.")


class MedicalNeed(Shape):
    """What the person needs to stay well, in custody and on the way."""

    need: Paragraph = Field(description="The need.", examples=["Insulin, twice a day; must be kept cool."])
    urgent: Annotated[bool, Strict()] = Field(default=False, description="Whether life depends on it.")
    since: PartialDate | None = Field(default=None, description="Since when it is known.")
    note: Paragraph | None = Field(default=None, description=_NOTE)


class RoleInCase(Shape):
    """What the person is in the case, and from when to when."""

    role: PersonRole = Field(description="What the person is.", examples=["victim"])
    since: PartialDate = Field(description="Since when.", examples=["2026-11"])
    until: PartialDate | None = Field(default=None, description="Until when; null while it lasts.")
    note: Paragraph | None = Field(
        default=None, description="By whom and on what it was found.", examples=["Screened at the embassy."]
    )

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if not partial_dates_in_order(self.since, self.until):
            refuse("RoleInCase", [Flaw("/until", "dates-reversed", "Set until on or after since.")])
        return self


class PersonIn(Shape):
    """A person as your agency knows them."""

    names: list[PersonName] = Field(
        default_factory=list,
        max_length=30,
        description="The person's names: as they are written at home, in Latin letters, and others. Empty while nobody "
        "knows who it is.",
    )
    birth_date: PartialDate | None = Field(
        default=None, description="Date of birth, only as exact as it is known.", examples=["1998", "1998-04"]
    )
    birth_place: Line | None = Field(default=None, description="Place of birth.")
    sex: SexMarker | None = Field(default=None, description="Sex, as travel documents say it; null if not known.")
    nationalities: Annotated[list[Country], AfterValidator(distinct)] = Field(
        default_factory=list, max_length=10, description="Nationalities; empty if not known.", examples=[["KR"]]
    )
    stateless: Annotated[bool, Strict()] = Field(
        default=False, description="Whether the person is known to have no nationality."
    )
    travel_documents: list[TravelDocument] = Field(
        default_factory=list, max_length=30, description="Documents that the person travels with."
    )
    contacts: list[PersonContact] = Field(default_factory=list, max_length=30, description="How to reach the person.")
    languages: Annotated[list[Language], AfterValidator(distinct)] = Field(
        default_factory=list, max_length=10, description="Languages the person speaks.", examples=[["ko", "en"]]
    )
    next_of_kin: list[NextOfKin] = Field(default_factory=list, max_length=20, description="Who is close to the person.")
    medical_needs: list[MedicalNeed] = Field(
        default_factory=list, max_length=30, description="What the person needs to stay well."
    )
    roles: list[RoleInCase] = Field(
        min_length=1,
        max_length=50,
        description="What the person is in the case, over time: several at once where it is so, since a victim who was "
        "made to commit crimes stays a victim.",
    )
    note: Paragraph | None = Field(default=None, description="What else is to be known about the person.")

    @field_validator("birth_date")
    @classmethod
    def _is_born(cls, value: str | None) -> str | None:
        if value is not None and not partial_dates_in_order(value, clock.now().date().isoformat()):
            raise _ahead
        return value

    @model_validator(mode="after")
    def _has_a_nationality_or_none(self) -> Self:
        if self.stateless and self.nationalities:
            detail = "Take the nationalities out, or set stateless to false."
            refuse("PersonIn", [Flaw("/stateless", "nationality-given", detail)])
        return self


class PersonPatch(MergePatch):
    """A merge patch (RFC 7396) of a person: what is left out stays, null clears, a list replaces the whole list."""

    target: ClassVar[type[Shape]] = PersonIn


class PersonHead(Shape):
    """What stands around what is known of a person."""

    id: UUID = Field(description="The person's id, a UUIDv7. It stands in events and in the audit, and names nobody.")
    agency: AgencyCode = Field(description="Who entered the person.", examples=["KR-KNPA"])
    version: int = Field(ge=1, description="Counts the person's changes; also the ETag.", examples=[1])
    created_at: UtcDateTime = Field(description="When the person was entered.")
    updated_at: UtcDateTime = Field(description="When what is known of the person last changed.")


class Person(PersonIn, PersonHead):
    """A person of a record, as everybody sees them who may."""
