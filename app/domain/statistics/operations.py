"""What came of joint operations, counted over those that the caller sees."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Literal

from pydantic import Field

from app.access.desk import Desk
from app.core import clock
from app.core.codes import Country, Currency
from app.core.dates import UtcDateTime
from app.core.shapes import Shape
from app.core.vocabulary import Vocabulary
from app.models.operation_vocabularies import SeizedKind
from app.models.vocabularies import CrimeType

_ROWS_MAX: Final = 10_000
_Rows = Sequence[Any]


class CountedBy(Vocabulary):
    """What operations are told apart by."""

    YEAR = "year", "The year in which their window began, in UTC."
    COUNTRY = "country", "The country of their area."
    CRIME_TYPE = "crime_type", "The crimes they are directed against; an operation against several counts for each."


class NationalityCount(Shape):
    """How many people of one nationality."""

    nationality: Country | None = Field(description="Their nationality; null where it was not known.")
    count: int = Field(ge=0, description="How many people.", examples=[12])


class SeizedValue(Shape):
    """What is seized, as money."""

    amount: str = Field(description="How much, exactly.", pattern=r"^[0-9]{1,40}(\.[0-9]{1,4})?$", examples=["50000"])
    currency: Currency = Field(description="Of which currency; currencies are never added up.")


class SeizedCount(Shape):
    """What was seized of one kind."""

    kind: SeizedKind = Field(description="What was seized.")
    quantity: int | None = Field(
        ge=0,
        le=2**63 - 1,
        description="How many pieces, of drugs how many grams; null where only values were given.",
        examples=[340],
    )
    values: list[SeizedValue] = Field(max_length=200, description="What it is worth, by currency.")


class OperationCounts(Shape):
    """What came of some operations."""

    key: str | None = Field(
        description="What they have in common: the year, country or crime; null for those that name none, and for all.",
        examples=["2026"],
    )
    operations: int = Field(ge=0, description="How many were completed.", examples=[3])
    arrested: int = Field(ge=0, description="How many people were arrested.", examples=[41])
    rescued: int = Field(ge=0, description="How many people were brought to safety.", examples=[17])
    arrested_by_nationality: list[NationalityCount] = Field(max_length=300, description="The arrested, by nationality.")
    rescued_by_nationality: list[NationalityCount] = Field(max_length=300, description="The rescued, by nationality.")
    seized: list[SeizedCount] = Field(max_length=len(SeizedKind), description="What was seized, by kind.")


class OperationStatistics(Shape):
    """What came of completed operations, over those that your agency sees at this moment."""

    scope: Literal["visible"] = Field(default="visible", description="Counted are the operations your agency sees.")
    by: CountedBy = Field(description="What they are told apart by.")
    counted_at: UtcDateTime = Field(description="When it was counted.")
    total: OperationCounts = Field(description="All of them, each counted once.")
    items: list[OperationCounts] = Field(max_length=_ROWS_MAX, description="By year, country or crime.")

    def rows(self) -> list[dict[str, Any]]:
        """The same as a table, a number in a row."""
        parts = [("total", self.total), *(("item", item) for item in self.items)]
        return [row for of, counts in parts for row in _rows_of(of, counts)]


async def count(
    desk: Desk, by: CountedBy, year: int | None, country: str | None, crime_type: CrimeType | None
) -> OperationStatistics:
    """Count the results of completed operations that the caller sees, of one year, country or crime if one is named."""
    rows = await desk.call(
        "operation_results",
        p_by=by.value,
        p_year=year,
        p_country=country,
        p_crime_type=None if crime_type is None else crime_type.value,
    )
    groups: dict[str | None, list[Any]] = defaultdict(list)
    for row in rows:
        if not row.whole:
            groups[row.key].append(row)
    return OperationStatistics(
        by=by,
        counted_at=clock.now(),
        total=_counts(None, [row for row in rows if row.whole]),
        items=[_counts(key, found) for key, found in groups.items()],
    )


def _counts(key: str | None, rows: _Rows) -> OperationCounts:
    arrested, rescued = _people(rows, "arrested"), _people(rows, "rescued")
    return OperationCounts(
        key=key,
        operations=sum(int(row.amount) for row in rows if row.measure == "operations"),
        arrested=sum(row.count for row in arrested),
        rescued=sum(row.count for row in rescued),
        arrested_by_nationality=arrested,
        rescued_by_nationality=rescued,
        seized=_seized(rows),
    )


def _people(rows: _Rows, measure: str) -> list[NationalityCount]:
    return [NationalityCount(nationality=row.category, count=int(row.amount)) for row in rows if row.measure == measure]


def _seized(rows: _Rows) -> list[SeizedCount]:
    quantities: Mapping[str, Decimal] = {row.category: row.amount for row in rows if row.measure == "seized"}
    values: dict[str, list[SeizedValue]] = defaultdict(list)
    for row in rows:
        if row.measure == "value":
            values[row.category].append(SeizedValue(amount=f"{row.amount:f}", currency=row.currency))
    return [
        SeizedCount(
            kind=kind, quantity=int(quantities[kind]) if kind in quantities else None, values=values.get(kind, [])
        )
        for kind in SeizedKind
        if kind in quantities or kind in values
    ]


def _rows_of(of: str, counts: OperationCounts) -> list[dict[str, Any]]:
    def row(
        measure: str, amount: int | str, category: str | None = None, currency: str | None = None
    ) -> dict[str, Any]:
        named = {"measure": measure, "category": category, "currency": currency, "amount": amount}
        return {"of": of, "key": counts.key, **named}

    rows = [row("operations", counts.operations), row("arrested", counts.arrested), row("rescued", counts.rescued)]
    rows += [row("arrested_by_nationality", each.count, each.nationality) for each in counts.arrested_by_nationality]
    rows += [row("rescued_by_nationality", each.count, each.nationality) for each in counts.rescued_by_nationality]
    for seized in counts.seized:
        if seized.quantity is not None:
            rows.append(row("seized", seized.quantity, seized.kind))
        rows += [row("seized_value", value.amount, seized.kind, value.currency) for value in seized.values]
    return rows
