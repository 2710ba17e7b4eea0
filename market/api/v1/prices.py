"""The public price check: anybody may hold any price against the tables, with the arithmetic in words."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from market.api.openapi import Blueprint, ProblemSchema, money_out
from market.api.v1.schemas.prices import PriceCheckOut, PriceCheckQuery, StoredCheckOut
from market.http.auth import access
from market.http.clock import today
from market.http.db import unit_of_work
from market.http.i18n import told_check
from market.kernel.money import Money
from market.pricing import queries, service
from market.pricing.rules import GATES, Check, Goods, PriceVerdict, plain, replay

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


@blueprint.get("/price-checks/<uuid:check_id>")
@access("public")
@blueprint.response(200, StoredCheckOut)
@blueprint.alt_response(404, schema=ProblemSchema, content_type="application/problem+json")
def stored_check(check_id: UUID) -> dict[str, Any]:
    """Show a stored check of an offer, and run it again from its own inputs.

    The answer holds everything that the rule was given, so anybody can do the same on paper. Nothing is stored.
    """
    with unit_of_work() as session:
        stored = queries.check_of_an_offer(session, check_id)
    again = replay(stored.inputs)
    return {
        "id": stored.id,
        "listing_id": stored.subject_id,
        "gate": stored.gate,
        "evaluated_at": stored.evaluated_at,
        "evaluated_for": stored.evaluated_for,
        "rule": stored.rule,
        "version": stored.version,
        "outcome": stored.outcome,
        "reason": stored.reason,
        "words": told_check(stored),
        "blocks": [gate for gate in GATES[stored.rule] if stored.outcome == "violation"],
        "amount_short": _short(stored.amount_short),
        "inputs": stored.inputs,
        "again": _check_out(again),
        "holds": (again.outcome.value, again.amount_short or None) == (stored.outcome, stored.amount_short or None),
    }


def verdict_out(said: PriceVerdict) -> dict[str, Any]:
    """Return a verdict as the API shows it."""
    floor = said.floor
    return {
        "outcome": said.outcome.value,
        "price": _exact(said.goods_price.amount),
        "unit": said.goods_price.unit,
        "currency": said.goods_price.currency,
        "floor": floor
        and {
            "kind": floor.kind,
            "label": floor.label,
            "amount": _exact(floor.price.amount),
            "currency": floor.price.currency,
            "unit": floor.price.measure,
            "reference_id": floor.reference_id,
        },
        "passing_price": None if said.proposed_price is None else _exact(said.proposed_price),
        "premium_per_unit": _exact(said.premium_per_unit),
        "amount_short": _short(said.amount_short),
        "claims_carried": list(said.claims_carried),
        "checks": [_check_out(check) for check in said.checks],
    }


def _short(money: Money | None) -> dict[str, Any] | None:
    return None if money is None else money_out(money)


def _exact(number: Decimal) -> str:
    return plain(number).replace(",", "")


def _check_out(check: Check) -> dict[str, Any]:
    lacks = (check.facts or {}).get("short_per_unit")
    return {
        "rule": check.rule,
        "version": check.version,
        "outcome": check.outcome.value,
        "reason": check.reason,
        "words": told_check(check),
        "blocks": [gate for gate in GATES[check.rule] if check.blocks(gate)],
        "amount_short": _short(check.amount_short),
        "short_per_unit": lacks and {"amount": _exact(lacks.amount), "currency": lacks.currency, "unit": lacks.measure},
        "inputs": check.inputs,
    }
