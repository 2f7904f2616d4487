"""Incident reports in numbers over all of them: a fixed set of tables, published and frozen, the same for everybody.

Nothing is counted when somebody asks: the worker publishes, rounded, and an answer is what was published.
"""

from datetime import datetime
from typing import Final, Literal

from psycopg import sql
from pydantic import Field

from app.access.desk import Desk
from app.core.dates import UtcDateTime
from app.core.problems import INVALID_PARAMETER, Flaw, Problem
from app.core.shapes import Shape
from app.domain.statistics import figures
from app.domain.statistics.figures import DeclaredFigure
from app.domain.statistics.incidents import IncidentsBy, IncidentSelection

STEP: Final = 5
"""Every count is a multiple of this."""

_ROWS_MAX: Final = 10_000
_WITHIN_A_YEAR: Final = (
    IncidentsBy.COUNTRY,
    IncidentsBy.SUBDIVISION,
    IncidentsBy.TYPE,
    IncidentsBy.NATIONALITY,
    IncidentsBy.CONDITION,
    IncidentsBy.VERIFICATION,
)
TABLES: Final[dict[tuple[IncidentsBy, IncidentsBy | None], str]] = {
    (IncidentsBy.YEAR, None): "year",
    (IncidentsBy.MONTH, None): "month",
    **{(IncidentsBy.YEAR, side): side.value for side in _WITHIN_A_YEAR},
}
"""The published tables, by what they tell reports apart by."""

_LATEST: Final = sql.SQL(
    "SELECT as_of, published_at FROM statistics_publications"
    " WHERE %(as_of)s::timestamptz IS NULL OR as_of <= %(as_of)s ORDER BY as_of DESC LIMIT 1"
)
_CELLS: Final = sql.SQL(
    "SELECT c.key, c.then, c.reports FROM published_statistics s"
    ' CROSS JOIN LATERAL jsonb_to_recordset(s.cells) AS c (key text, "then" text, reports integer)'
    ' WHERE s.as_of = %(as_of)s AND s."table" = %(table)s ORDER BY c.key COLLATE "C", c.then COLLATE "C" NULLS FIRST'
)


class PublishedCount(Shape):
    """How many reports there are of one sort, about."""

    key: str = Field(description="The year or month in which they were reported.", examples=["2025"])
    then: str | None = Field(
        description="What they have in common besides; null for those that do not say it, and without `then_by`.",
        examples=["KH"],
    )
    reports: int = Field(
        ge=STEP,
        multiple_of=STEP,
        description="How many reports, rounded to a multiple of five: the number itself was at most four away when it "
        "was counted.",
        examples=[330],
    )


class CommunityStatistics(Shape):
    """Incident reports in numbers, over all reports on the hub, as they were published: the same for every agency."""

    scope: Literal["community"] = Field(default="community", description="Counted are all reports on the hub.")
    by: Literal[IncidentsBy.YEAR, IncidentsBy.MONTH] = Field(description="What they are told apart by.")
    then_by: IncidentsBy | None = Field(description="What they are told apart by within that.")
    as_of: UtcDateTime | None = Field(
        description="As of when these tables are: the latest publication, or the latest at the moment that was asked "
        "for. Null: there was none."
    )
    published_at: UtcDateTime | None = Field(description="When they were published; they never change.")
    items: list[PublishedCount] = Field(
        max_length=_ROWS_MAX,
        description="The table. What is not there is not reported, or so little that it is rounded away.",
    )
    declared: list[DeclaredFigure] = Field(
        max_length=figures.SHOWN,
        description="Official figures that are about no country and no nationality alone, as they stood at `as_of`.",
    )


async def published(
    desk: Desk, by: IncidentsBy, then_by: IncidentsBy | None, as_of: datetime | None
) -> CommunityStatistics:
    """A table of the latest publication, or of the latest one at a moment; 400 for one that is not published."""
    table = TABLES.get((by, then_by))
    if table is None:
        detail = f"Published are: {', '.join(_named(*pair) for pair in TABLES)}."
        raise Problem(INVALID_PARAMETER, errors=[Flaw("/query/by", "table-not-published", detail)])
    publications = await desk.rows(_LATEST, as_of=as_of)
    moment = publications[0].as_of if publications else None
    rows = await desk.rows(_CELLS, as_of=moment, table=table)
    return CommunityStatistics(
        by=by,
        then_by=then_by,
        as_of=moment,
        published_at=publications[0].published_at if publications else None,
        items=[PublishedCount(key=row.key, then=row.then, reports=row.reports) for row in rows],
        declared=[] if moment is None else await figures.about(desk, None, None, moment),
    )


def require_unfiltered(selection: IncidentSelection) -> None:
    """400 for a selection that narrows: what is published is the same for everybody."""
    named = selection.model_dump(exclude_none=True)
    if named:
        detail = "Leave it out: tables over all reports are published whole, and nobody narrows them."
        raise Problem(
            INVALID_PARAMETER, errors=[Flaw(f"/query/{name}", "filter-not-possible", detail) for name in named]
        )


def _named(by: IncidentsBy, then_by: IncidentsBy | None) -> str:
    return f"by={by}" if then_by is None else f"by={by}&then_by={then_by}"
