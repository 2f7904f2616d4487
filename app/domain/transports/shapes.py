"""Bodies of the calls about a transport: its plan, and how far it has come."""

from datetime import datetime
from typing import Annotated, ClassVar, Final, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from app.core.codes import AgencyCode, Country, TimeZone
from app.core.dates import CalendarDate, UtcDateTime
from app.core.merge_patch import MergePatch
from app.core.problems import Flaw
from app.core.shapes import Shape, distinct, refuse
from app.core.text import Line, Paragraph
from app.models.transport_vocabularies import PermitState, PermitType, TransportMode, TransportState

_AGENCIES_MAX: Final = 50
_SECTIONS_MAX: Final = 50
_PERMITS_MAX: Final = 50
SEATS_MAX: Final = 5_000
_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 2200
_YEAR_ERROR: Final = PydanticCustomError("time-out-of-range", "A transport travels in the years 1970 to 2200.")

WHOLE: Final = "all"
"""The one section of a transport that names none."""

Seats = Annotated[int, Field(ge=1, le=SEATS_MAX)]


class TransportPlace(Shape):
    """Where and when a transport leaves or arrives."""

    place: Line = Field(description="Airport, port, station or crossing.", examples=["Phnom Penh, PNH"])
    country: Country = Field(description="Its country.", examples=["KH"])
    at: UtcDateTime = Field(description="When, as planned; in the years 1970 to 2200.")
    time_zone: TimeZone = Field(description="The time zone that people there go by.", examples=["Asia/Phnom_Penh"])

    @field_validator("at")
    @classmethod
    def _has_local_time(cls, at: datetime) -> datetime:
        # At either end of the calendar there is no local time in some time zone.
        if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
            raise _YEAR_ERROR
        return at


class TransportStop(TransportPlace):
    """Where and when a transport leaves or arrives, in the time of the place too."""

    local_time: str = Field(
        description="The same moment by the clocks of the place, with their offset.",
        max_length=40,
        examples=["2026-12-01T08:30:00+07:00"],
    )


class TransportSection(Shape):
    """A part of a transport in which people sit together."""

    name: Line = Field(description="What it is called.", examples=["rows 1 to 20"])
    seats: Seats = Field(description="Its seats for people; escorts need none of these.", examples=[120])


class TransportEscort(Shape):
    """Escorts that an agency sends."""

    agency: AgencyCode = Field(description="The agency, which takes part.", examples=["KR-KNPA"])
    count: Seats = Field(description="How many; each takes a seat.", examples=[40])


class EscortRule(Shape):
    """How many escorts a transport needs, at least."""

    suspects_per_escort: int = Field(
        default=1, ge=1, le=100, description="For how many suspects one escort is enough.", examples=[2]
    )
    victims_per_escort: Annotated[int, Field(ge=1, le=500)] | None = Field(
        default=None, description="For how many victims one escort is enough; null where they need none."
    )


class TransportPermit(Shape):
    """What a country on the way has to allow."""

    type: PermitType = Field(description="What it allows.", examples=["overflight"])
    country: Country = Field(description="The country that gives it.", examples=["VN"])
    number: Line | None = Field(default=None, description="Its number, once there is one.", examples=["CAA-2026-4411"])
    state: PermitState = Field(default=PermitState.REQUESTED, description="What became of it.", examples=["granted"])
    valid_until: CalendarDate | None = Field(
        default=None, description="The last day for which it is good, in UTC; null without an end."
    )


class TransportPlan(Shape):
    """What a transport is to be, whose organizer is your agency."""

    participants: Annotated[list[AgencyCode], Field(max_length=_AGENCIES_MAX), AfterValidator(distinct)] = Field(
        default_factory=list,
        description="Agencies that see it, put people on it or receive them; yours left out.",
        examples=[["KH-CNP"]],
    )
    mode: TransportMode = Field(description="How it travels.", examples=["charter"])
    carrier: Line | None = Field(default=None, description="Who runs it.", examples=["Example Air"])
    number: Line | None = Field(default=None, description="Flight, train or voyage.", examples=["XA 9001"])
    departure: TransportPlace = Field(description="Where and when it leaves.")
    arrival: TransportPlace = Field(description="Where and when it arrives.")
    seats: Seats = Field(description="All seats, those of escorts with them; remains take none.", examples=[180])
    sections: list[TransportSection] = Field(
        default_factory=list,
        max_length=_SECTIONS_MAX,
        description="Parts in which people sit apart from others; none named: the whole of it is one, called `all`.",
    )
    escorts: list[TransportEscort] = Field(
        default_factory=list, max_length=_AGENCIES_MAX + 1, description="Who sends escorts, and how many."
    )
    escort_rule: EscortRule = Field(
        default_factory=EscortRule,
        description="How many escorts are needed; left out: one for each suspect, and none for victims.",
    )
    permits: list[TransportPermit] = Field(
        default_factory=list, max_length=_PERMITS_MAX, description="What countries have to allow, one by one."
    )
    note: Paragraph | None = Field(
        default=None,
        description="What all who take part have to know, without names.",
        examples=["Gate opens at 06:00."],
    )

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        flaws = []
        if self.arrival.at <= self.departure.at:
            flaws.append(Flaw("/arrival/at", "times-out-of-order", "It arrives after it departs."))
        if sum(section.seats for section in self.sections) > self.seats:
            flaws.append(Flaw("/sections", "more-than-seats", "Its sections have more seats than the whole of it."))
        if sum(escort.count for escort in self.escorts) > self.seats:
            flaws.append(Flaw("/escorts", "more-than-seats", "There are more escorts than seats."))
        flaws += _twice("/sections", "name", [section.name for section in self.sections])
        flaws += _twice("/escorts", "agency", [escort.agency for escort in self.escorts])
        refuse("TransportPlan", flaws)
        return self


def _twice(pointer: str, field: str, names: list[str]) -> list[Flaw]:
    return [
        Flaw(f"{pointer}/{place}/{field}", "named-twice", "This one is there already.")
        for place, name in enumerate(names)
        if name in names[:place]
    ]


class TransportPatch(MergePatch):
    """A merge patch (RFC 7396) of a transport's plan: what is left out stays, null clears, lists are replaced.

    Once the manifest is frozen `carrier`, `number`, `departure`, `arrival`, `permits` and `note` can be changed; after
    departure `arrival` and `note`; after arrival `note` alone.
    """

    target: ClassVar[type[Shape]] = TransportPlan


class TransportReason(Shape):
    """Why a manifest is opened again, or a transport cancelled."""

    reason: Paragraph = Field(
        description="The reason, as all who take part read it.", examples=["The landing permit was withdrawn."]
    )


class Transport(TransportPlan):
    """A transport as its organizer and those who take part see it."""

    id: UUID = Field(description="The transport's id.")
    reference: str = Field(description="Its number for people.", examples=["KR-KNPA-TR-2026-481902"])
    organizer: AgencyCode = Field(description="The agency that organizes it, and changes it.")
    departure: TransportStop = Field(description="Where and when it leaves.")
    arrival: TransportStop = Field(description="Where and when it arrives.")
    state: TransportState = Field(description="How far it has come.")
    state_reason: Paragraph | None = Field(
        description="Why the manifest was opened again, or the transport cancelled; null otherwise."
    )
    frozen_at: UtcDateTime | None = Field(description="When its manifest was frozen; null while it is open.")
    departed_at: UtcDateTime | None = Field(description="When its departure was noted; null before.")
    arrived_at: UtcDateTime | None = Field(description="When its arrival was noted; null before.")
    ended_at: UtcDateTime | None = Field(description="When it was completed or cancelled; null before.")
    version: int = Field(
        ge=1, description="Counts the changes of these fields, not those of the manifest; also the ETag."
    )
    created_at: UtcDateTime = Field(description="When it was planned.")
    updated_at: UtcDateTime = Field(description="When one of these fields last changed.")


def local_time(at: datetime, time_zone: str) -> str:
    """A moment by the clocks of a place, RFC 3339 with its offset, to the second."""
    return at.astimezone(ZoneInfo(time_zone)).isoformat(timespec="seconds")
