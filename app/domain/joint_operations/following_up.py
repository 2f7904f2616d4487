"""What follows from an operation: the people an agency brought to safety, as the content of an incident report."""

from typing import Any, Final

from pydantic import Field

from app.access.handling import HandlingIn
from app.core import clock
from app.core.dates import CalendarDate
from app.core.problems import CONFLICT, Problem
from app.core.shapes import Shape
from app.core.text import Line, Narrative
from app.domain.joint_operations.plans import KIND, content_of
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
