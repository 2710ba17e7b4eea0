"""The public price check: anybody may hold any price against the tables, with the arithmetic in words."""

from typing import Any

from market.api.openapi import Blueprint, money_out
from market.api.v1.schemas.prices import PriceCheckOut, PriceCheckQuery
from market.http.auth import access
from market.http.clock import today
from market.http.db import unit_of_work
from market.pricing import service
from market.pricing.rules import GATES, Check, Goods, PriceVerdict, plain

blueprint = Blueprint(
    "price_checks", __name__, url_prefix="", description="Fair prices: floors and checks that anyone can repeat."
)


@blueprint.get("/price-check")
@access("public")
@blueprint.arguments(PriceCheckQuery, location="query")
@blueprint.response(200, PriceCheckOut)
def price_check(query: dict[str, Any]) -> dict[str, Any]:
    """Check a price against every floor that applies on a day.

    Nothing is stored. A missing market price, rate or certificate is said and never taken for fair; claims are judged
    without certificates, which belong to a seller.
    """
    on = query.get("on") or today()
    names = ("product", "variety", "form", "quality", "incoterm")
    with unit_of_work() as session:
        said = service.check_price(
            session,
            goods=Goods(**{name: query[name] for name in names}, origin_country=query["origin"]),
            unit_price=query["price"],
            unit=query["unit"],
            currency=query["currency"],
            quantity=query["quantity"],
            on=on,
            claims=query["claims"],
            includes_premium=query["includes_premium"],
        )
    return {"on": on, "goods": Goods(*(query[name] for name in names[:3])).text, **verdict_out(said)}


def verdict_out(said: PriceVerdict) -> dict[str, Any]:
    """Return a verdict as the API shows it."""
    floor = said.floor
    return {
        "outcome": said.outcome.value,
        "price": plain(said.goods_price.amount).replace(",", ""),
        "unit": said.goods_price.unit,
        "currency": said.goods_price.currency,
        "floor": floor
        and {
            "kind": floor.kind,
            "label": floor.label,
            "amount": plain(floor.price.amount).replace(",", ""),
            "currency": floor.price.currency,
            "unit": floor.price.measure,
            "reference_id": floor.reference_id,
        },
        "passing_price": None if said.proposed_price is None else plain(said.proposed_price).replace(",", ""),
        "premium_per_unit": plain(said.premium_per_unit).replace(",", ""),
        "amount_short": said.amount_short and money_out(said.amount_short),
        "claims_carried": list(said.claims_carried),
        "checks": [_check_out(check) for check in said.checks],
    }


def _check_out(check: Check) -> dict[str, Any]:
    return {
        "rule": check.rule,
        "version": check.version,
        "outcome": check.outcome.value,
        "reason": check.reason,
        "words": check.words,
        "blocks": [gate for gate in GATES[check.rule] if check.blocks(gate)],
        "amount_short": check.amount_short and money_out(check.amount_short),
        "inputs": check.inputs,
    }
