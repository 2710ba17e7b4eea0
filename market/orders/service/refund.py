"""Money back before the producer was paid, by quantity, goods and premium apart (E15 to E17, R-02)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.catalogue import service as stock
from market.kernel import audit
from market.kernel.actor import Actor
from market.kernel.locks import lock, lock_one
from market.kernel.money import Money, allocate
from market.kernel.outbox import announce
from market.kernel.words import say
from market.ledger import queries as books
from market.ledger import service as ledger
from market.ledger.rules import Leg
from market.orders import events, rules
from market.orders.errors import RefundTooLarge, WrongState
from market.orders.models import OrderLine, PriceComponent, SellerOrder
from market.orders.service.tender_back import return_tender, tender_share
from market.orders.service.withdrawn import settle_problem
from market.orders.tender_queries import tenders
from market.payables import service as payables
from market.payments import queries as payment_queries
from market.payments import service as payments
from market.payments.rules import COMPONENTS, Amounts
from market.treasury import rules as treasury

REFUNDABLE = rules.HELD
_SMALLEST = Decimal("0.000001")  # of a quantity, as it is stored


def refund_seller_order(
    session: Session, *, actor: Actor, seller_order_id: UUID, reason: str, bearer: str, now: datetime
) -> UUID:
    """Refund everything that is left of a producer's part; return the refund's id. Raises as `refund_lines`."""
    lines = session.execute(
        select(OrderLine.id, OrderLine.quantity - OrderLine.returned_quantity).where(OrderLine.seller_order_id == seller_order_id)
    )
    wanted = {line_id: left for line_id, left in lines if left > 0}
    return refund_lines(
        session, actor=actor, seller_order_id=seller_order_id, quantities=wanted, reason=reason, bearer=bearer, now=now
    )


def refund_lines(
    session: Session,
    *,
    actor: Actor,
    seller_order_id: UUID,
    quantities: Mapping[UUID, Decimal],
    reason: str,
    bearer: str,
    now: datetime,
) -> UUID:
    """Give back the parts of the returned quantities in the tender they were paid in; return the refund's id.

    Goods that had not left go back on the shelf. Once the order is settled the money comes from where it went: what the
    producer bears is taken off what they are still owed (E17); what was paid already they owe (E20). Raises WrongState for
    an order that is not paid,
    AlreadyOnItsWay while the producer's money is in a draft run, RefundTooLarge beyond what was ordered and not returned.
    """
    seller = lock_one(session, SellerOrder, seller_order_id)
    unsent = seller.state == "paid"
    if seller.state not in (*REFUNDABLE, "settled"):
        raise WrongState("Only a paid order can be refunded.", state=seller.state)
    lines = lock(session, OrderLine, quantities)
    if not quantities or len(lines) != len(quantities) or any(line.seller_order_id != seller.id for line in lines):
        raise RefundTooLarge("Name at least one line of this order and the quantity to give back.")
    parts: list[tuple[str, Money]] = []
    for line in lines:
        parts += return_line(session, line, quantities[line.id])
    sums = rules.by_component(parts, seller.currency)
    if unsent:
        back = [(line.lot_id, stock_share(line, quantities[line.id])) for line in lines]
        stock.return_stock(session, order_id=seller.order_id, wants=back)
    if seller.state != "settled" and _all_returned(session, seller.id):
        seller.state, seller.problem = rules.next_state(seller.state, "refunded"), None
    settle_problem(session, seller)
    audit.record(
        session,
        actor=actor,
        action="orders.refunded",
        subject_kind="seller_order",
        subject_id=seller.id,
        coop_id=seller.coop_id,
        now=now,
        new={"reason": reason, "bearer": bearer, "quantities": {str(key): f"{value:f}" for key, value in quantities.items()}},
    )
    paid = next(p for p in payment_queries.payments_of(session, subject_kind="order", subject_id=seller.order_id) if p.is_paid)
    in_unit = tender_share(session, seller, parts)
    amounts, legs = Amounts(**sums | {"charges": sums["charges"] - in_unit}), tuple[Leg, ...]()
    if seller.state == "settled":
        payments.parts_left(session, subjects=[seller.id])  # locks the payment, which comes before payables
        left = payment_queries.refundable(session, payment_id=paid.id, subject=seller.id)
        amounts = replace(amounts, charges=min(amounts.charges, left.charges))
        legs = _after_release(session, seller, amounts, rules.earned_fee(parts, seller.currency) - in_unit, bearer)
    refund = payments.refund(
        session,
        payment_id=paid.id,
        subject=seller.id,
        amounts=amounts,
        legs=legs,
        reason=reason,
        bearer=bearer,
        actor=actor,
        now=now,
    )
    if unsent:
        announce(session, events.CHANGED, {"seller_order_id": seller.id, "change_id": refund.id})
    given = refund.amounts  # less than the parts where the co-op had borne what the buyer paid too little
    count_refunds(seller, replace(given, charges=given.charges + in_unit))
    say_refunded(session, seller, given.total + in_unit)
    if in_unit:
        return_tender(session, seller, in_unit, refund_id=refund.id, actor=actor, now=now)
    return refund.id


def _after_release(session: Session, seller: SellerOrder, amounts: Amounts, fee: Money, bearer: str) -> tuple[Leg, ...]:
    """Take back what was earned (E17; paid out, E20): the premium with its quantity, the fee, the rest as a cost."""
    fee = min(fee, amounts.charges)
    off, claim, cost = Money.zero(seller.currency), Money.zero(seller.currency), amounts.goods
    if bearer == "producer" and amounts.goods:
        cost = Money.zero(seller.currency)
        off, claim = take_back(session, seller, amounts.goods)
    spent = _spent_premium(session, seller, amounts.premium)
    there = replace(amounts, premium=amounts.premium - spent)
    legs = rules.taken_back_legs(there, payee=seller.producer_id, off=off, claim=claim, cost=cost, fee=fee, subject=seller.id)
    return legs + treasury.premium_owed_back("org", spent, seller.id)


def _spent_premium(session: Session, seller: SellerOrder, premium: Money) -> Money:
    """Return what of a premium the fund has spent or committed already (E38): the co-op gives it back, and the fund owes it."""
    book = ledger.book_of(session, seller.coop_id)
    left = books.balance(session, book, "fund_available", premium.currency)
    return max(premium - left, Money.zero(premium.currency))


def take_back(session: Session, seller: SellerOrder, goods: Money) -> tuple[Money, Money]:
    """Let the producer bear `goods` of what was earned; return what is owed less and what is claimed back."""
    return payables.take_back(
        session, coop_id=seller.coop_id, source_kind="seller_order", source_id=seller.id, kind="sale", money=goods
    )


def note_refunds(session: Session, *, seller_order_id: UUID, now: datetime, untaken: int = 0) -> bool:
    """Take note of money given back outside of here, in the card processor's dashboard; False when all is known.

    `untaken`, in minor units, is what was never charged of it: it was not given back, and the problem says so.

    It is taken off the parts in proportion, so that nobody is owed it any more, and becomes a problem for staff. What was
    given back after the producer had earned it stays with the co-op. What was given back before the order took note of its
    payment is noted with that.
    """
    seller = lock_one(session, SellerOrder, seller_order_id)
    if seller.state in ("placed", "authorised"):
        return False
    stock.lock_holds(session, order_ids=[seller.order_id])
    found = count_refunds_elsewhere(session, [seller])
    if not found:
        return False
    seller.unsent_minor += untaken
    if seller.state == "paid" and left_of(seller) == 0:
        lines = session.scalars(select(OrderLine).where(OrderLine.seller_order_id == seller.id)).all()
        back = [(line.lot_id, stock_share(line, line.quantity - line.returned_quantity)) for line in lines]
        stock.return_stock(session, order_id=seller.order_id, wants=[(lot, quantity) for lot, quantity in back if quantity])
        for line in lines:
            line.returned_quantity = line.quantity
    if seller.state in REFUNDABLE:
        if left_of(seller):
            seller.problem = "refunded_elsewhere" if found > untaken else "charged_less"
        else:
            seller.state, seller.problem = rules.next_state(seller.state, "refunded"), None
    announce(session, events.PROBLEM, {"seller_order_id": seller.id})
    say_refunded(session, seller, Money(found - untaken, seller.currency))
    return True


def count_refunds_elsewhere(session: Session, sellers: Sequence[SellerOrder]) -> int:
    """Count on locked seller orders what payments gave back of them without us; return it in minor units. Locks payments."""
    found = 0
    ids = [seller.id for seller in sellers]
    in_unit = tenders(session, ids)
    for seller_id, left in payments.parts_left(session, subjects=ids).items():
        seller = next(one for one in sellers if one.id == seller_id)
        known = (getattr(seller, f"{name}_minor") - getattr(seller, f"{name}_refunded_minor") for name in COMPONENTS)
        if seller_id in in_unit:
            left = replace(left, charges=left.charges + Money(in_unit[seller_id].minor, seller.currency))
        pairs = zip(Amounts.of(seller.currency, known).components(), left.components(), strict=True)
        more = Amounts(*(counted - money for (_, counted), (_, money) in pairs))
        if not more.total:
            continue
        found += more.total.minor
        if seller.state in REFUNDABLE:
            _spread(session, seller, more)
        count_refunds(seller, more)
    return found


def _spread(session: Session, seller: SellerOrder, more: Amounts) -> None:
    """Take amounts off the parts of all lines in proportion to what is left of each."""
    statement = select(PriceComponent).join(OrderLine).where(OrderLine.seller_order_id == seller.id)
    parts = session.scalars(statement.order_by(OrderLine.id, PriceComponent.seq)).all()
    for name, money in more.components():
        if not money:
            continue
        own = [part for part in parts if rules.COMPONENT[part.kind] == name and part.amount_minor > part.returned_minor]
        for part, share in zip(own, allocate(money, [part.amount_minor - part.returned_minor for part in own]), strict=True):
            part.returned_minor += share.minor
    session.flush()


def count_refunds(seller: SellerOrder, amounts: Amounts) -> None:
    """Count on a locked seller order what is given back of it."""
    for name, money in amounts.components():
        setattr(seller, f"{name}_refunded_minor", getattr(seller, f"{name}_refunded_minor") + money.minor)


def say_refunded(session: Session, seller: SellerOrder, given: Money) -> None:
    """Announce that so much of a locked seller order was given back, and how much of it that makes: each time is a fact."""
    upto = sum(getattr(seller, f"{name}_refunded_minor") for name in COMPONENTS) - seller.unsent_minor
    announce(session, events.REFUNDED, {"seller_order_id": seller.id, "minor": given.minor, "upto": upto})


def left_of(seller: SellerOrder) -> int:
    """Return what of a part is neither given back nor uncharged, in minor units."""
    return sum(getattr(seller, f"{name}_minor") - getattr(seller, f"{name}_refunded_minor") for name in COMPONENTS)


def lines_left(session: Session, line_id: UUID) -> list[tuple[str, Money]]:
    """Return what is left of each part of a line's price."""
    parts = session.scalars(select(PriceComponent).where(PriceComponent.order_line_id == line_id).order_by(PriceComponent.seq))
    return [(part.kind, Money(part.amount_minor - part.returned_minor, part.currency)) for part in parts]


def return_line(session: Session, line: OrderLine, quantity: Decimal) -> list[tuple[str, Money]]:
    """Count a quantity of a locked line as returned, and return what that is of each part of its price. Raises RefundTooLarge."""
    left = line.quantity - line.returned_quantity
    if not quantity.is_finite() or not 0 < quantity <= left or quantity != quantity.quantize(_SMALLEST):
        raise RefundTooLarge(
            say("Of “%(title)s” at most %(left)s %(unit)s can be given back.", title=line.title, left=left, unit=line.unit),
            left=left,
        )
    given = []
    for part, step in _steps(session, line, quantity):
        given.append((part.kind, Money(step, part.currency)))
        part.returned_minor += step
    line.returned_quantity += quantity
    return given


def _steps(session: Session, line: OrderLine, quantity: Decimal) -> Iterator[tuple[PriceComponent, int]]:
    """Yield the parts of a line's price with what goes back of each when `quantity` more is returned."""
    components = select(PriceComponent).where(PriceComponent.order_line_id == line.id).order_by(PriceComponent.seq)
    for part in session.scalars(components):
        # Cumulative: all parts come to zero when everything is returned, whatever was rounded on the way.
        due = Money(part.amount_minor, part.currency).share(line.returned_quantity + quantity, line.quantity)
        step = due.minor - part.returned_minor
        if step * part.amount_minor > 0:  # more than this may have been given back elsewhere already
            yield part, step


def worth(session: Session, line_id: UUID, quantity: Decimal) -> Money | None:
    """Return what goes back to the buyer for `quantity` of a line, at most; None for more than is left of it."""
    line = session.get_one(OrderLine, line_id)
    if not quantity.is_finite() or not 0 < quantity <= line.quantity - line.returned_quantity:
        return None
    steps = list(_steps(session, line, quantity))
    return Money(sum(step for _part, step in steps), steps[0][0].currency) if steps else None


def stock_share(line: OrderLine, quantity: Decimal) -> Decimal:
    """Return what a quantity of a line is in the unit of its lot."""
    return (line.stock_quantity * quantity / line.quantity).quantize(_SMALLEST)


def _all_returned(session: Session, seller_order_id: UUID) -> bool:
    session.flush()
    open_lines = select(OrderLine.id).where(
        OrderLine.seller_order_id == seller_order_id, OrderLine.returned_quantity < OrderLine.quantity
    )
    return session.scalars(open_lines.limit(1)).first() is None
