"""What follows from an operation: an incident report on the rescued, a repatriation request for the arrested."""

from typing import Any, Final

from pydantic import Field

from app.access.handling import HandlingIn
from app.core import clock
from app.core.codes import AgencyCode, Country
from app.core.dates import CalendarDate, UtcDateTime
from app.core.problems import CONFLICT, Problem
from app.core.shapes import Shape
from app.core.text import Line, Narrative
from app.domain.joint_operations.plans import KIND, content_of
from app.models.repatriation_vocabularies import LegalAct, RepatriationPriority
from app.records.shelf import Stored

_VICTIMS_MAX: Final = 1_000


class RescueReportIn(Shape):
    """How the people that your agency brought to safety are to be reported. Nothing of the plan's own words goes in."""

    title: Line = Field(default="People brought to safety", description="The report in a line, without names.")
    reported_on: CalendarDate = Field(
        default_factory=lambda: clock.now().date(), description="When it was reported; today if left out."
    )
    place: Line | None = Field(default=None, description="What the place is called, if your report is to say it.")
    narrative: Narrative | None = Field(default=None, description="What happened, in whole sentences.")
    external_id: Line | None = Field(
        default=None, description="Your own number for the report, unique for your agency.", examples=["2026-1203"]
    )
    handling: HandlingIn = Field(
        default_factory=HandlingIn, description="Under which rules the report is shared; with nobody if left out."
    )


def rescue_report(stored: Stored, sent: RescueReportIn, agency: str) -> dict[str, Any]:
    """The body of an incident report on the people whom an agency counted as rescued, linked to the operation.

    One victim for each, with the nationality that was counted and in safety. 409 if it counted none, more than a
    report can name, or if the plan names no country or crime.
    """
    content = content_of(stored)
    rescued = [row for row in content.outcome.rescued if row.agency == agency] if content.outcome else []
    count = sum(row.count for row in rescued)
    if not 0 < count <= _VICTIMS_MAX:
        said = "no people" if count == 0 else f"{count} people"
        detail = f"Your agency counted {said} as rescued; a report is about 1 to {_VICTIMS_MAX}."
        raise Problem(CONFLICT, detail=detail)
    if content.area is None or content.area.country is None or not content.crime_types:
        raise Problem(CONFLICT, detail="The plan names no country, or no crime: write the report by hand.")
    safe = {"condition": "safe"}
    return {
        "title": sent.title,
        "types": [crime.value for crime in content.crime_types],
        "reported_on": sent.reported_on.isoformat(),
        "reported_by": "police",
        "country": content.area.country,
        "subdivision": content.area.subdivision,
        "place": sent.place,
        "narrative": sent.narrative,
        "victims": [{"nationality": row.nationality, **safe} for row in rescued for _ in range(row.count)],
        "external_id": sent.external_id,
        "handling": sent.handling.model_dump(mode="json"),
        "links": [{"type": "related_to", "kind": KIND.value, "id": str(stored.envelope.id)}],
    }


class ArrestRequestIn(Shape):
    """For whom of the arrested your agency asks, and of whom. Nothing of the plan's own words goes in."""

    nationality: Country = Field(description="Nationality of those it is for, as it was counted.", examples=["KR"])
    arrested_by: AgencyCode = Field(description="The participant that counted them.", examples=["KH-CNP"])
    requested_agency: AgencyCode | None = Field(
        default=None, description="The agency that is asked; the one that arrested them if left out."
    )
    legal_act: LegalAct = Field(default=LegalAct.DEPORTATION, description="By which act they are to come.")
    to_country: Country | None = Field(
        default=None, description="Where they are to go; to the country of that nationality if left out."
    )
    priority: RepatriationPriority = Field(default=RepatriationPriority.ROUTINE, description="How urgent it is.")
    due_at: UtcDateTime | None = Field(default=None, description="By when; null without a date.")
    narrative: Narrative | None = Field(
        default=None, description="What both sides have to know; how many were arrested, and by whom, if left out."
    )
    external_id: Line | None = Field(
        default=None, description="Your own number for the request, unique for your agency.", examples=["2026-2209"]
    )
    handling: HandlingIn = Field(
        default_factory=HandlingIn, description="Under which rules it is shared; with its parties alone if left out."
    )


def arrest_request(stored: Stored, sent: ArrestRequestIn) -> dict[str, Any]:
    """The body of a request for suspects whom a participant counted as arrested, linked to the operation.

    409 if that agency counted nobody of that nationality, or if the plan names no country.
    """
    content = content_of(stored)
    arrested = content.outcome.arrested if content.outcome else []
    count = sum(row.count for row in arrested if (row.agency, row.nationality) == (sent.arrested_by, sent.nationality))
    if count == 0:
        detail = f"{sent.arrested_by} counted nobody of {sent.nationality} as arrested."
        raise Problem(CONFLICT, detail=detail)
    if content.area is None or content.area.country is None:
        raise Problem(CONFLICT, detail="The plan names no country: write the request by hand.")
    people = "1 person" if count == 1 else f"{count} people"
    return {
        "category": "suspect",
        "legal_act": sent.legal_act.value,
        "requested_agency": sent.requested_agency or sent.arrested_by,
        "from_country": content.area.country,
        "to_country": sent.to_country or sent.nationality,
        "priority": sent.priority.value,
        "due_at": None if sent.due_at is None else clock.rfc3339(sent.due_at),
        "narrative": sent.narrative or f"{people} of {sent.nationality}, arrested by {sent.arrested_by}.",
        "external_id": sent.external_id,
        "handling": sent.handling.model_dump(mode="json"),
        "links": [{"type": "operation", "kind": KIND.value, "id": str(stored.envelope.id)}],
    }
