"""Staff withdraw a lot: nothing of it is sold or sent from that moment on, and whoever bought of it is told.

The act itself locks the lot and ends its offers. Orders follow one by one, each in a unit of work of its own, because whoever
holds a lot may not wait for orders: those who pay or pack hold an order and wait for its lots. Every step is found by the
state of the rows, so it can be taken again at any time.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Select, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from market.catalogue import service as stock
from market.kernel.actor import Actor, system
from market.kernel.locks import lock, lock_one
from market.kernel.outbox import announce
from market.kernel.words import say
from market.orders import events
from market.orders.models import Order, OrderLine, SellerOrder, WithdrawnLine
from market.orders.service.refund import refund_lines
from market.orders.service.withdrawn import PROBLEM, settle_problem, withdrawn_left
from market.provenance import service as provenance
from market.provenance import withdrawal_queries as withdrawals
from market.provenance.errors import LotNotWithdrawn
from market.provenance.withdrawal_queries import WithdrawalView


def withdraw_lot(
    session: Session, *, actor: Actor, lot_id: UUID, with_lots: Iterable[UUID], reason: str, advice: str, now: datetime
) -> WithdrawalView:
    """Withdraw a lot, and of what was made from it `with_lots`: their offers leave the shop in this transaction.

    An order that is placed at this moment is refused, or is one of those that the withdrawal reaches. Raises LotMissing,
    LotWithdrawn, WithdrawalFaulty.
    """
    chosen = list(with_lots)
    stock.lock_lots(session, lot_ids=[lot_id, *chosen])
    made = provenance.withdraw(
        session, actor=actor, lot_id=lot_id, with_lots=chosen, reason=reason, advice=advice, now=now
    )  # fmt: skip
    stock.mark_withdrawn(session, lot_ids=made.lots, withdrawn=True)
    stock.stop_offers(session, actor=actor, lot_ids=made.lots, now=now)
    announce(session, events.LOT_WITHDRAWN, {"withdrawal_id": made.id})
    return made


def take_back_withdrawal(session: Session, *, actor: Actor, lot_id: UUID, reason: str, now: datetime) -> WithdrawalView:
    """Take back the withdrawal that names a lot. Its offers stay out of the shop until somebody publishes them again.

    What was given back stays given back; parts that still wait can be sent. Raises LotMissing, LotNotWithdrawn,
    WithdrawalFaulty.
    """
    named = [view for view in withdrawals.withdrawals_of(session, lot_id) if view.lot_id == lot_id and view.ended_at is None]
    stock.lock_lots(session, lot_ids=[each for view in named for each in view.lots])
    ended = provenance.take_back(session, actor=actor, lot_id=lot_id, reason=reason, now=now)
    still = withdrawals.in_force(session, ended.lots)
    stock.mark_withdrawn(session, lot_ids=[each for each in ended.lots if each not in still], withdrawn=False)
    announce(session, events.LOT_WITHDRAWAL_ENDED, {"withdrawal_id": ended.id})
    return ended


def unpaid_of(session: Session, *, withdrawal_id: UUID) -> list[UUID]:
    """Return the orders that wait for their payment and hold goods of a withdrawal in force: they are to be cancelled."""
    wanted = _of_lots(session, withdrawal_id)
    return [] if wanted is None else _ids(session, wanted.where(SellerOrder.state == "placed"))


def to_note(session: Session, *, withdrawal_id: UUID) -> list[UUID]:
    """Return the orders, paid or kept on a card, that a withdrawal in force has not reached yet."""
    wanted = _of_lots(session, withdrawal_id)
    noted = exists().where(WithdrawnLine.withdrawal_id == withdrawal_id, WithdrawnLine.order_line_id == OrderLine.id)
    return [] if wanted is None else _ids(session, wanted.where(SellerOrder.state.not_in(("placed", "cancelled")), ~noted))


def note_withdrawn(session: Session, *, withdrawal_id: UUID, order_id: UUID, now: datetime) -> bool:
    """Note on an order what a withdrawal in force means for it, and have its buyer told; False when there is no news.

    What has left is noted with what left; what has not, with what is left of it, and becomes a problem of its part until the
    money is back: nobody sends it.
    """
    lock_one(session, Order, order_id)
    ids = session.scalars(select(SellerOrder.id).where(SellerOrder.order_id == order_id)).all()
    sellers = {seller.id: seller for seller in lock(session, SellerOrder, ids)}
    view = withdrawals.withdrawal(session, withdrawal_id)
    if view.ended_at is not None:
        return False
    own = select(OrderLine).where(OrderLine.order_id == order_id, OrderLine.lot_id.in_(view.lots)).order_by(OrderLine.id)
    rows = []
    for line in session.scalars(own.execution_options(populate_existing=True)):
        seller = sellers[line.seller_order_id]
        sent, quantity = seller.shipped_at is not None, line.quantity - line.returned_quantity
        if sent:  # what was given back later is with the buyer all the same; what was replaced never left
            quantity = Decimal(0) if _replaced(session, line.id) else line.quantity - line.unsent_quantity
        if seller.state in ("placed", "cancelled") or not quantity:
            continue
        rows.append(
            {"withdrawal_id": view.id, "order_line_id": line.id, "seller_order_id": seller.id, "order_id": order_id,
             "coop_id": seller.coop_id, "quantity": quantity, "sent": sent, "noted_at": now}
        )  # fmt: skip
        if seller.state == "paid" and seller.problem is None:
            seller.problem = PROBLEM
    if not rows:
        return False
    statement = insert(WithdrawnLine).on_conflict_do_nothing().returning(WithdrawnLine.order_line_id)
    if not session.execute(statement, rows).all():
        return False
    announce(session, events.GOODS_WITHDRAWN, {"withdrawal_id": view.id, "order_id": order_id})
    return True


def to_refund(session: Session, *, withdrawal_id: UUID) -> list[UUID]:
    """Return the paid parts that hold goods of a withdrawal in force and have not left: their money goes back."""
    view = withdrawals.withdrawal(session, withdrawal_id)
    if view.ended_at is not None:
        return []
    left = select(OrderLine.seller_order_id).where(
        OrderLine.lot_id.in_(view.lots), OrderLine.returned_quantity < OrderLine.quantity
    )
    wanted = select(SellerOrder.id).where(SellerOrder.id.in_(left), SellerOrder.state == "paid").order_by(SellerOrder.id)
    return list(session.scalars(wanted))


def refund_withdrawn(session: Session, *, withdrawal_id: UUID, seller_order_id: UUID, now: datetime) -> UUID | None:
    """Give back what a part holds of a withdrawal in force and did not send; return the refund, None where nothing is to do.

    Posts, so call it last. Raises what `refund_lines` raises: then it stays a problem for staff.
    """
    seller = lock_one(session, SellerOrder, seller_order_id)
    view = withdrawals.withdrawal(session, withdrawal_id)
    lines = [line for line in withdrawn_left(session, seller.id) if line.lot_id in view.lots]
    if view.ended_at is not None or seller.state != "paid" or not lines:
        return None
    return refund_lines(
        session, actor=system("orders"), seller_order_id=seller.id, bearer="coop", now=now,
        quantities={line.id: line.quantity - line.returned_quantity for line in lines},
        reason=say("The lot was withdrawn: %(reason)s", reason=" ".join(view.reason.split())),
    )  # fmt: skip


def let_parts_go(session: Session, *, withdrawal_id: UUID) -> int:
    """Let parts be sent that waited for a withdrawal which was taken back, and for no other; return how many."""
    lots = withdrawals.withdrawal(session, withdrawal_id).lots
    mine = select(OrderLine.seller_order_id).where(OrderLine.lot_id.in_(lots))
    waiting = select(SellerOrder.id).where(SellerOrder.id.in_(mine), SellerOrder.problem == PROBLEM)
    sellers = lock(session, SellerOrder, session.scalars(waiting).all())
    for seller in sellers:
        settle_problem(session, seller)
    return sum(seller.problem is None for seller in sellers)


def _of_lots(session: Session, withdrawal_id: UUID) -> Select[UUID] | None:
    """Return the ids of orders with lines of what a withdrawal is about; None when it was taken back."""
    try:
        view = withdrawals.withdrawal(session, withdrawal_id)
    except LotNotWithdrawn:
        return None
    joined = select(OrderLine.order_id).join(SellerOrder, SellerOrder.id == OrderLine.seller_order_id)
    return joined.where(OrderLine.lot_id.in_(view.lots)) if view.ended_at is None else None


def _ids(session: Session, wanted: Select[UUID]) -> list[UUID]:
    return list(session.scalars(wanted.distinct().order_by(OrderLine.order_id)))


def _replaced(session: Session, line_id: UUID) -> bool:
    other = aliased(OrderLine)
    return session.scalar(select(other.id).where(other.replaces_id == line_id).limit(1)) is not None
