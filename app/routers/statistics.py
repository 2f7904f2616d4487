"""`/v1/statistics/…`: numbers counted over records."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.access.desk import Desk
from app.audit.trail import note
from app.core.codes import Country
from app.core.shapes import Shape
from app.domain.statistics import operations
from app.domain.statistics.operations import CountedBy, OperationStatistics
from app.identity.roles import Permission
from app.models.vocabularies import CrimeType
from app.web import answers
from app.web.callers import at_desk
from app.web.openapi import operation

router = APIRouter(prefix="/v1/statistics", tags=["Statistics"])

Reading = Annotated[Desk, at_desk(Permission.STATISTICS_READ)]


class OperationStatisticsFilters(Shape):
    """What is counted, and what it is told apart by."""

    by: CountedBy = Field(CountedBy.YEAR, description="What operations are told apart by.")
    scope: Literal["visible"] = Field("visible", description="Counted are the operations your agency sees.")
    year: int | None = Field(None, ge=1900, le=9999, description="Operations whose window began in this year, UTC.")
    country: Country | None = Field(None, description="Operations whose area lies in this country.")
    crime_type: CrimeType | None = Field(None, description="Operations against this crime.")


@router.get(
    "/operations",
    summary="Count what came of operations",
    operation_id="count_joint_operations",
    **operation(OperationStatistics, csv=True, etag=False),
)
async def count_operations(
    request: Request, desk: Reading, filters: Annotated[OperationStatisticsFilters, Query()]
) -> Response:
    """Count the completed operations your agency sees: whom they arrested, whom they rescued, and what they seized.

    Counted is what the agencies recorded as the outcome, each its own part; what nobody recorded is not there. An
    operation against several crimes counts for each of them, so the rows by `crime_type` do not add up to `total`. One
    that is retracted, or whose caveat your agency has yet to acknowledge, is not counted. In CSV a row is a number.
    """
    counted = await operations.count(desk, filters.by, filters.year, filters.country, filters.crime_type)
    detail = filters.model_dump(mode="json", exclude_none=True)
    await note(desk, "statistics.read", detail={"of": "operations", **detail})
    if answers.accepts(request, answers.JSON, answers.CSV) == answers.CSV:
        return answers.table(request, counted.rows(), None)
    return answers.model(request, counted, headers={"Vary": "Accept, Accept-Encoding"})
