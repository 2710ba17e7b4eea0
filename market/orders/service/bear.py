"""Who bears a lost card dispute: the co-op does, unless a person names the producer or the fund, as for refunds (E27)."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Session

from market.kernel import audit
from market.kernel.actor import Actor
from market.kernel.clock import day_in
from market.kernel.locks import lock_one
from market.kernel.money import Money
from market.ledger import service as ledger
from market.ledger.rules import Entry
from market.orders.errors import BearerFaulty, OrderMissing, WrongState
from market.orders.models import DisputeBearing, SellerOrder
from market.orders.service.refund import take_back
from market.payments import dispute_queries as disputes
from market.payments import queries as payments
from market.payments.postings import loss_borne
from market.payments.queries import PaymentView
from market.payments.rules import Amounts, over_components
from market.producers import queries as producers


def bear_dispute(
    session: Session,
    *,
    actor: Actor,
    dispute_id: UUID,
    seller_order_id: UUID,
    goods: str,
    premium: str,
    reason: str,
    now: datetime,
) -> None:
    """Say once who bears what a lost dispute took of a seller order: `goods` the `coop` or the `producer`, `premium` the
    `coop` or the `fund`; fees and tax stay with the co-op, as after a refund.

    What the producer bears comes off what they are still owed; what was paid to them already they owe, and it is netted with
    later payouts. Raises BearerFaulty, WrongState, OrderMissing, AlreadyOnItsWay while a draft run has taken the money.
    Posts, so call it last.
    """
    if goods not in ("coop", "producer") or premium not in ("coop", "fund"):
        raise BearerFaulty("Please say who bears it.", pointer="/goods")
    if not reason.strip():
        raise BearerFaulty("Please say why, so that the producer can read it.", pointer="/reason")
    seller = lock_one(session, SellerOrder, seller_order_id)
    found = disputes.dispute(session, dispute_id)
    payment = payments.payment(session, found.payment_id)
    if payment.subject_id != seller.order_id:
        raise OrderMissing("This dispute is about another order.")
    if found.state != "lost":
        raise WrongState("Nothing is lost yet: the dispute is not decided against us.", state=found.state)
    if session.get(DisputeBearing, (dispute_id, seller_order_id)) is not None:
        raise WrongState("Who bears this was decided already.")
    if seller.state != "settled" and (goods, premium) != ("coop", "coop"):
        raise WrongState("The producer has not earned this yet. Decide once the order has arrived.", state=seller.state)
    lost = _lost_of(session, payment, seller.id, found.money)
    nothing = Money.zero(seller.currency)
    off, claim = nothing, nothing
    if goods == "producer" and lost.goods:
        off, claim = take_back(session, seller, lost.goods)
    from_fund = lost.premium if premium == "fund" else nothing
    session.add(DisputeBearing(
        coop_id=seller.coop_id, dispute_id=dispute_id, seller_order_id=seller.id, currency=seller.currency,
        producer_minor=(off + claim).minor, fund_minor=from_fund.minor,
        coop_minor=(lost.total - off - claim - from_fund).minor, reason=reason.strip(), decided_by=actor.label, decided_at=now,
    ))  # fmt: skip
    audit.record(
        session, actor=actor, action="orders.dispute_borne", subject_kind="seller_order", subject_id=seller.id,
        coop_id=seller.coop_id, now=now, new={"goods": goods, "premium": premium, "reason": reason.strip()},
    )  # fmt: skip
    legs = loss_borne(seller.producer_id, off=off, claim=claim, premium=from_fund, subject=seller.id)
    if legs:
        on = day_in(now, producers.coop(session, seller.coop_id).time_zone)
        key = f"dispute:{dispute_id}:borne:{seller.id}"
        entry = Entry(ledger.book_of(session, seller.coop_id), "dispute.borne", key, on, actor.label, legs)
        ledger.post(session, [entry], late=True)


def _lost_of(session: Session, payment: PaymentView, seller_order_id: UUID, taken: Money) -> Amounts:
    """Return what a dispute took of one seller order: in proportion to what is left of it and of the whole payment."""
    left = payments.refundable(session, payment_id=payment.id, subject=seller_order_id)
    whole = payment.received - payment.refunded
    if not left.total or taken >= whole:
        return left
    return over_components(left, left.total.share(Decimal(taken.minor), Decimal(whole.minor)))
