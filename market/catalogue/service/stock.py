"""Stock of lots and the holds on it (law 6: never oversold; a hold expires).

The row of `stock` is the lock of its lot: every command takes the rows it needs in the order of their lot ids before it
changes them or a hold on them, so two orders over the same lots wait for each other and never deadlock. A listing's card
says whether anything is left; that mark is written when a lot runs out or comes back, and only then.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from market.catalogue.errors import ListingFaulty, ListingMissing, ListingSoldOut, StockTooLow
from market.catalogue.models import Hold, Stock
from market.catalogue.rules import ordered_wants
from market.catalogue.service.cards import show_availability
from market.kernel import audit, direct
from market.kernel.actor import Actor
from market.kernel.ids import new_id
from market.kernel.locks import lock
from market.kernel.words import say
from market.provenance import queries as provenance


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A paid quantity that the lot cannot give any more: a task for staff, never a silent loss."""

    lot_id: UUID
    quantity: Decimal


# One round trip: lock in lot order, hold what fits, and say what did not. UPDATE sees the row as it is after the lock.
_HOLD = """
want AS (SELECT * FROM unnest(%(ids)s::uuid[], %(lots)s::uuid[], %(quantities)s::numeric[]) AS want(id, lot_id, quantity)),
locked AS MATERIALIZED (
  SELECT lot_id, coop_id, CASE WHEN withdrawn THEN 0 ELSE on_hand - held END AS free FROM stock
  WHERE lot_id = ANY(%(lots)s::uuid[]) ORDER BY lot_id FOR UPDATE),
fitting AS (SELECT want.*, locked.coop_id, free FROM want JOIN locked USING (lot_id) WHERE free >= quantity),
held AS (UPDATE stock SET held = stock.held + fitting.quantity FROM fitting WHERE stock.lot_id = fitting.lot_id),
kept AS (INSERT INTO hold (id, coop_id, lot_id, order_id, quantity, expires_at, state)
  SELECT id, coop_id, lot_id, %(order_id)s::uuid, quantity, %(until)s::timestamptz, 'live' FROM fitting),
holding AS (SELECT want.lot_id, coalesce(locked.free, 0) AS free, want.quantity FROM want LEFT JOIN locked USING (lot_id))
"""
HELD = "SELECT lot_id, free, quantity FROM holding ORDER BY lot_id"

_TAKE = text(
    """
WITH taken AS (UPDATE hold SET state = 'taken' WHERE order_id = :order_id AND state = 'live' RETURNING lot_id, quantity)
UPDATE stock SET on_hand = on_hand - quantity, held = held - quantity FROM taken WHERE stock.lot_id = taken.lot_id
"""
)
_TAKE_LATE = text(
    """
WITH late AS (SELECT hold.id, lot_id, quantity FROM hold JOIN stock USING (lot_id)
  WHERE order_id = :order_id AND state = 'released' AND on_hand - held >= quantity),
taken AS (UPDATE hold SET state = 'taken' FROM late WHERE hold.id = late.id RETURNING late.lot_id, late.quantity)
UPDATE stock SET on_hand = on_hand - quantity FROM taken WHERE stock.lot_id = taken.lot_id
"""
)
_BACK = text(
    """
WITH back AS (UPDATE hold SET state = 'live', expires_at = :until WHERE order_id = :order_id AND state = 'taken'
  RETURNING lot_id, quantity)
UPDATE stock SET on_hand = on_hand + quantity, held = held + quantity FROM back WHERE stock.lot_id = back.lot_id
"""
)
_AGAIN = text(
    """
WITH again AS (UPDATE hold SET state = 'live' FROM stock
  WHERE hold.lot_id = stock.lot_id AND order_id = :order_id AND state = 'released' AND on_hand - held >= quantity
  RETURNING hold.lot_id, quantity)
UPDATE stock SET held = held + quantity FROM again WHERE stock.lot_id = again.lot_id
"""
)
_RELEASE = """
WITH gone AS (UPDATE hold SET state = 'released' WHERE state = 'live' AND {} RETURNING lot_id, quantity),
given AS (SELECT lot_id, sum(quantity) AS quantity, count(*) AS holds FROM gone GROUP BY lot_id)
UPDATE stock SET held = held - quantity FROM given WHERE stock.lot_id = given.lot_id
RETURNING stock.lot_id, on_hand - held - quantity AS before, holds
"""
_RELEASE_ORDER = text(_RELEASE.format("order_id = :order_id"))
_RELEASE_EXPIRED = text(_RELEASE.format("expires_at <= :now AND lot_id = ANY(:lots)")).bindparams(
    bindparam("lots", type_=ARRAY(Uuid))
)


def open_stock(session: Session, *, lot_id: UUID, coop_id: UUID, unit: str, on_hand: Decimal) -> None:
    """Make the stock of a lot from what was recorded of it; a lot that has stock keeps it."""
    row = {"lot_id": lot_id, "coop_id": coop_id, "unit": unit, "on_hand": on_hand, "held": Decimal(0)}
    session.execute(insert(Stock).values(row).on_conflict_do_nothing())


def set_stock(session: Session, *, actor: Actor, lot_id: UUID, on_hand: Decimal, now: datetime) -> None:
    """Set what is there of a lot after a count.

    Raises ListingMissing for a lot that is not theirs, StockTooLow below what is held, ListingFaulty below zero or above what
    is left of the lot by its record.
    """
    if on_hand < 0:
        raise ListingFaulty("A stock cannot be below zero.", pointer="/on_hand")
    lot, found = provenance.lot(session, lot_id), lock(session, Stock, [lot_id], column="lot_id")
    if not found or not (actor.is_staff or lot.producer_id == actor.producer_id):
        raise ListingMissing("Nothing of yours is offered from this lot.")
    stock = found[0]
    if on_hand < stock.held:
        raise StockTooLow(
            say("%(held)s %(unit)s are held for orders; the stock cannot be less.", held=stock.held, unit=stock.unit),
            held=stock.held,
        )
    if on_hand > lot.left:
        raise ListingFaulty(
            say(
                "By its record %(left)s %(unit)s of this lot are left; more cannot be sold from it.",
                left=lot.left,
                unit=stock.unit,
            ),
            pointer="/on_hand",
        )
    audit.record(
        session, actor=actor, action="stock.set", subject_kind="lot", subject_id=lot_id, now=now, coop_id=stock.coop_id,
        old={"on_hand": f"{stock.on_hand:f}"}, new={"on_hand": f"{on_hand:f}"},
    )  # fmt: skip
    stock.on_hand = on_hand
    session.flush()  # the cards' mark below reads the row
    show_availability(session, [lot_id])


def keep_to_lots(session: Session, *, lot_ids: Iterable[UUID]) -> list[UUID]:
    """Lower the stock of lots to what is left of them by their record, but never below what is held; return which.

    To be called when something was made from them, or when a record of them was corrected. Locks the stock rows.
    """
    lowered = []
    for stock in lock(session, Stock, lot_ids, column="lot_id"):
        most = max(provenance.lot(session, stock.lot_id).left, stock.held)
        if stock.on_hand > most:
            stock.on_hand = most
            lowered.append(stock.lot_id)
    session.flush()  # the cards' mark below reads the rows
    show_availability(session, lowered)
    return lowered


def lock_lots(session: Session, *, lot_ids: Iterable[UUID]) -> None:
    """Lock the stock of lots, as checkout does: whoever orders of them comes before, and is seen, or after this transaction."""
    lock(session, Stock, lot_ids, column="lot_id")


def mark_withdrawn(session: Session, *, lot_ids: Sequence[UUID], withdrawn: bool) -> None:
    """Let nobody hold anything of lots any more, or again. The caller has locked them (`lock_lots`)."""
    session.execute(update(Stock).where(Stock.lot_id.in_(lot_ids)).values(withdrawn=withdrawn))
    show_availability(session, lot_ids)


def hold_stock(session: Session, *, wants: Iterable[tuple[UUID, Decimal]], order_id: UUID, expires_at: datetime) -> None:
    """Keep quantities of lots, each in the unit of its stock, for an order until `expires_at`.

    Locks the stock rows in the order of their ids. Raises ListingSoldOut with `lots` = what is free of each that is short.
    """
    held(session, direct.run_together(session, [holding(wants=wants, order_id=order_id, expires_at=expires_at)], HELD))


def holding(*, wants: Iterable[tuple[UUID, Decimal]], order_id: UUID, expires_at: datetime) -> direct.Piece:
    """Return what `hold_stock` writes as a piece of a statement that gives `HELD` back, for `held`."""
    ordered = ordered_wants(wants)
    params = {
        "ids": direct.array(new_id() for _ in ordered),
        "lots": direct.array(lot_id for lot_id, _ in ordered),
        "quantities": direct.array(quantity for _, quantity in ordered),
        "order_id": order_id,
        "until": expires_at,
    }
    return direct.Piece(_HOLD, params)


def held(session: Session, rows: Sequence[tuple[Any, ...]]) -> None:
    """Judge what `HELD` gave: raise ListingSoldOut when a lot was short, and mark the cards of lots that ran out."""
    short = [{"lot_id": str(lot_id), "free": f"{free.normalize():f}"} for lot_id, free, wanted in rows if free < wanted]
    if short:
        raise ListingSoldOut("Somebody was quicker: there is not enough left. Take less of it, or something similar.", lots=short)
    show_availability(session, [lot_id for lot_id, free, wanted in rows if free == wanted])


def take_holds(session: Session, *, order_id: UUID) -> list[Shortfall]:
    """Take what an order holds out of the stock: it is paid. Doing it again changes nothing.

    A hold that has expired is taken from what is still free; what is not there any more is returned, for staff.
    """
    lots = _lock_lots_of(session, order_id)
    session.execute(_TAKE, {"order_id": order_id})
    session.execute(_TAKE_LATE, {"order_id": order_id})
    show_availability(
        session, session.scalars(select(Stock.lot_id).where(Stock.lot_id.in_(lots), Stock.on_hand == Stock.held)).all()
    )
    return _short(session, order_id)


def hold_again(session: Session, *, order_id: UUID, until: datetime) -> list[Shortfall]:
    """Hold what an order had taken until a new time: its payment was taken back. Doing it again moves no goods.

    What could not be given when it was paid is held too, if it is there now; what is not is returned.
    """
    lots = _lock_lots_of(session, order_id)
    session.execute(_BACK, {"order_id": order_id, "until": until})
    session.execute(_AGAIN, {"order_id": order_id})
    session.execute(update(Hold).where(Hold.order_id == order_id, Hold.state == "live").values(expires_at=until))
    show_availability(session, lots)
    return _short(session, order_id)


def lock_holds(session: Session, *, order_ids: Sequence[UUID]) -> None:
    """Lock the lots that several orders hold, all in the order of their ids, before any hold of them is given back."""
    lots = session.scalars(select(Hold.lot_id).where(Hold.order_id.in_(order_ids))).all()
    lock(session, Stock, lots, column="lot_id")


def release_holds(session: Session, *, order_id: UUID) -> int:
    """Give back what an unpaid order holds; return how many holds that were."""
    _lock_lots_of(session, order_id)
    return _released(session, session.execute(_RELEASE_ORDER, {"order_id": order_id}).all())


def expire_holds(session: Session, *, now: datetime, limit: int = 1000) -> int:
    """Give back every hold whose time is over, at most `limit` lots at once; return how many holds that were."""
    due = select(Hold.lot_id).where(Hold.state == "live", Hold.expires_at <= now).distinct().limit(limit)
    lots = sorted(session.scalars(due))
    if not lots:
        return 0
    lock(session, Stock, lots, column="lot_id")
    return _released(session, session.execute(_RELEASE_EXPIRED, {"now": now, "lots": lots}).all())


def return_stock(session: Session, *, order_id: UUID, wants: Iterable[tuple[UUID, Decimal]]) -> None:
    """Put goods that never left back on the shelf: cancelled or refunded after payment, before dispatch.

    Only what the order has taken out: a lot that could not give it any more gets nothing back.
    """
    taken = set(session.scalars(select(Hold.lot_id).where(Hold.order_id == order_id, Hold.state == "taken")))
    back = {lot_id: quantity for lot_id, quantity in ordered_wants(wants) if lot_id in taken}
    for stock in lock(session, Stock, back, column="lot_id"):
        stock.on_hand += back[stock.lot_id]
    session.flush()  # the cards' mark below reads the rows
    show_availability(session, list(back))


def _short(session: Session, order_id: UUID) -> list[Shortfall]:
    missing = select(Hold.lot_id, Hold.quantity).where(Hold.order_id == order_id, Hold.state == "released").order_by(Hold.lot_id)
    return [Shortfall(lot_id, quantity) for lot_id, quantity in session.execute(missing)]


def _lock_lots_of(session: Session, order_id: UUID) -> Sequence[UUID]:
    lots = session.scalars(select(Hold.lot_id).where(Hold.order_id == order_id)).all()
    lock(session, Stock, lots, column="lot_id")
    return lots


def _released(session: Session, rows: Sequence[object]) -> int:
    show_availability(session, [row.lot_id for row in rows if row.before <= 0])  # type: ignore[attr-defined]
    return sum(row.holds for row in rows)  # type: ignore[attr-defined]
