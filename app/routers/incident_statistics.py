"""`/v1/statistics/incident-reports`: what happened to people, in numbers and drawn."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from typing_extensions import TypeAliasType

from app.access.desk import Desk
from app.audit.trail import note
from app.core import svg
from app.domain.statistics import community, incident_plot, incidents
from app.domain.statistics.community import CommunityStatistics
from app.domain.statistics.incidents import IncidentsBy, IncidentSelection, IncidentStatistics
from app.domain.statistics.knowledge import AsOf
from app.identity.roles import Permission
from app.web import answers
from app.web.callers import at_desk
from app.web.openapi import operation
from app.web.pages import DRAWING_POLICY

router = APIRouter(prefix="/v1/statistics", tags=["Statistics"])

Reading = Annotated[Desk, at_desk(Permission.STATISTICS_READ)]
CountedIncidents = TypeAliasType(
    "CountedIncidents",
    Annotated[IncidentStatistics | CommunityStatistics, Field(description="As your agency sees it, or as published.")],
)
Plot = TypeAliasType(
    "Plot", Annotated[str, Field(description="An SVG document; it holds no script and loads nothing.")]
)


class IncidentPlotFilters(IncidentSelection):
    """What is drawn, and as of when."""

    scope: Literal["visible", "community"] = Field(
        "visible",
        description="`visible`: the reports your agency sees. `community`: all reports, as tables that are published "
        "and rounded; the filters are not possible then.",
    )
    as_of: AsOf | None = Field(None, description="As of when: what was known then. Now, if it is left out.")


class IncidentStatisticsFilters(IncidentPlotFilters):
    """What is counted, what it is told apart by, and as of when."""

    by: IncidentsBy = Field(IncidentsBy.YEAR, description="What reports are told apart by.")
    then_by: IncidentsBy | None = Field(None, description="What they are told apart by within that.")


@router.get(
    "/incident-reports",
    summary="Count incident reports",
    operation_id="count_incident_reports",
    **operation(CountedIncidents, csv=True, etag=False),
)
async def count_reports(
    request: Request, desk: Reading, filters: Annotated[IncidentStatisticsFilters, Query()]
) -> Response:
    """Count incident reports: those your agency sees, or all of them as published, with official figures beside.

    Reported and confirmed are told apart, and unfounded ones are left out of `reports`. A report that was merged into
    another is left out where your agency counts the other. What is retracted, or carries a caveat that your agency has
    yet to acknowledge, is not counted. Rows by `type`, `nationality` or `condition` do not add up to `total`. With
    `as_of`, the reports count that your agency sees now and has seen since then, as they stood: whatever was corrected,
    verified, merged or retracted later changes nothing. In CSV there are the items alone.

    With `scope=community` the answer is a table over all reports on the hub, published once a month, rounded to
    multiples of five and frozen. There are tables `by=month`, `by=year`, and by year with `then_by` of `country`,
    `subdivision`, `type`, `nationality`, `condition` or `verification`, and no filters. A report counts there for the
    crime it names first, for `several` where its victims have several nationalities, and for the gravest condition.
    """
    selection = _selection(filters)
    counted: IncidentStatistics | CommunityStatistics
    if filters.scope == "community":
        community.require_unfiltered(selection)
        counted = await community.published(desk, filters.by, filters.then_by, filters.as_of)
    else:
        counted = await incidents.count(desk, filters.by, filters.then_by, selection, filters.as_of)
    await _note(desk, filters)
    if answers.accepts(request, answers.JSON, answers.CSV) == answers.CSV:
        return answers.table(request, [item.model_dump(mode="json") for item in counted.items], None)
    return answers.model(request, counted, headers={"Vary": "Accept, Accept-Encoding"})


@router.get(
    "/incident-reports.svg",
    summary="Draw incident reports",
    operation_id="draw_incident_reports",
    **operation(Plot, media_type=svg.MEDIA_TYPE, etag=False),
)
async def draw_reports(desk: Reading, filters: Annotated[IncidentPlotFilters, Query()]) -> Response:
    """Draw the reports of each year beside what agencies declared officially of the same country and nationality.

    A year for which nothing was declared, or for which it was said that no figure was given, is drawn as a gap that
    says so, and never as zero.
    """
    selection = _selection(filters)
    if filters.scope == "community":
        community.require_unfiltered(selection)
        drawn = incident_plot.of_community(await community.published(desk, IncidentsBy.YEAR, None, filters.as_of))
    else:
        counted = await incidents.count(desk, IncidentsBy.YEAR, None, selection, filters.as_of)
        drawn = incident_plot.of_visible(counted, selection)
    await _note(desk, filters)
    return Response(drawn, headers={"Content-Security-Policy": DRAWING_POLICY}, media_type=svg.MEDIA_TYPE)


def _selection(filters: IncidentPlotFilters) -> IncidentSelection:
    return IncidentSelection(**{name: getattr(filters, name) for name in IncidentSelection.model_fields})


async def _note(desk: Desk, filters: IncidentPlotFilters) -> None:
    detail = filters.model_dump(mode="json", exclude_none=True)
    await note(desk, "statistics.read", detail={"of": "incident-reports", **detail})
