"""What an incident report says, and what follows from it: filters, names to search by, the sign of trafficking."""

from datetime import timedelta
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, model_validator

from app.core import clock
from app.core.codes import Country, Subdivision
from app.core.dates import CalendarDate, PartialDate, partial_dates_in_order
from app.core.measures import Coordinates, Money
from app.core.problems import Flaw
from app.core.shapes import Shape, distinct, refuse
from app.core.text import Line, Narrative, Paragraph
from app.models.incident_vocabularies import (
    AgeBand,
    IncidentState,
    RecruitmentChannel,
    ReportedBy,
    Sex,
    TraffickingAct,
    TraffickingMeans,
    TraffickingPurpose,
    Verification,
    VictimCondition,
)
from app.models.vocabularies import CrimeType

CHILDREN: Final = frozenset({AgeBand.UNDER_12, AgeBand.FROM_12})

_AHEAD: Final = timedelta(days=1)
"""How far a reporter's day can be ahead of the day in UTC."""


class Victim(Shape):
    """One person who was harmed, as far as it can be told without saying who. Names have no place here."""

    nationality: Country | None = Field(default=None, description="Nationality; null where it is not known.")
    age_band: AgeBand = Field(default=AgeBand.UNKNOWN, description="How old the person was.", examples=["18_24"])
    sex: Sex = Field(default=Sex.UNKNOWN, description="Sex, as it was reported.", examples=["male"])
    condition: VictimCondition = Field(
        default=VictimCondition.UNKNOWN,
        description="How the person is now. `detained` and `life_at_risk` make the report urgent.",
        examples=["detained"],
    )
    recruited_via: RecruitmentChannel = Field(
        default=RecruitmentChannel.UNKNOWN,
        description="How the person came into the hands of those who did it.",
        examples=["job_board"],
    )


class Trafficking(Shape):
    """The three checklists of the Palermo Protocol: what was done, by what means, and what for."""

    acts: Annotated[list[TraffickingAct], AfterValidator(distinct)] = Field(
        default_factory=list, max_length=20, description="What was done.", examples=[["recruitment", "harbouring"]]
    )
    means: Annotated[list[TraffickingMeans], AfterValidator(distinct)] = Field(
        default_factory=list, max_length=20, description="By what means.", examples=[["deception", "force"]]
    )
    purposes: Annotated[list[TraffickingPurpose], AfterValidator(distinct)] = Field(
        default_factory=list, max_length=20, description="What for.", examples=[["forced_criminality"]]
    )


class IncidentReportContent(Shape):
    """What an agency was told of an incident."""

    title: Line = Field(description="The report in a line, without names.", examples=["Translator held near Bokor"])
    types: Annotated[list[CrimeType], AfterValidator(distinct)] = Field(
        min_length=1, max_length=30, description="Which crimes it is about.", examples=[["kidnapping", "extortion"]]
    )
    occurred_from: PartialDate | None = Field(default=None, description="When it happened or began.")
    occurred_to: PartialDate | None = Field(
        default=None, description="When it ended; null while it goes on, or where nobody knows."
    )
    reported_on: CalendarDate = Field(description="When it was reported first.", examples=["2025-08-03"])
    reported_by: ReportedBy = Field(description="Who reported it first.", examples=["family"])
    country: Country = Field(description="Country where it happened.")
    subdivision: Subdivision | None = Field(default=None, description="Province, state or city, of that country.")
    place: Line | None = Field(
        default=None, description="What the place is called, or how to find it.", examples=["Bokor mountain"]
    )
    coordinates: Coordinates | None = Field(default=None, description="Where exactly.")
    victims: list[Victim] = Field(
        default_factory=list, max_length=1_000, description="Those who were harmed, each for themselves, unnamed."
    )
    demand: Money | None = Field(default=None, description="What was demanded for letting them go.")
    trafficking: Trafficking = Field(
        default_factory=Trafficking, description="What speaks for trafficking in persons, item by item."
    )
    narrative: Narrative | None = Field(default=None, description="What happened, in whole sentences.")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        flaws = []
        if self.subdivision is not None and not self.subdivision.startswith(f"{self.country}-"):
            flaws.append(Flaw("/subdivision", "subdivision-elsewhere", "Use a subdivision of the given country."))
        if not partial_dates_in_order(self.occurred_from, self.occurred_to):
            flaws.append(Flaw("/occurred_to", "dates-reversed", "Set occurred_to on or after occurred_from."))
        if not partial_dates_in_order(self.occurred_from, self.reported_on.isoformat()):
            flaws.append(Flaw("/reported_on", "dates-reversed", "Set reported_on on or after occurred_from."))
        if self.reported_on > clock.now().date() + _AHEAD:
            flaws.append(Flaw("/reported_on", "date-ahead", "Set the day on which it was reported, which has begun."))
        refuse("IncidentReport", flaws)
        return self


class IncidentReportFields(IncidentReportContent):
    """What a report says once it is with the hub."""

    trafficking_indicated: bool = Field(
        description="Whether the checklists speak for trafficking: at least one act and one purpose, and one means "
        "unless a victim is under 18. That a victim consented changes nothing."
    )
    verification: Verification = Field(
        description="Whether it is known to be true; set by `/verify`.", examples=["reported"]
    )
    verification_note: Paragraph | None = Field(description="What that rests on, as said with `/verify`.")
    state_note: Paragraph | None = Field(description="What was said with the last step of its state.")


def trafficking_indicated(content: IncidentReportContent) -> bool:
    """Return whether the report speaks for trafficking in persons (Palermo Protocol, article 3).

    An act, a means and a purpose; with a victim under 18 the means is not needed. Consent is asked nowhere.
    """
    found, child = content.trafficking, any(victim.age_band in CHILDREN for victim in content.victims)
    return bool(found.acts and found.purposes and (found.means or child))


def facets(fields: IncidentReportFields, state: IncidentState) -> list[str]:
    """Return what lists filter the report by, as `name:value`."""
    found = [
        f"state:{state}",
        f"country:{fields.country}",
        f"verification:{fields.verification}",
        f"trafficking_indicated:{fields.trafficking_indicated}",
    ]
    if fields.subdivision is not None:
        found.append(f"subdivision:{fields.subdivision}")
    found += [f"type:{crime}" for crime in fields.types]
    found += [f"nationality:{victim.nationality}" for victim in fields.victims if victim.nationality is not None]
    found += [f"condition:{victim.condition}" for victim in fields.victims]
    return distinct(found)


def search_names(fields: IncidentReportFields) -> list[str]:
    """Return what a search finds the report by: its title and its place."""
    return distinct([fields.title, *([fields.place] if fields.place is not None else [])])
