"""What a producer sees first: what is coming to them, when and how, and what waits for their hands."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from market.kernel.money import Money

CERTIFICATE_NOTICE = timedelta(days=60)
"""How long before a certificate ends its holder is reminded: bodies need weeks to come and look."""


@dataclass(frozen=True, slots=True)
class NextPayout:
    """The payment that comes next in one currency.

    `state` is None while nobody has prepared it: then `on` is the day on which it falls due; otherwise the state of the
    payout, and `on` the day for which it is ordered. `rail` is None when no confirmed account says where to pay.
    """

    money: Money
    on: date
    rail: str | None
    state: str | None


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do: a kind, how many, and the thing itself when there is only one to name."""

    kind: str
    count: int
    name: str = ""
    on: date | None = None
    subject_id: UUID | None = None


_ORDERED = text(
    """
    SELECT p.currency, p.amount_minor, r.execute_on, p.rail, p.state
    FROM payout p JOIN payout_run r ON r.id = p.run_id
    WHERE p.payee_id = :producer AND p.state NOT IN ('settled', 'cancelled', 'returned', 'failed')
    ORDER BY r.execute_on, p.number"""
)
_DUE = text(
    """
    SELECT o.currency, sum(o.amount_minor) AS minor, min(o.due_on) AS due_on,
           (SELECT a.rail FROM payee_account a WHERE a.producer_id = :producer AND a.currency = o.currency
              AND a.confirmed_at IS NOT NULL AND a.replaced_at IS NULL) AS rail
    FROM payable o
    WHERE o.payee_id = :producer AND o.state = 'open'
      AND o.due_on <= greatest(:on, (SELECT min(x.due_on) FROM payable x WHERE x.payee_id = o.payee_id
        AND x.currency = o.currency AND x.state = 'open'))
    GROUP BY o.currency ORDER BY min(o.due_on), o.currency"""
)
_HELD = text(
    """
    SELECT currency, sum(goods_minor - goods_refunded_minor) AS minor
    FROM seller_order WHERE producer_id = :producer AND state IN ('paid', 'shipped', 'confirmed')
    GROUP BY currency HAVING sum(goods_minor - goods_refunded_minor) > 0 ORDER BY currency"""
)
# Each branch: kind, how many, the name and day of the first, its id. The order is that of the list.
_TASKS = text(
    """
    SELECT 'pack' AS kind, count(*) AS n, NULL AS name, (min(paid_on)) AS on_day, (array_agg(id ORDER BY placed_at))[1] AS subject
      FROM seller_order WHERE producer_id = :producer AND state = 'paid' AND problem IS NULL
    UNION ALL
    SELECT 'refused', count(*), min(l.title), NULL, (array_agg(l.id ORDER BY l.updated_at DESC))[1]
      FROM listing l WHERE l.producer_id = :producer AND l.state = 'withdrawn'
        AND (SELECT a.actor LIKE 'system%' FROM audit_entry a WHERE a.subject_kind = 'listing' AND a.subject_id = l.id::text
             AND a.action = 'listing.withdrawn' ORDER BY a.id DESC LIMIT 1)
    UNION ALL
    SELECT 'account', 1, NULL, NULL, NULL
      WHERE NOT EXISTS (SELECT 1 FROM payee_account WHERE producer_id = :producer AND replaced_at IS NULL)
    UNION ALL
    SELECT 'certificate', count(*), min(scheme), min(valid_to), NULL
      FROM certificate WHERE coop_id = :coop AND producer_id = :producer AND status = 'active' AND valid_to BETWEEN :on AND :soon
    UNION ALL
    SELECT 'ended', count(*), min(scheme), max(valid_to), NULL
      FROM certificate c WHERE c.coop_id = :coop AND c.producer_id = :producer AND c.status = 'active' AND c.valid_to < :on
        AND NOT EXISTS (SELECT 1 FROM certificate n WHERE n.coop_id = :coop AND n.producer_id = :producer AND n.scheme = c.scheme
                        AND n.valid_to >= :on)
    UNION ALL
    SELECT 'draft', count(*), min(title), NULL, (array_agg(id ORDER BY updated_at DESC))[1]
      FROM listing WHERE producer_id = :producer AND state = 'draft'
    UNION ALL
    SELECT 'unlisted', count(*), min(coalesce(nullif(o.name, ''), nullif(o.label, ''), o.slug)), NULL,
           (array_agg(o.id ORDER BY o.recorded_at DESC))[1]
      FROM lot o WHERE o.producer_id = :producer AND o.withdrawn_at IS NULL AND o.drawn < o.produced
        AND NOT EXISTS (SELECT 1 FROM listing l WHERE l.lot_id = o.id)
    UNION ALL
    SELECT 'first_lot', 1, NULL, NULL, NULL WHERE NOT EXISTS (SELECT 1 FROM lot WHERE producer_id = :producer)"""
)


def next_payouts(session: Session, producer_id: UUID, *, on: date) -> list[NextPayout]:
    """Return the payment that comes next, one per currency: what is ordered already, else what falls due first."""
    found: dict[str, NextPayout] = {}
    for row in session.execute(_ORDERED, {"producer": producer_id}):
        known = NextPayout(Money(row.amount_minor, row.currency), row.execute_on, row.rail, row.state)
        found.setdefault(row.currency, known)
    for row in session.execute(_DUE, {"producer": producer_id, "on": on}):
        due = NextPayout(Money(int(row.minor), row.currency), max(row.due_on, on), row.rail, None)
        found.setdefault(row.currency, due)
    return sorted(found.values(), key=lambda one: (one.on, one.money.currency))


def held(session: Session, producer_id: UUID) -> list[Money]:
    """Return what buyers have paid for and not yet confirmed, per currency: the producer's part alone."""
    return [Money(int(row.minor), row.currency) for row in session.execute(_HELD, {"producer": producer_id})]


def tasks(session: Session, producer_id: UUID, *, coop_id: UUID, on: date) -> list[Task]:
    """Return what waits for the producer, the most pressing first; empty when nothing does."""
    values = {"producer": producer_id, "coop": coop_id, "on": on, "soon": on + CERTIFICATE_NOTICE}
    return [Task(row.kind, row.n, row.name or "", row.on_day, row.subject) for row in session.execute(_TASKS, values) if row.n]
