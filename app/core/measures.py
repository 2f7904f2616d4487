"""Amounts and places: what needs two values to mean anything."""

import re
from decimal import Decimal
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, Strict, WithJsonSchema
from pydantic_core import PydanticCustomError

from app.core.codes import Currency
from app.core.shapes import Shape

_AMOUNT: Final = r"[0-9]{1,14}(\.[0-9]{1,4})?"
_AMOUNT_BOUND: Final = 10**14
_AMOUNT_CHARS: Final = 19

_amount = re.compile(_AMOUNT)
_amount_error = PydanticCustomError(
    "amount-invalid",
    "Write an amount as a string of digits with at most 14 before and 4 after the point, for example 1250.50.",
)


def _read_amount(value: object) -> Decimal:
    # A number is taken through its shortest decimal form: 0.1 means 0.1, not the binary fraction nearest to it.
    if isinstance(value, float) and value.is_integer() and 0 <= value < _AMOUNT_BOUND:
        value = int(value)
    if (
        isinstance(value, bool)
        or not isinstance(value, str | int | float | Decimal)
        or not _amount.fullmatch(str(value))
    ):
        raise _amount_error
    return Decimal(str(value))


class Money(Shape):
    """An amount of money. The amount is exact, so it is answered as a string of digits."""

    amount: Annotated[
        Decimal,
        BeforeValidator(_read_amount),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "string", "pattern": f"^{_AMOUNT}$", "maxLength": _AMOUNT_CHARS},
                    {"type": "number", "minimum": 0, "exclusiveMaximum": _AMOUNT_BOUND},
                ]
            },
            mode="validation",
        ),
        WithJsonSchema({"type": "string", "pattern": f"^{_AMOUNT}$"}, mode="serialization"),
    ] = Field(
        description="How much: at most 14 digits before the point and 4 after it. A string keeps it exact.",
        examples=["50000", "1250.50"],
    )
    currency: Currency = Field(description="Of which currency, ISO 4217.")


class Coordinates(Shape):
    """A place on the globe in decimal degrees, WGS 84."""

    latitude: Annotated[float, Strict()] = Field(
        ge=-90, le=90, allow_inf_nan=False, description="Degrees north of the equator.", examples=[10.6333]
    )
    longitude: Annotated[float, Strict()] = Field(
        ge=-180, le=180, allow_inf_nan=False, description="Degrees east of Greenwich.", examples=[104.05]
    )
