"""Incident reports in numbers: counted over those that the caller sees, beside what agencies declared officially."""

from datetime import date, datetime
from typing import Any, Final, Literal

from psycopg.types.json import Jsonb
from pydantic import Field

from app.access.desk import Desk
from app.core.codes import Country, Subdivision
from app.core.dates import UtcDateTime
from app.core.shapes import Shape
from app.core.vocabulary import Vocabulary
from app.domain.statistics import figures
from app.domain.statistics.figures import DeclaredFigure
from app.domain.statistics.knowledge import Knowledge
from app.models.incident_vocabularies import Verification, VictimCondition
from app.models.vocabularies import CrimeType

_ROWS_MAX: Final = 10_000


class IncidentsBy(Vocabulary):
    """What reports are told apart by."""

    YEAR = "year", "The year in which they were reported."
    MONTH = "month", "The month in which they were reported."
    COUNTRY = "country", "Where it happened."
    SUBDIVISION = "subdivision", "The province where it happened."
    TYPE = "type", "The crimes they are about; a report of several counts for each."
    NATIONALITY = "nationality", "The victims' nationality; a report with several counts for each."
    CONDITION = "condition", "How the victims are; a report with several victims may count for several."
    VERIFICATION = "verification", "Whether they are known to be true."


class IncidentSelection(Shape):
    """Which reports are counted; several conditions narrow together."""

    reported_from: date | None = Field(None, description="Reported on this day or later.")
    reported_to: date | None = Field(None, description="Reported on this day or before.")
    country: Country | None = Field(None, description="What happened in this country.")
    subdivision: Subdivision | None = Field(None, description="What happened in this province.")
    type: CrimeType | None = Field(None, description="Reports of this crime.")
    nationality: Country | None = Field(None, description="Victims of this nationality.")
    condition: VictimCondition | None = Field(None, description="Victims in this condition.")
    verification: Verification | None = Field(None, description="Reports that are known to be so.")


class IncidentCounts(Shape):
    """How many reports and victims there are of one sort."""

    key: str | None = Field(
        description="What they have in common; null for those that do not say it, and for the total.", examples=["2025"]
    )
    then: str | None = Field(description="The same of `then_by`.", examples=["confirmed"])
    reports: int = Field(ge=0, description="Reports that are not unfounded.", examples=[330])
    confirmed: int = Field(ge=0, description="How many of them are confirmed; the others are reported.", examples=[212])
    unfounded: int = Field(ge=0, description="Reports that proved unfounded, which `reports` leaves out.", examples=[9])
    victims: int = Field(ge=0, description="Victims in `reports`, as far as they were told one by one.", examples=[341])


class IncidentStatistics(Shape):
    """Incident reports in numbers, over those that your agency sees."""

    scope: Literal["visible"] = Field(default="visible", description="Counted are the reports your agency sees.")
    by: IncidentsBy = Field(description="What they are told apart by.")
    then_by: IncidentsBy | None = Field(description="What they are told apart by within that.")
    as_of: UtcDateTime | None = Field(description="As of when it was asked for; null: as of now.")
    counted_at: UtcDateTime = Field(description="The last moment whose changes are counted: now, or `as_of`.")
    settled: bool = Field(
        description="Whether the same question will have this answer for ever, as long as your agency sees the same "
        "reports without a break: what was known then is known. False without `as_of`, and until it has passed."
    )
    total: IncidentCounts = Field(description="All of them, each counted once.")
    items: list[IncidentCounts] = Field(
        max_length=_ROWS_MAX, description="By what was asked. What has no report is not there: nothing is said of it."
    )
    declared: list[DeclaredFigure] = Field(
        max_length=figures.SHOWN,
        description="Official figures of the country and nationality that were asked for, by their periods: declared "
        "beside what is counted, never added to it.",
    )


async def count(
    desk: Desk,
    by: IncidentsBy,
    then_by: IncidentsBy | None,
    selection: IncidentSelection,
    as_of: datetime | None = None,
) -> IncidentStatistics:
    """Count the reports that the caller sees and may read; those merged into another that is counted are left out.

    As of a moment, these are the reports that it sees now and has seen since then, in the words in which they stood.
    """
    knowledge = Knowledge.at(as_of)
    filters = Jsonb(selection.model_dump(mode="json", exclude_none=True))
    asked = {"p_filters": filters, "p_at": as_of}
    rows = await desk.call("count_incidents", p_by=by.value, p_then=then_by and then_by.value, **asked)
    (total,) = await desk.call("count_incidents", p_by=None, p_then=None, **asked) or [None]
    return IncidentStatistics(
        by=by,
        then_by=then_by,
        as_of=as_of,
        counted_at=knowledge.counted_at,
        settled=knowledge.settled,
        total=_counts(total),
        items=[_counts(row) for row in rows],
        declared=await figures.about(desk, selection.country, selection.nationality, as_of),
    )


def _counts(row: Any) -> IncidentCounts:  # noqa: ANN401 - a row of the function; None where there is nothing
    if row is None:
        return IncidentCounts(key=None, then=None, reports=0, confirmed=0, unfounded=0, victims=0)
    return IncidentCounts(
        key=row.key,
        then=row.then,
        reports=row.reports,
        confirmed=row.confirmed,
        unfounded=row.unfounded,
        victims=row.victims,
    )
