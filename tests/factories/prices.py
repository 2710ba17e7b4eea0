"""Rows of price tables, quotes and the two people that a row needs; nothing commits."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from market.kernel.actor import Actor
from market.kernel.ids import new_id
from market.pricing import service
from market.pricing.models import PriceReference
from tests.conftest import NOW

ENTERS = Actor(account_id=UUID(int=101), roles=frozenset({"preparer"}))
APPROVES = Actor(account_id=UUID(int=102), roles=frozenset({"approver"}))


def make_reference(session, **values) -> PriceReference:
    """The active arabica washed row of 2023, with its differential and market."""
    row = PriceReference(
        **{
            "id": new_id(),
            "scheme": "fairtrade",
            "price_kind": "FMP",
            "product": "coffee",
            "variety": "arabica",
            "form": "washed_green",
            "quality": "conventional",
            "geo_level": "world",
            "geo_code": "world",
            "setup": "SPO",
            "incoterm": "FOB",
            "unit": "lb",
            "currency": "USD",
            "valid_from": date(2023, 8, 1),
            "minimum_price": Decimal("1.80"),
            "premium": Decimal("0.20"),
            "organic_rule": "differential",
            "organic_differential": Decimal("0.40"),
            "relevant_market": "ICE C",
            "source_name": "Fairtrade ANZ",
            "confidence": "high",
            "status": "active",
            "entered_by": ENTERS.label,
            "entered_at": NOW,
            "approved_by": APPROVES.label,
            "approved_at": NOW,
        }
        | values
    )
    session.add(row)
    session.flush()
    return row


def make_quote(session, price: str = "1.62", addition: str = "0.10", **values) -> UUID:
    """A quote of the coffee exchange of the day before."""
    defaults = {
        "market": "ICE C",
        "unit": "lb",
        "currency": "USD",
        "quoted_on": date(2026, 11, 24),
        "source_name": "exchange bulletin",
    }
    more = {"actor": ENTERS, "now": NOW, "addition_label": "differential"}
    return service.enter_quote(session, price=Decimal(price), addition=Decimal(addition), **{**defaults, **more, **values})
