"""Late substitution: the producer has something else instead, and sends it when the buyer has said yes.

What replaces a line never costs more of anything than the line did, so nobody pays again; what it costs less goes back.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.catalogue import queries as catalogue
from market.catalogue import service as stock
from market.kernel import audit, direct
from market.kernel.actor import Actor
from market.kernel.ids import new_id
from market.kernel.locks import lock_one
from market.kernel.money import Money
from market.kernel.outbox import announce
from market.kernel.words import N_, say
from market.orders import events, rules
from market.orders.errors import OrderMissing, QuantityFaulty, SubstituteDearer, WrongState
from market.orders.models import Order, OrderLine, PriceComponent, SellerOrder, Substitution
from market.orders.service.place import QuotedLine, WantedLine, line_row, part_row, quote
from market.orders.service.refund import count_refunds, lines_left, say_refunded
from market.orders.service.withdrawn import settle_problem
from market.orders.tender_queries import tenders
from market.payments import queries as payment_queries
from market.payments import service as payments
from market.payments.rules import Amounts
from market.pricing import service as pricing

REASON = N_("Something else was sent instead, with the buyer's consent")


def propose_substitution(
    session: Session,
    *,
    actor: Actor,
    seller_order_id: UUID,
    line_id: UUID,
    listing_id: UUID,
    quantity: Decimal,
    words: str,
    now: datetime,
) -> UUID:
    """Ask the buyer whether something else of the same producer may be sent instead of a line; return the question's id.

    Nothing changes until the buyer says yes. A new question takes the place of the one before. Raises WrongState,
    OrderMissing, QuantityFaulty, SubstituteDearer, and what prices and floors refuse.
    """
    seller = lock_one(session, SellerOrder, seller_order_id)
    if not actor.is_staff and seller.producer_id != actor.producer_id:
        raise OrderMissing("There is no such order among yours.")
    line = _line(session, seller, line_id)
    offer = catalogue.listings_by_id(session, [listing_id]).get(listing_id)
    if offer is None or offer.producer_id != seller.producer_id or offer.currency != seller.currency:
        raise OrderMissing("Only goods of the same producer can be sent instead.")
    _fitting(session, line, _priced(session, listing_id, quantity, None, now), seller)
    for before in session.scalars(select(Substitution).where(Substitution.order_line_id == line.id, _OPEN)):
        before.state, before.decided_at = "withdrawn", now
    session.flush()  # one question at a time: the index over open ones sees the old one closed
    row = Substitution(
        id=new_id(), coop_id=seller.coop_id, seller_order_id=seller.id, order_line_id=line.id, listing_id=listing_id,
        title=offer.title, unit=offer.unit, quantity=quantity, unit_price=offer.unit_price, words=words.strip()[:500],
        state="proposed", proposed_by=actor.label, proposed_at=now,
    )  # fmt: skip
    session.add(row)
    announce(session, events.SUBSTITUTE_OFFERED, {"substitution_id": row.id, "seller_order_id": seller.id})
    return row.id


def answer_substitution(
    session: Session, *, actor: Actor, order_id: UUID, substitution_id: UUID, accept: bool, now: datetime
) -> None:
    """Say yes or no for the buyer, whom the edge has proven; the same answer again changes nothing.

    Yes puts the goods of the line back on the shelf and takes the others; what they cost less goes back the way it was paid.
    Raises OrderMissing, WrongState when it was sent or answered otherwise, PriceChanged, ListingSoldOut.
    """
    asked = session.get(Substitution, substitution_id)
    seller = lock_one(session, SellerOrder, asked.seller_order_id) if asked else None
    if asked is None or seller is None or seller.order_id != order_id:
        raise OrderMissing("There is no such question about this order.")
    session.refresh(asked)
    answer = "accepted" if accept else "refused"
    if asked.state == answer:
        return
    if asked.state != "proposed":
        raise WrongState("This question was answered or taken back already.", state=asked.state)
    asked.state, asked.decided_at = answer, now
    audit.record(
        session, actor=actor, action=f"orders.substitute_{answer}", subject_kind="seller_order", subject_id=seller.id,
        coop_id=seller.coop_id, now=now, new={"listing": str(asked.listing_id), "quantity": f"{asked.quantity:f}"},
    )  # fmt: skip
    if accept:
        _replace(session, actor, seller, asked, now)


_OPEN = Substitution.state == "proposed"


def _line(session: Session, seller: SellerOrder, line_id: UUID) -> OrderLine:
    if seller.state != "paid":
        raise WrongState("Only what is paid and not sent can be replaced.", state=seller.state)
    if tenders(session, [seller.id]):
        raise WrongState("Part of this was paid in a community currency. Give the line back, and order the other goods anew.")
    line = session.get(OrderLine, line_id, populate_existing=True)
    if line is None or line.seller_order_id != seller.id:
        raise OrderMissing("There is no such line in this part of the order.")
    if line.returned_quantity == line.quantity:
        raise WrongState("This line was given back or replaced already.")
    return line


def _priced(session: Session, listing_id: UUID, quantity: Decimal, seen: Decimal | None, now: datetime) -> QuotedLine:
    if not quantity.is_finite():
        raise QuantityFaulty("Please enter the quantity as a number.", pointer="/quantity")
    return quote(session, wanted=[WantedLine(listing_id, quantity, seen)], now=now).lines[0]


def _fitting(session: Session, line: OrderLine, new: QuotedLine, seller: SellerOrder) -> Amounts:
    """Return by how much less the new line costs, by component. Raises SubstituteDearer, WrongState."""
    known = select(OrderLine.id).where(OrderLine.order_id == line.order_id, OrderLine.lot_id == new.offer.lot_id)
    if session.scalars(known.limit(1)).first() is not None:
        raise WrongState("Goods of this lot are in the order already.")
    old = rules.by_component(lines_left(session, line.id), seller.currency)
    costs = rules.by_component([(part.kind, part.money) for part in new.parts], seller.currency)
    less = Amounts(**{name: old[name] - costs[name] for name in old})
    if any(money.minor < 0 for _, money in less.components()):
        raise SubstituteDearer(
            say(
                "What is sent instead may cost no more than what it replaces: %(new)s instead of %(old)s.",
                new=sum(costs.values(), Money.zero(seller.currency)),
                old=sum(old.values(), Money.zero(seller.currency)),
            )
        )
    return less


def _replace(session: Session, actor: Actor, seller: SellerOrder, asked: Substitution, now: datetime) -> None:
    line = _line(session, seller, asked.order_line_id)
    new = _priced(session, asked.listing_id, asked.quantity, asked.unit_price, now)
    less = _fitting(session, line, new, seller)
    _swap_stock(session, seller, line, new, now)
    line.returned_quantity = line.quantity
    for part in session.scalars(select(PriceComponent).where(PriceComponent.order_line_id == line.id)):
        part.returned_minor = part.amount_minor
    _write(session, seller, line, new, now)
    settle_problem(session, seller)
    announce(session, events.CHANGED, {"seller_order_id": seller.id, "change_id": asked.id})
    if less.total:
        paid = payment_queries.payments_of(session, subject_kind="order", subject_id=seller.order_id)
        made = payments.refund(
            session, payment_id=next(one.id for one in paid if one.is_paid), subject=seller.id, amounts=less, reason=REASON,
            bearer="coop", actor=actor, now=now,
        )  # fmt: skip
        count_refunds(seller, made.amounts)
        say_refunded(session, seller, made.amounts.total)


def _swap_stock(session: Session, seller: SellerOrder, line: OrderLine, new: QuotedLine, now: datetime) -> None:
    """Put back what is left of the line and take the other goods; lots are locked in the order of their ids, as everywhere."""
    left = line.quantity - line.returned_quantity
    back = (line.stock_quantity * left / line.quantity).quantize(Decimal("0.000001"))
    wanted = catalogue.in_stock_unit(new.offer, new.quantity)

    def give() -> None:
        stock.return_stock(session, order_id=seller.order_id, wants=[(line.lot_id, back)])

    def take() -> None:
        expires_at = session.get_one(Order, seller.order_id).expires_at
        stock.hold_stock(session, wants=[(new.offer.lot_id, wanted)], order_id=seller.order_id, expires_at=expires_at)
        stock.take_holds(session, order_id=seller.order_id)

    for step in (give, take) if line.lot_id < new.offer.lot_id else (take, give):
        step()


def _write(session: Session, seller: SellerOrder, line: OrderLine, new: QuotedLine, now: datetime) -> None:
    line_id = new_id()
    checks, piece = pricing.storing([(line_id, new.verdict, new.on)], now=now)
    direct.run_together(session, [piece], "SELECT 1")
    row = line_row(line_id, new, checks[line_id])
    session.add(OrderLine(**row, order_id=seller.order_id, seller_order_id=seller.id, replaces_id=line.id))
    session.flush()
    session.add_all(PriceComponent(**part_row(line_id, part)) for part in new.parts)
    session.flush()
