"""Who gets what of several lines together: for a basket, a checkout, an order."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol
from uuid import UUID

from flask_babel import gettext as _

from market.catalogue import cards
from market.http.clock import today
from market.kernel.money import Money, total
from market.orders.queries import BasketItem
from market.pricing import rules as prices
from market.producers.queries import CoopView, ProducerView


class Part(Protocol):
    """What a price is made of: a part of an offer's price, or of an ordered line's."""

    @property
    def kind(self) -> str:
        """What it is for."""

    @property
    def label(self) -> str:
        """In words."""

    @property
    def money(self) -> Money:
        """How much."""


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a sum, as the breakdown shows it."""

    kind: str
    label: str
    money: Money


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the basket with its price as it is now; without an offer there is no price."""

    item: BasketItem
    parts: tuple[prices.Component, ...]
    total: Money | None


@dataclass(frozen=True, slots=True)
class Seller:
    """One producer's lines in the basket, what they cost together, and when they arrive."""

    producer: ProducerView
    coop: CoopView
    lines: tuple[Line, ...]
    total: Money
    arrives: tuple[date, date]


def together(lines: Iterable[Iterable[Part]]) -> list[Share]:
    """Return the parts of all lines by what they are for, in the order of a price."""
    words = {
        "producer_goods": _("Producers"),
        "organic_differential": _("Organic differential"),
        "premium": _("Fair-trade premium"),
        "coop_service": _("Service of the co-ops"),
        "inland_transport": _("Transport"),
        "payment_fee": _("Payment"),
        "tax": _("Tax"),
    }
    sums: dict[str, Share] = {}
    for parts in lines:
        for part in parts:
            seen = sums.get(part.kind)
            money = part.money if seen is None else seen.money + part.money
            sums[part.kind] = Share(part.kind, words.get(part.kind, part.label), money)
    order = list(words)
    return sorted(sums.values(), key=lambda share: order.index(share.kind) if share.kind in words else len(order))


def priced(item: BasketItem, coop: CoopView) -> Line:
    """Return a line with who gets what of it now; the checkout judges the price again."""
    if item.offer is None:
        return Line(item, (), None)
    charges = prices.Charges(coop.service_pct, coop.transport_minor_per_line, coop.payment_pct, coop.tax_pct)
    parts = cards.parts_of(item.offer, charges, item.quantity)
    return Line(item, tuple(parts), prices.sum_of(parts))


def by_seller(
    items: Iterable[BasketItem], people: dict[UUID, ProducerView], coops: dict[UUID, CoopView]
) -> dict[str, list[Seller]]:
    """Return what can be bought of a basket: by currency, then by producer, in the order in which it was put in."""
    found: dict[tuple[str, UUID], list[Line]] = {}
    for item in items:
        if item.offer is not None:
            found.setdefault((item.offer.currency, item.offer.producer_id), []).append(priced(item, coops[item.offer.coop_id]))
    groups: dict[str, list[Seller]] = {}
    for (currency, producer_id), lines in found.items():
        coop = coops[people[producer_id].coop_id]
        money = total([line.total for line in lines if line.total is not None], currency)
        groups.setdefault(currency, []).append(Seller(people[producer_id], coop, tuple(lines), money, arrives(coop)))
    return groups


def arrives(coop: CoopView) -> tuple[date, date]:
    """Return between which days goods that are paid today arrive."""
    start = today(coop.time_zone)
    return start + timedelta(days=coop.delivery_from_days), start + timedelta(days=coop.delivery_to_days)
