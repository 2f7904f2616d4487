"""`/v1/statistics/incident-reports`: what happened to people, in numbers."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.access.desk import Desk
from app.audit.trail import note
from app.domain.statistics import incidents
from app.domain.statistics.incidents import IncidentsBy, IncidentSelection, IncidentStatistics
from app.identity.roles import Permission
from app.web import answers
from app.web.callers import at_desk
from app.web.openapi import operation

router = APIRouter(prefix="/v1/statistics", tags=["Statistics"])

Reading = Annotated[Desk, at_desk(Permission.STATISTICS_READ)]


class IncidentStatisticsFilters(IncidentSelection):
    """What is counted, and what it is told apart by."""

    by: IncidentsBy = Field(IncidentsBy.YEAR, description="What reports are told apart by.")
    then_by: IncidentsBy | None = Field(None, description="What they are told apart by within that.")
    scope: Literal["visible"] = Field("visible", description="Counted are the reports your agency sees.")


@router.get(
    "/incident-reports",
    summary="Count incident reports",
    operation_id="count_incident_reports",
    **operation(IncidentStatistics, csv=True, etag=False),
)
async def count_reports(
    request: Request, desk: Reading, filters: Annotated[IncidentStatisticsFilters, Query()]
) -> Response:
    """Count the incident reports your agency sees, with official figures of the same country and nationality beside.

    Reported and confirmed are told apart, and unfounded ones are left out of `reports`. A report that was merged into
    another counts for those alone who do not see both. What is retracted, or carries a caveat that your agency has yet
    to acknowledge, is not counted. Rows by `type`, `nationality` or `condition` do not add up to `total`. In CSV there
    are the items alone.
    """
    selection = IncidentSelection(**{name: getattr(filters, name) for name in IncidentSelection.model_fields})
    counted = await incidents.count(desk, filters.by, filters.then_by, selection)
    detail = filters.model_dump(mode="json", exclude_none=True)
    await note(desk, "statistics.read", detail={"of": "incident-reports", **detail})
    if answers.accepts(request, answers.JSON, answers.CSV) == answers.CSV:
        return answers.table(request, [item.model_dump(mode="json") for item in counted.items], None)
    return answers.model(request, counted, headers={"Vary": "Accept, Accept-Encoding"})
