"""Declared figures: what an agency says officially, with its source, whether or not the records are here.

A figure is not changed: it is withdrawn, and another one declared. A year for which nothing was declared is missing;
one for which it was said that no figure was given has a figure without a value. Neither is zero.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Self
from uuid import UUID

from psycopg import sql
from pydantic import Field, Strict, model_validator

from app.access.desk import Desk
from app.core import clock
from app.core.codes import AgencyCode, Country
from app.core.dates import CalendarDate, PartialDate, UtcDateTime, partial_dates_in_order
from app.core.ids import uuid7
from app.core.places import NEWEST, Place
from app.core.problems import CONFLICT, FORBIDDEN, Flaw, Problem, not_found
from app.core.shapes import Shape, refuse
from app.core.text import Line, LongLine, Paragraph
from app.domain.statistics.knowledge import AsOf

SHOWN: Final = 500
"""Figures that stand beside what is counted, at most."""

# As they stood at a moment: one that was withdrawn later was not withdrawn then.
_COLUMNS = (
    "id, agency, series, country, nationality, period_from, period_to, value, source, published_on, note, created_at,"
    " CASE WHEN %(as_of)s::timestamptz IS NULL OR withdrawn_at <= %(as_of)s THEN withdrawn_at END AS withdrawn_at"
)
_STANDING = (
    "(withdrawn_at IS NULL OR withdrawn_at > %(as_of)s::timestamptz)"
    " AND (%(as_of)s::timestamptz IS NULL OR created_at <= %(as_of)s)"
)
_PAGE = sql.SQL(
    f"SELECT {_COLUMNS} FROM declared_figures WHERE (created_at, id) < (%(at)s, %(last)s)"  # noqa: S608 - a constant
    " AND (%(agency)s::text IS NULL OR agency = %(agency)s) AND (%(series)s::text IS NULL OR series = %(series)s)"
    " AND (%(country)s::text IS NULL OR country = %(country)s)"
    " AND (%(nationality)s::text IS NULL OR nationality = %(nationality)s)"
    " AND (%(as_of)s::timestamptz IS NULL OR created_at <= %(as_of)s)"
    f" AND (%(withdrawn)s OR {_STANDING}) ORDER BY created_at DESC, id DESC LIMIT %(limit)s"
)
_ABOUT = sql.SQL(
    f"SELECT {_COLUMNS} FROM declared_figures WHERE {_STANDING}"  # noqa: S608 - constants
    " AND country IS NOT DISTINCT FROM %(country)s AND nationality IS NOT DISTINCT FROM %(nationality)s"
    " ORDER BY series, agency, period_from, period_to, id LIMIT %(limit)s"
)
_ONE = sql.SQL(f"SELECT {_COLUMNS} FROM declared_figures WHERE id = %(id)s")  # noqa: S608 - a constant


class FigureIn(Shape):
    """An official figure of your agency."""

    series: Line = Field(description="What is counted, in words.", examples=["Koreans detained in Cambodia, reports"])
    country: Country | None = Field(default=None, description="The country that it is about, if it is about one.")
    nationality: Country | None = Field(default=None, description="Whom it counts, if they have one nationality.")
    period_from: PartialDate = Field(description="Where the period begins: a year, month or day.")
    period_to: PartialDate = Field(description="Where the period ends; the same for one year, month or day.")
    value: Annotated[int, Strict(), Field(ge=0, le=10**9)] | None = Field(
        description="The figure; null says that none was given for the period.", examples=[330]
    )
    source: LongLine = Field(description="Who said it, where.", examples=["Police briefing of 16 October 2025"])
    published_on: CalendarDate = Field(description="When it was published.")
    note: Paragraph | None = Field(default=None, description="What else is to be known about it.")

    @model_validator(mode="after")
    def _period_is_in_order(self) -> Self:
        if not partial_dates_in_order(self.period_from, self.period_to):
            refuse("FigureIn", [Flaw("/period_to", "dates-reversed", "Set period_to on or after period_from.")])
        return self


class DeclaredFigure(Shape):
    """An official figure, with its source."""

    id: UUID = Field(description="The figure's id.")
    agency: AgencyCode = Field(description="Which agency declared it.", examples=["KR-KNPA"])
    series: Line = Field(description="What is counted, in words.")
    country: Country | None = Field(description="The country that it is about, if it is about one.")
    nationality: Country | None = Field(description="Whom it counts, if they have one nationality.")
    period_from: PartialDate = Field(description="Where the period begins.")
    period_to: PartialDate = Field(description="Where the period ends.")
    value: int | None = Field(ge=0, description="The figure; null: none was given for the period.", examples=[330])
    source: LongLine = Field(description="Who said it, where.")
    published_on: CalendarDate = Field(description="When it was published.")
    note: Paragraph | None = Field(description="What else is to be known about it.")
    declared_at: UtcDateTime = Field(description="When it was declared here.")
    withdrawn_at: UtcDateTime | None = Field(description="When it was withdrawn; null while it stands.")


class FigureSelection(Shape):
    """What a list of figures can be narrowed by."""

    agency: AgencyCode | None = Field(None, description="Figures of this agency.")
    series: Line | None = Field(None, description="Figures of what is counted under exactly this name.")
    country: Country | None = Field(None, description="Figures about this country.")
    nationality: Country | None = Field(None, description="Figures that count people of this nationality.")
    withdrawn: Annotated[bool, Strict(strict=False)] = Field(
        default=False, description="`true`: those that were withdrawn, too."
    )
    as_of: AsOf | None = Field(
        None, description="Figures as they stood then: with those withdrawn since, and without those declared since."
    )


async def declare(desk: Desk, sent: FigureIn) -> DeclaredFigure:
    """Declare a figure for the caller's agency; 409 if one of the same series, subject and period stands."""
    figure_id = uuid7()
    row = await desk.call_one(
        "declare_figure",
        p_id=figure_id,
        p_series=sent.series,
        p_country=sent.country,
        p_nationality=sent.nationality,
        p_from=sent.period_from,
        p_to=sent.period_to,
        p_value=sent.value,
        p_source=sent.source,
        p_published_on=sent.published_on,
        p_note=sent.note,
        p_at=clock.now(),
    )
    if row.outcome == "taken":
        detail = "Your agency has a figure of this series for this period already: withdraw it first."
        raise Problem(CONFLICT, detail=detail)
    return await one(desk, figure_id)


async def withdraw(desk: Desk, figure: DeclaredFigure) -> None:
    """Withdraw a figure; 403 for another agency's, 409 for one that is withdrawn."""
    if figure.agency != desk.caller.agency:
        raise Problem(FORBIDDEN, detail="Only the agency that declared this figure may withdraw it.")
    row = await desk.call_one("withdraw_figure", p_id=figure.id)
    if row.outcome != "withdrawn":
        raise Problem(CONFLICT, detail="The figure is withdrawn already.")


async def listed(desk: Desk, selection: FigureSelection, after: Place | None, limit: int) -> Sequence[DeclaredFigure]:
    """Figures of all agencies, the latest declared first."""
    at, last = after or NEWEST
    rows = await desk.rows(_PAGE, **selection.model_dump(), at=at, last=last, limit=limit)
    return [_figure(row) for row in rows]


async def about(
    desk: Desk, country: str | None, nationality: str | None, as_of: datetime | None
) -> list[DeclaredFigure]:
    """Figures about exactly this country and nationality that stand, or stood then, by series and period."""
    rows = await desk.rows(_ABOUT, country=country, nationality=nationality, as_of=as_of, limit=SHOWN)
    return [_figure(row) for row in rows]


async def one(desk: Desk, figure_id: UUID | None) -> DeclaredFigure:
    """One figure; 404 if there is none."""
    rows = await desk.rows(_ONE, id=figure_id, as_of=None)
    if not rows:
        raise not_found()
    return _figure(rows[0])


def _figure(row: Any) -> DeclaredFigure:  # noqa: ANN401 - a row of _COLUMNS
    fields = {name: getattr(row, name) for name in DeclaredFigure.model_fields if name != "declared_at"}
    return DeclaredFigure(**fields, declared_at=row.created_at)
