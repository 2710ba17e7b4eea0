"""The rows of the test vectors, and the three clocks under which the whole price suite runs (fair-prices.md 10)."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from market.pricing.rules import Goods, MarketPrice, Price, Reference


@pytest.fixture(params=[date(2026, 11, 30), date(2026, 12, 1), date(2027, 6, 15)], ids=str, autouse=True)
def today(request: pytest.FixtureRequest) -> date:
    """The day on which the suite is run; a contract's own day must decide, never this one."""
    day: date = request.param
    return day


def price(amount: str, unit: str = "lb", currency: str = "USD") -> Price:
    return Price(Decimal(amount), currency, unit)


def row(**values: Any) -> Reference:
    """The arabica washed row of 2023 with `values` changed."""
    base: dict[str, Any] = {
        "id": UUID(int=2023),
        "scheme": "fairtrade",
        "price_kind": "FMP",
        "product": "coffee",
        "variety": "arabica",
        "form": "washed_green",
        "incoterm": "FOB",
        "currency": "USD",
        "unit": "lb",
        "minimum_price": Decimal("1.80"),
        "premium": Decimal("0.20"),
        "organic_rule": "differential",
        "organic_differential": Decimal("0.40"),
        "relevant_market": "ICE C",
        "valid_from": date(2023, 8, 1),
        "source_name": "Fairtrade ANZ",
    }
    return Reference(**{**base, **values})


def cocoa(**values: Any) -> Reference:
    """The cocoa beans row of 2019 with `values` changed."""
    base = {
        "product": "cocoa",
        "variety": "",
        "form": "beans",
        "unit": "MT",
        "minimum_price": Decimal("2400"),
        "premium": Decimal("240"),
        "organic_differential": Decimal("300"),
        "relevant_market": "ICE London",
        "valid_from": date(2019, 10, 1),
    }
    return row(**{**base, **values})


def market(*parts: tuple[str, str], name: str = "ICE C", unit: str = "lb", on: date = date(2026, 11, 24)) -> MarketPrice:
    return MarketPrice(name, tuple((label, Decimal(amount)) for label, amount in parts), "USD", unit, on, "exchange bulletin")


COFFEE = Goods("coffee", "arabica", "washed_green", incoterm="FOB")
ORGANIC_COFFEE = Goods("coffee", "arabica", "washed_green", quality="organic", incoterm="FOB")
LOT = Decimal(37500)
LOW = market(("C", "1.62"), ("differential", "0.10"))
HIGH = market(("C", "2.85"), ("differential", "0.05"))
ROW_2026 = {"id": UUID(int=2026), "minimum_price": Decimal("2.00"), "valid_from": date(2026, 12, 1)}
