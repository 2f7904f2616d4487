"""Repatriation requests in numbers: how many there are, what became of them, and how many days each step took."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Literal

from psycopg.types.json import Jsonb
from pydantic import Field

from app.access.desk import Desk
from app.core.codes import Country
from app.core.dates import UtcDateTime
from app.core.shapes import Shape
from app.core.vocabulary import Vocabulary
from app.domain.statistics.knowledge import Knowledge
from app.models.repatriation_vocabularies import LegalAct, RepatriationCategory, RepatriationState

_ROWS_MAX: Final = 10_000


class RepatriationsBy(Vocabulary):
    """What requests are told apart by."""

    STATE = "state", "How far they have come."
    CATEGORY = "category", "Who is to come home."
    LEGAL_ACT = "legal_act", "By which act."
    COUNTRIES = "countries", "From where to where, as `KH>KR`."
    PRIORITY = "priority", "How urgent they are."


class RepatriationSelection(Shape):
    """Which requests are counted; several conditions narrow together."""

    category: RepatriationCategory | None = Field(None, description="Requests for these people.")
    legal_act: LegalAct | None = Field(None, description="Requests by this act.")
    from_country: Country | None = Field(None, description="Requests for people in this country.")
    to_country: Country | None = Field(None, description="Requests for people who go to this country.")
    since: date | None = Field(None, description="First submitted on this day or later, in UTC.")
    until: date | None = Field(None, description="First submitted on this day or before, in UTC.")


class RepatriationCounts(Shape):
    """How many requests there are of one sort."""

    key: str | None = Field(description="What they have in common; null for the total.", examples=["KH>KR"])
    requests: int = Field(ge=0, description="Requests of every state, drafts of your own among them.", examples=[12])
    under_way: int = Field(ge=0, description="Submitted, and neither on hold nor at an end.", examples=[5])
    on_hold: int = Field(ge=0, description="On hold.", examples=[1])
    handed_over: int = Field(ge=0, description="Handed over, closed since or not.", examples=[4])
    declined: int = Field(ge=0, description="Declined.", examples=[1])
    withdrawn: int = Field(ge=0, description="Withdrawn.", examples=[1])


class StepDays(Shape):
    """How many days a step took, for those that took it; who is still in the state is not counted."""

    from_state: RepatriationState | None = Field(
        description="The state they were in; null for the whole way.", examples=["submitted"]
    )
    to_state: RepatriationState | None = Field(
        description="The state that came after it; null for the whole way.", examples=["acknowledged"]
    )
    number: int = Field(
        ge=0, description="How often the step was taken; a request that was returned can take one again.", examples=[9]
    )
    median_days: float | None = Field(
        ge=0,
        description="The median of days that it took, without those on hold; null where nobody took it.",
        examples=[1.25],
    )
    p90_days: float | None = Field(
        ge=0,
        description="The 90th percentile of these days: nine of ten took no longer. Both are interpolated between "
        "neighbours, as PostgreSQL's percentile_cont does.",
        examples=[4.5],
    )
    held: int = Field(ge=0, description="How many of them were on hold on the way.", examples=[1])
    held_median_days: float | None = Field(ge=0, description="The median of their days on hold.", examples=[12.0])
    held_p90_days: float | None = Field(ge=0, description="The 90th percentile of their days on hold.", examples=[12.0])


class RepatriationStatistics(Shape):
    """Repatriation requests in numbers, over those that your agency sees."""

    scope: Literal["visible"] = Field(default="visible", description="Counted are the requests your agency sees.")
    by: RepatriationsBy = Field(description="What they are told apart by.")
    as_of: UtcDateTime | None = Field(description="As of when it was asked for; null: as of now.")
    counted_at: UtcDateTime = Field(description="The last moment whose changes are counted: now, or `as_of`.")
    settled: bool = Field(
        description="Whether the same question will have this answer for ever, as long as your agency sees the same "
        "requests without a break. False without `as_of`, and until it has passed."
    )
    total: RepatriationCounts = Field(description="All of them.")
    items: list[RepatriationCounts] = Field(
        max_length=_ROWS_MAX, description="By what was asked. What has no request is not there."
    )
    steps: list[StepDays] = Field(
        max_length=_ROWS_MAX, description="Each step from one state to the next, over all requests that are counted."
    )
    whole_way: StepDays = Field(description="From the first submission to the last handover.")

    def rows(self) -> Iterator[dict[str, Any]]:
        """The numbers as rows of a table: requests by what was asked, then the days of each step and of the whole."""
        for counts in [self.total, *self.items]:
            told = counts.model_dump(mode="json")
            for name in (name for name in told if name != "key"):
                if told[name]:
                    yield {"key": counts.key, "what": name, "number": told[name]}
        for step in [*self.steps, self.whole_way]:
            way = "whole_way" if step.from_state is None else f"{step.from_state}>{step.to_state}"
            yield {"key": way, "what": "days", **step.model_dump(mode="json", exclude={"from_state", "to_state"})}


async def count(
    desk: Desk, by: RepatriationsBy, selection: RepatriationSelection, as_of: datetime | None
) -> RepatriationStatistics:
    """Count the requests that the caller sees and may read, and the days of their steps, as far as it has seen them.

    As of a moment, these are the requests that it sees now and has seen since then, as they stood.
    """
    knowledge = Knowledge.at(as_of)
    asked = {"p_filters": Jsonb(selection.model_dump(mode="json", exclude_none=True)), "p_at": as_of}
    rows = await desk.call("count_repatriations", p_by=by.value, **asked)
    (total,) = await desk.call("count_repatriations", p_by=None, **asked) or [None]
    days = await desk.call("repatriation_days", **asked)
    whole = next((row for row in days if row.from_state is None), None)
    order = list(RepatriationState)
    steps = [_days(row) for row in days if row.from_state is not None]
    steps.sort(key=lambda step: (order.index(step.from_state or order[0]), order.index(step.to_state or order[0])))
    return RepatriationStatistics(
        by=by,
        as_of=as_of,
        counted_at=knowledge.counted_at,
        settled=knowledge.settled,
        total=_counts(total),
        items=[_counts(row) for row in rows],
        steps=steps,
        whole_way=_days(whole),
    )


def _counts(row: Any) -> RepatriationCounts:  # noqa: ANN401 - a row of the function; None where there is nothing
    numbers = {name: 0 for name in RepatriationCounts.model_fields if name != "key"}
    if row is None:
        return RepatriationCounts(key=None, **numbers)
    return RepatriationCounts(key=row.key, **{name: getattr(row, name) for name in numbers})


def _days(row: Any) -> StepDays:  # noqa: ANN401 - a row of the function; None where nobody went the way
    if row is None:
        row_fields: dict[str, Any] = dict.fromkeys(StepDays.model_fields)
        return StepDays(**{**row_fields, "number": 0, "held": 0})
    return StepDays(**{name: _plain(getattr(row, name)) for name in StepDays.model_fields})


def _plain(value: Any) -> Any:  # noqa: ANN401 - a column
    return float(value) if isinstance(value, Decimal) else value
