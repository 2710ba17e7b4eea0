"""Figures that anybody may read, computed from the books of the moment: what producers were paid, how fast, and their share.

Only sums over a month and over co-ops, never a person: a figure stands alone only for co-ops that are public anyway.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from market.kernel.money import Money

PRODUCERS_PART = ("producer_goods", "organic_differential")


@dataclass(frozen=True, slots=True)
class Paid:
    """What reached producers in a month, in one currency: settled payouts, so money that has arrived.

    `median_days` runs from the day on which the buyer's money came to the day on which the producer's arrived; None when
    nothing that was paid came from a sale. Never below zero: a bank books by its own day, which may still be the one before.
    """

    money: Money
    payouts: int
    producers: int
    median_days: Decimal | None


@dataclass(frozen=True, slots=True)
class Part:
    """One part of what buyers paid, refunds taken off."""

    kind: str
    label: str
    money: Money


@dataclass(frozen=True, slots=True)
class Split:
    """Where each unit of money that buyers paid went, in one currency."""

    total: Money
    parts: tuple[Part, ...]

    @property
    def producers_share(self) -> Decimal:
        """The producers' share of what was paid, from 0 to 1."""
        own = sum(part.money.minor for part in self.parts if part.kind in PRODUCERS_PART)
        return Decimal(own) / self.total.minor


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures of a month, of one co-op or of all."""

    paid: tuple[Paid, ...]
    splits: tuple[Split, ...]
    orders: int


# A payout counts once; its days are those of the sales in it, each weighing the same.
_PAID = text(
    """
    WITH mine AS (SELECT id, payee_id, currency, amount_minor, settled_on FROM payout
                  WHERE state = 'settled' AND settled_on >= :first AND settled_on < :after AND (:whole OR coop_id = :coop)),
    waits AS (SELECT m.currency, greatest(m.settled_on - s.paid_on, 0) AS days
              FROM mine m JOIN payout_item i ON i.payout_id = m.id AND i.released_at IS NULL
              JOIN payable p ON p.id = i.payable_id AND p.source_kind = 'seller_order'
              JOIN seller_order s ON s.id = p.source_id AND s.paid_on IS NOT NULL)
    SELECT m.currency, sum(m.amount_minor) AS minor, count(*) AS payouts, count(DISTINCT m.payee_id) AS producers,
           (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY w.days) FROM waits w WHERE w.currency = m.currency) AS median
    FROM mine m GROUP BY m.currency ORDER BY sum(m.amount_minor) DESC, m.currency"""
)
_SPLIT = text(
    """
    SELECT c.currency, c.kind, min(c.seq) AS seq, sum(c.amount_minor - c.returned_minor) AS minor
    FROM seller_order s JOIN order_line l ON l.seller_order_id = s.id JOIN price_component c ON c.order_line_id = l.id
    WHERE s.paid_on >= :first AND s.paid_on < :after AND s.state IN ('paid', 'shipped', 'confirmed', 'settled', 'refunded')
      AND (:whole OR s.coop_id = :coop)
    GROUP BY c.currency, c.kind ORDER BY c.currency, min(c.seq), c.kind"""
)
_ORDERS = text(
    """
    SELECT count(DISTINCT order_id) FROM seller_order
    WHERE paid_on >= :first AND paid_on < :after AND state IN ('paid', 'shipped', 'confirmed', 'settled')
      AND (:whole OR coop_id = :coop)"""
)


def figures(
    connection: Connection, *, first: date, after: date, labels: Mapping[str, str], coop_id: UUID | None = None
) -> Figures:
    """Return the figures of the days from `first` to the one before `after`; `labels` are the words of the parts."""
    bounds: dict[str, Any] = {"first": first, "after": after, "coop": coop_id, "whole": coop_id is None}
    paid = tuple(
        Paid(
            Money(int(row.minor), row.currency),
            row.payouts,
            row.producers,
            None if row.median is None else Decimal(str(row.median)).quantize(Decimal("0.1")),
        )
        for row in connection.execute(_PAID, bounds)
    )
    parts: dict[str, list[Part]] = {}
    for row in connection.execute(_SPLIT, bounds):
        if row.minor:
            part = Part(row.kind, labels.get(row.kind, row.kind), Money(int(row.minor), row.currency))
            parts.setdefault(row.currency, []).append(part)
    splits = [Split(Money(sum(part.money.minor for part in found), code), tuple(found)) for code, found in parts.items()]
    splits = [split for split in splits if split.total.minor > 0]
    splits.sort(key=lambda split: -split.total.minor)
    return Figures(paid, tuple(splits), connection.execute(_ORDERS, bounds).scalar_one())
