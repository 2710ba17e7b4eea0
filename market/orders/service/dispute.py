"""What a card dispute means for an order: what its producers have earned and not been paid waits until it is decided."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.earnings import service as earnings
from market.kernel.actor import system
from market.kernel.clock import day_in
from market.kernel.money import total
from market.kernel.words import N_
from market.orders.models import SellerOrder
from market.payables import queries as payables
from market.payments import dispute_queries as disputes
from market.payments import queries as payments
from market.payments.dispute_queries import DisputeView
from market.producers import queries as producers

HELD_FOR = timedelta(days=120)  # card networks decide within this time; a hold ends by itself all the same
_ACTOR = system("orders")
_REASON = N_("The buyer disputes the card payment of this order.")
_APPEAL = N_("Write to your co-op. The money is paid as soon as the dispute is decided, whatever the decision.")


def note_dispute(session: Session, *, dispute_id: UUID, now: datetime) -> int:
    """Hold what is earned and unpaid of a disputed order, or end the holds of a dispute that is decided; return how many.

    The co-op bears a lost dispute (E27), so the producer is paid either way. Repeatable. Posts, so call it last.
    """
    found = disputes.dispute(session, dispute_id)
    if not found.is_open:
        return earnings.end_holds_of(session, actor=_ACTOR, source_kind="dispute", source_id=found.id, now=now)
    payment = payments.payment(session, found.payment_id)
    if payment.subject_kind != "order":
        return 0
    settled = (SellerOrder.order_id == payment.subject_id, SellerOrder.state == "settled")
    sellers = session.scalars(select(SellerOrder).where(*settled).order_by(SellerOrder.id)).all()
    return sum(_hold(session, seller, found, now) for seller in sellers)


def hold_disputed(session: Session, *, seller_order_id: UUID, now: datetime) -> int:
    """Hold what a seller order has just earned, if its payment is disputed. Repeatable. Posts, so call it last."""
    seller = session.get_one(SellerOrder, seller_order_id)
    paid = payments.payments_of(session, subject_kind="order", subject_id=seller.order_id)
    open_ones = [one for payment in paid for one in disputes.disputes_about(session, payment_id=payment.id) if one.is_open]
    return sum(_hold(session, seller, one, now) for one in open_ones)


def _hold(session: Session, seller: SellerOrder, dispute: DisputeView, now: datetime) -> int:
    owed = payables.open_for(session, source_id=seller.id)
    if not owed:
        return 0  # paid already, or in a run: then the co-op alone has the risk
    zone = producers.coop(session, seller.coop_id).time_zone
    earnings.hold(
        session,
        actor=_ACTOR,
        producer_id=seller.producer_id,
        money=total([one.money for one in owed], seller.currency),
        reason=_REASON,
        appeal=_APPEAL,
        ends_on=day_in(now + HELD_FOR, zone),
        source_kind="dispute",
        source_id=dispute.id,
        owed_for=seller.id,
        now=now,
    )
    return 1
