"""Orders with their parts, for those who may see them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from market.kernel import paging
from market.kernel.money import Money, total
from market.kernel.paging import Page
from market.orders import rules
from market.orders.errors import OrderMissing
from market.orders.models import Complaint, Order, OrderLine, PriceComponent, SellerOrder
from market.producers import queries as producers

PAGE = 50


@dataclass(frozen=True, slots=True)
class Part:
    """One component of a line's price."""

    kind: str
    label: str
    money: Money
    returned: Money
    payee: str
    tax_rate: Decimal
    tax: Money


@dataclass(frozen=True, slots=True)
class Line:
    """An ordered quantity with its frozen breakdown."""

    id: UUID
    listing_id: UUID
    lot_id: UUID
    title: str
    unit: str
    quantity: Decimal
    returned: Decimal
    unit_price: Decimal
    total: Money
    check_ids: tuple[UUID, ...]
    parts: tuple[Part, ...]
    replaces_id: UUID | None = None
    unsent: Decimal = Decimal(0)

    def charged(self, part: Part) -> Money:
        """Return what of a part of the price was charged: what was not there when it was packed was not."""
        return part.money - part.money.share(self.unsent, self.quantity)


@dataclass(frozen=True, slots=True)
class SellerPart:
    """One producer's part of an order."""

    id: UUID
    order_id: UUID
    number: str
    coop_id: UUID
    coop: str
    producer_id: UUID
    producer: str
    state: str
    problem: str | None
    total: Money
    goods: Money
    refunded: Money
    placed_at: datetime
    shipped_at: datetime | None
    tracking: str | None
    release_on: date | None
    lines: tuple[Line, ...]
    packed_at: datetime | None = None
    earned_at: datetime | None = None
    unsent: Money = field(kw_only=True)

    @property
    def charged(self) -> Money:
        """What was or is to be paid of it: all, less what was not there when it was packed, or else never charged."""
        return self.total - self.unsent


@dataclass(frozen=True, slots=True)
class OrderView:
    """A buyer's order with its parts. `times_taken_back` is how often its payment turned out to be somebody else's."""

    id: UUID
    number: int
    account_id: UUID | None
    email: str
    name: str
    street: str
    building: str
    postcode: str
    town: str
    country: str
    locale: str
    state: str
    method: str
    total: Money
    placed_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    times_taken_back: int
    parts: tuple[SellerPart, ...]

    @property
    def charged(self) -> Money:
        """What was or is to be paid of it: all, less what was not there when it was packed, or else never charged."""
        return self.total - total([part.unsent for part in self.parts], self.total.currency)

    @property
    def refunded(self) -> Money:
        """What refunds have given back of it."""
        return total([part.refunded for part in self.parts], self.total.currency)


def order(session: Session, order_id: UUID) -> OrderView:
    """Return an order with the parts in this scope. Raises OrderMissing. The caller proves that the person may see it."""
    row = session.get(Order, order_id)
    if row is None:
        raise OrderMissing("There is no such order.")
    sellers = session.scalars(select(SellerOrder).where(SellerOrder.order_id == order_id).order_by(SellerOrder.position)).all()
    return _order_view(row, _parts(session, sellers, {row.id: row.number}))


def language_of(session: Session, order_id: UUID) -> str:
    """Return the language in which an order was placed."""
    return session.scalars(select(Order.locale).where(Order.id == order_id)).one()


def orders_of(session: Session, account_id: UUID, *, cursor: str | None = None) -> Page[OrderView]:
    """Return an account's orders, newest first."""
    statement = select(Order).where(Order.account_id == account_id).order_by(Order.number.desc()).limit(PAGE + 1)
    if cursor:
        statement = statement.where(Order.number < paging.read(cursor, int)[0])
    rows = session.scalars(statement).all()
    shown = rows[:PAGE]
    numbers = {row.id: row.number for row in shown}
    sellers = session.scalars(
        select(SellerOrder).where(SellerOrder.order_id.in_(numbers)).order_by(SellerOrder.order_id, SellerOrder.position)
    ).all()
    parts = _parts(session, sellers, numbers)
    views = [_order_view(row, [part for part in parts if part.order_id == row.id]) for row in shown]
    return Page(views, paging.encode([shown[-1].number]) if len(rows) > PAGE else None)


@dataclass(frozen=True, slots=True)
class BuyerOf:
    """Who placed an order: the account, none for a guest, and the name."""

    buyer_id: UUID | None
    name: str


def buyers_of(session: Session, order_ids: Sequence[UUID]) -> dict[UUID, BuyerOf]:
    """Return who placed these orders."""
    rows = session.execute(select(Order.id, Order.account_id, Order.name).where(Order.id.in_(order_ids)))
    return {row.id: BuyerOf(row.account_id, row.name) for row in rows}


def paid_by_transfer(session: Session, buyer_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Return the orders that these buyers have paid by bank transfer, each with its buyer."""
    statement = select(Order.id, Order.account_id).where(
        Order.account_id.in_(buyer_ids), Order.method == "transfer", Order.paid_at.is_not(None)
    )
    return {row.id: row.account_id for row in session.execute(statement)}


def seller_orders(
    session: Session, *, producer_id: UUID | None = None, states: Sequence[str] = (), cursor: str | None = None
) -> Page[SellerPart]:
    """Return seller orders in this scope, newest first: a co-op's, or one producer's of it."""
    statement = select(SellerOrder, Order.number).join(Order, Order.id == SellerOrder.order_id)
    if producer_id is not None:
        statement = statement.where(SellerOrder.producer_id == producer_id)
    if states:
        statement = statement.where(SellerOrder.state.in_(states))
    if cursor:
        last = paging.read(cursor, datetime.fromisoformat, UUID)
        statement = statement.where(tuple_(SellerOrder.placed_at, SellerOrder.id) < tuple(last))
    rows = session.execute(statement.order_by(SellerOrder.placed_at.desc(), SellerOrder.id.desc()).limit(PAGE + 1)).all()
    shown = rows[:PAGE]
    parts = _parts(session, [row[0] for row in shown], {row[0].order_id: row[1] for row in shown})
    last_row = shown[-1][0] if shown else None
    more = len(rows) > PAGE and last_row is not None
    return Page(parts, paging.encode([last_row.placed_at.isoformat(), last_row.id]) if more and last_row else None)


@dataclass(frozen=True, slots=True)
class Address:
    """Where the parcels of an order go."""

    name: str
    street: str
    building: str
    postcode: str
    town: str
    country: str


def addresses(session: Session, order_ids: Sequence[UUID]) -> dict[UUID, Address]:
    """Return where orders go, by id; ask only for orders that the reader packs."""
    columns = [getattr(Order, name) for name in Address.__slots__]
    return {row[0]: Address(*row[1:]) for row in session.execute(select(Order.id, *columns).where(Order.id.in_(order_ids)))}


def given_last(session: Session, account_id: UUID) -> dict[str, str]:
    """Return what a member gave with the newest order: an e-mail address and where it went; empty before the first order."""
    columns = [getattr(Order, name) for name in ("email", *Address.__slots__)]
    newest = select(*columns).where(Order.account_id == account_id).order_by(Order.number.desc()).limit(1)
    row = session.execute(newest).one_or_none()
    return dict(row._mapping) if row else {}


def seller_order(session: Session, seller_order_id: UUID, *, producer_id: UUID | None = None) -> SellerPart:
    """Return one seller order in this scope (and of this producer). Raises OrderMissing."""
    row = session.execute(
        select(SellerOrder, Order.number).join(Order, Order.id == SellerOrder.order_id).where(SellerOrder.id == seller_order_id)
    ).one_or_none()
    if row is None or (producer_id is not None and row[0].producer_id != producer_id):
        raise OrderMissing("There is no such order here.")
    return _parts(session, [row[0]], {row[0].order_id: row[1]})[0]


def belonging_of(session: Session, seller_order_id: UUID) -> tuple[UUID, UUID]:
    """Return the order and the co-op that one seller order in this scope belongs to. Raises OrderMissing."""
    columns = (SellerOrder.order_id, SellerOrder.coop_id)
    row = session.execute(select(*columns).where(SellerOrder.id == seller_order_id)).one_or_none()
    if row is None:
        raise OrderMissing("There is no such order here.")
    return row[0], row[1]


@dataclass(frozen=True, slots=True)
class ComplaintView:
    """What a buyer said is wrong with a part, and the co-op's answer."""

    seller_order_id: UUID
    words: str
    opened_at: datetime
    answer: str | None
    answered_at: datetime | None


def complaints(session: Session, seller_order_ids: Sequence[UUID]) -> list[ComplaintView]:
    """Return the complaints about some parts, oldest first."""
    columns = (Complaint.seller_order_id, Complaint.words, Complaint.opened_at, Complaint.answer, Complaint.answered_at)
    statement = select(*columns).where(Complaint.seller_order_id.in_(seller_order_ids)).order_by(Complaint.opened_at)
    return [ComplaintView(*row) for row in session.execute(statement)]


def _order_view(row: Order, parts: Iterable[SellerPart]) -> OrderView:
    return OrderView(
        id=row.id,
        number=row.number,
        account_id=row.account_id,
        email=row.email,
        name=row.name,
        street=row.street,
        building=row.building,
        postcode=row.postcode,
        town=row.town,
        country=row.country,
        locale=row.locale,
        state=row.state,
        method=row.method,
        total=Money(row.total_minor, row.currency),
        placed_at=row.placed_at,
        expires_at=row.expires_at,
        paid_at=row.paid_at,
        times_taken_back=row.times_taken_back,
        parts=tuple(parts),
    )


def _parts(session: Session, sellers: Sequence[SellerOrder], numbers: dict[UUID, int]) -> list[SellerPart]:
    lines = _lines(session, [seller.id for seller in sellers])
    coops = producers.coops_by_id(session, {seller.coop_id for seller in sellers})
    people = producers.producers_by_id(session, {seller.producer_id for seller in sellers})
    return [
        SellerPart(
            id=seller.id,
            order_id=seller.order_id,
            number=f"{numbers[seller.order_id]}-{seller.position}",
            coop_id=seller.coop_id,
            coop=coops[seller.coop_id].name,
            producer_id=seller.producer_id,
            producer=people[seller.producer_id].name,
            state=seller.state,
            problem=seller.problem,
            total=Money(seller.goods_minor + seller.premium_minor + seller.charges_minor + seller.tax_minor, seller.currency),
            goods=Money(seller.goods_minor - seller.goods_refunded_minor, seller.currency),
            refunded=Money(
                seller.goods_refunded_minor
                + seller.premium_refunded_minor
                + seller.charges_refunded_minor
                + seller.tax_refunded_minor
                - seller.unsent_minor,
                seller.currency,
            ),
            unsent=Money(seller.unsent_minor, seller.currency),
            placed_at=seller.placed_at,
            shipped_at=seller.shipped_at,
            tracking=seller.tracking,
            release_on=seller.release_on,
            lines=tuple(lines.get(seller.id, ())),
            packed_at=seller.packed_at,
            earned_at=(seller.confirmed_at or seller.settled_at) if seller.settled_at else None,
        )
        for seller in sellers
    ]


def _lines(session: Session, seller_ids: Sequence[UUID]) -> dict[UUID, list[Line]]:
    rows = session.scalars(select(OrderLine).where(OrderLine.seller_order_id.in_(seller_ids)).order_by(OrderLine.id)).all()
    parts: dict[UUID, list[Part]] = {}
    components = (
        select(PriceComponent)
        .where(PriceComponent.order_line_id.in_([row.id for row in rows]))
        .order_by(PriceComponent.order_line_id, PriceComponent.seq)
    )
    for part in session.scalars(components):
        money, returned = Money(part.amount_minor, part.currency), Money(part.returned_minor, part.currency)
        tax = Money(part.tax_minor, part.currency)
        own = Part(part.kind, part.label, money, returned, part.payee, part.tax_rate, tax)
        parts.setdefault(part.order_line_id, []).append(own)
    lines: dict[UUID, list[Line]] = {}
    for row in rows:
        lines.setdefault(row.seller_order_id, []).append(
            Line(
                id=row.id,
                listing_id=row.listing_id,
                lot_id=row.lot_id,
                title=row.title,
                unit=row.unit,
                quantity=row.quantity,
                returned=row.returned_quantity,
                unit_price=row.unit_price,
                total=Money(row.total_minor, row.currency),
                check_ids=tuple(row.check_ids),
                parts=tuple(parts.get(row.id, ())),
                replaces_id=row.replaces_id,
                unsent=row.unsent_quantity,
            )
        )
    return lines


def can_refund(part: SellerPart) -> bool:
    """Whether staff may still refund this part: something of it is left that was paid."""
    return part.state in (*rules.HELD, "settled") and part.refunded < part.charged


def component_sums(part: SellerPart) -> dict[str, Money]:
    """Return what is left of a part by goods, premium, charges and tax."""
    left = [(piece.kind, piece.money - piece.returned) for line in part.lines for piece in line.parts]
    return rules.by_component(left, part.total.currency)
