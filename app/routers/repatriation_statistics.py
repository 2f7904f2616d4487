"""`/v1/statistics/repatriations`: how people came home, in numbers."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.access.desk import Desk
from app.audit.trail import note
from app.domain.statistics import repatriations
from app.domain.statistics.knowledge import AsOf
from app.domain.statistics.repatriations import RepatriationsBy, RepatriationSelection, RepatriationStatistics
from app.identity.roles import Permission
from app.web import answers
from app.web.callers import at_desk
from app.web.openapi import operation

router = APIRouter(prefix="/v1/statistics", tags=["Statistics"])

Reading = Annotated[Desk, at_desk(Permission.STATISTICS_READ)]


class RepatriationStatisticsFilters(RepatriationSelection):
    """What is counted, what it is told apart by, and as of when."""

    by: RepatriationsBy = Field(RepatriationsBy.STATE, description="What requests are told apart by.")
    scope: Literal["visible"] = Field("visible", description="Counted are the requests your agency sees.")
    as_of: AsOf | None = Field(None, description="As of when: what was known then. Now, if it is left out.")


@router.get(
    "/repatriations",
    summary="Count repatriation requests",
    operation_id="count_repatriations",
    **operation(RepatriationStatistics, csv=True, etag=False),
)
async def count_repatriations(
    request: Request, desk: Reading, filters: Annotated[RepatriationStatisticsFilters, Query()]
) -> Response:
    """Count the repatriation requests your agency sees, and the days that each step took.

    Days are told as their median and 90th percentile, over the steps that were taken: a request that still waits for
    one is not in its number. Time on hold stands apart and lengthens no step. A request that was returned to
    `submitted` goes its way again, and each time counts. Of a request that was shown to your agency later, the steps
    from before are not counted. What is retracted, or carries a caveat that your agency has yet to acknowledge, is not
    counted at all. With `as_of`, the requests count that your agency sees now and has seen since then, as they stood.
    In CSV a row is a number, or the days of a step.
    """
    selection = RepatriationSelection(**{name: getattr(filters, name) for name in RepatriationSelection.model_fields})
    counted = await repatriations.count(desk, filters.by, selection, filters.as_of)
    detail = filters.model_dump(mode="json", exclude_none=True)
    await note(desk, "statistics.read", detail={"of": "repatriations", **detail})
    if answers.accepts(request, answers.JSON, answers.CSV) == answers.CSV:
        return answers.table(request, list(counted.rows()), None)
    return answers.model(request, counted, headers={"Vary": "Accept, Accept-Encoding"})
