"""Money and coordinates."""

from decimal import Decimal

import pytest
from pydantic import ValidationError

from app.core.measures import Coordinates, Money


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        ("1250.50", "1250.50"),
        (50_000, "50000"),
        (0.1, "0.1"),
        (1e3, "1000"),
        (-0.0, "0"),
        (Decimal("7.25"), "7.25"),
        ("99999999999999.9999", "99999999999999.9999"),
    ],
)
def test_amount_is_exact(sent: object, written: str) -> None:
    money = Money.model_validate({"amount": sent, "currency": "USD"})
    assert money.model_dump_json() == f'{{"amount":"{written}","currency":"USD"}}'
    assert Money.model_validate_json(money.model_dump_json()) == money


@pytest.mark.parametrize(
    "sent", [-1, "-1", "1E3", "1_000", " 1", "1.23456", "1" * 15, 1e300, True, None, float("nan"), "NaN"]
)
def test_amount_refuses(sent: object) -> None:
    with pytest.raises(ValidationError) as caught:
        Money.model_validate({"amount": sent, "currency": "USD"})
    assert [(error["loc"], error["type"]) for error in caught.value.errors()] == [(("amount",), "amount-invalid")]


def test_currency_is_required() -> None:
    with pytest.raises(ValidationError, match="currency"):
        Money.model_validate({"amount": "1"})


def test_coordinates() -> None:
    assert Coordinates(latitude=10.63, longitude=104).model_dump_json() == '{"latitude":10.63,"longitude":104.0}'


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [(90.1, 0), (0, -180.1), (float("nan"), 0), (0, float("inf")), ("10", 0), (True, 0), (None, 0)],
)
def test_coordinates_refuse(latitude: object, longitude: object) -> None:
    with pytest.raises(ValidationError):
        Coordinates.model_validate({"latitude": latitude, "longitude": longitude})
