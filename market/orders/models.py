"""Tables of baskets and orders."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    CHAR,
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    Identity,
    Index,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as UuidColumn
from sqlalchemy.orm import Mapped, mapped_column

from market.kernel.orm import Base, CoopOwned, Id, Instant, Minor, Percent, Quantity, UnitPrice

_TOTAL = "goods_minor + premium_minor + charges_minor + tax_minor"
STATES = ("placed", "authorised", "paid", "shipped", "confirmed", "settled", "refunded", "cancelled")


class BasketLine(Base):
    """A listing that somebody has put aside to order; the basket is the id in their session."""

    __tablename__ = "basket_line"

    basket_id: Mapped[UUID]
    listing_id: Mapped[UUID] = mapped_column(ForeignKey("listing.id"))
    quantity: Mapped[Quantity]
    added_at: Mapped[Instant]

    __table_args__ = (PrimaryKeyConstraint("basket_id", "listing_id"), CheckConstraint("quantity > 0", name="quantity"))


class Order(Base):
    """The buyer's order over any number of producers and co-ops, in one currency.

    `times_taken_back` counts how often its payment turned out to be somebody else's: what is told each time is another fact.
    """

    __tablename__ = "orders"

    id: Mapped[Id]
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True, start=1001))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), index=True)
    email: Mapped[str]
    name: Mapped[str]
    street: Mapped[str]
    building: Mapped[str]
    postcode: Mapped[str]
    town: Mapped[str]
    country: Mapped[str] = mapped_column(CHAR(2))
    locale: Mapped[str]
    currency: Mapped[str] = mapped_column(CHAR(3))
    total_minor: Mapped[Minor]
    method: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'placed'"))
    placed_at: Mapped[Instant]
    expires_at: Mapped[Instant]
    paid_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    problem: Mapped[str | None]
    placed_from: Mapped[bytes | None]
    times_taken_back: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))

    __table_args__ = (
        UniqueConstraint("number"),
        CheckConstraint("state IN ('placed', 'authorised', 'paid', 'cancelled')", name="state"),
        CheckConstraint("method IN ('card', 'transfer')", name="method"),
        CheckConstraint("total_minor > 0", name="total"),
        CheckConstraint("(state = 'paid') = (paid_at IS NOT NULL)", name="paid"),
        CheckConstraint("country ~ '^[A-Z]{2}$'", name="country"),
        Index("orders_unpaid", "expires_at", postgresql_where=text("state = 'placed'")),
        Index("orders_authorised", "id", postgresql_where=text("state = 'authorised'")),
        Index("orders_by_buyer", text("to_tsvector('simple'::regconfig, (name || ' '::text) || email)"), postgresql_using="gin"),
        Index("orders_of_guest", "email", "placed_at", postgresql_where=text("account_id IS NULL")),
        Index("orders_placed_from", "placed_from", "placed_at", postgresql_where=text("placed_from IS NOT NULL")),
    )


class OrderSupplement(Base):
    """A further order of somebody who wanted more of an order that was paid already; each is paid by itself."""

    __tablename__ = "order_supplement"

    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    supplements_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), index=True)

    __table_args__ = (CheckConstraint("order_id <> supplements_id", name="other"),)


class SellerOrder(CoopOwned, Base):
    """One producer's part of an order: what they pack, what they are owed.

    `unsent_minor` is the part of what counts as refunded that nobody ever paid: it was not there when it was packed, or
    somebody took less from the card at the processor.
    """

    __tablename__ = "seller_order"

    id: Mapped[Id]
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    producer_id: Mapped[UUID] = mapped_column(ForeignKey("producer.id"), index=True)
    position: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[str] = mapped_column(server_default=text("'placed'"))
    currency: Mapped[str] = mapped_column(CHAR(3))
    goods_minor: Mapped[Minor]
    premium_minor: Mapped[Minor]
    charges_minor: Mapped[Minor]
    tax_minor: Mapped[Minor]
    # A column of its own: an index over an expression is of no use where row-level security filters.
    total_minor: Mapped[int] = mapped_column(BigInteger, Computed(_TOTAL, persisted=True))
    goods_refunded_minor: Mapped[Minor] = mapped_column(server_default=text("0"))
    premium_refunded_minor: Mapped[Minor] = mapped_column(server_default=text("0"))
    charges_refunded_minor: Mapped[Minor] = mapped_column(server_default=text("0"))
    tax_refunded_minor: Mapped[Minor] = mapped_column(server_default=text("0"))
    unsent_minor: Mapped[Minor] = mapped_column(server_default=text("0"))
    placed_at: Mapped[Instant]
    packed_at: Mapped[datetime | None]
    paid_on: Mapped[date | None]
    shipped_at: Mapped[datetime | None]
    tracking: Mapped[str | None]
    confirmed_at: Mapped[datetime | None]
    release_on: Mapped[date | None]
    settled_at: Mapped[datetime | None]
    problem: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint("order_id", "producer_id"),
        UniqueConstraint("order_id", "position"),
        CheckConstraint(f"state IN {STATES}", name="state"),
        CheckConstraint("goods_refunded_minor BETWEEN 0 AND goods_minor", name="goods"),
        CheckConstraint("premium_refunded_minor BETWEEN 0 AND premium_minor", name="premium"),
        CheckConstraint("charges_refunded_minor BETWEEN 0 AND charges_minor", name="charges"),
        CheckConstraint("tax_refunded_minor BETWEEN 0 AND tax_minor", name="tax"),
        CheckConstraint(
            "unsent_minor BETWEEN 0 AND goods_refunded_minor + premium_refunded_minor + charges_refunded_minor"
            " + tax_refunded_minor",
            name="unsent",
        ),
        Index("seller_order_release", "release_on", postgresql_where=text("state IN ('shipped', 'confirmed')")),
        Index("seller_order_by_amount", "coop_id", "total_minor"),
        Index("seller_order_newest", "coop_id", "placed_at", "id"),
        Index("seller_order_by_state", "coop_id", "state", "placed_at", "id"),
    )


class Complaint(CoopOwned, Base):
    """What a buyer says is wrong with a producer's part, until staff have answered; silence confirms nothing meanwhile."""

    __tablename__ = "complaint"

    id: Mapped[Id]
    seller_order_id: Mapped[UUID] = mapped_column(ForeignKey("seller_order.id"), index=True)
    words: Mapped[str]
    opened_at: Mapped[Instant]
    answer: Mapped[str | None]
    answered_by: Mapped[str | None]
    answered_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("(answer IS NULL) = (answered_at IS NULL) AND (answer IS NULL) = (answered_by IS NULL)", name="answered"),
        Index("complaint_open", "coop_id", "opened_at", postgresql_where=text("answered_at IS NULL")),
        Index("complaint_one_open", "seller_order_id", unique=True, postgresql_where=text("answered_at IS NULL")),
    )


class DisputeBearing(CoopOwned, Base):
    """Who bears what a lost card dispute took of a seller order: decided once, by a person. What is not named here, the co-op."""

    __tablename__ = "dispute_bearing"

    dispute_id: Mapped[UUID] = mapped_column(ForeignKey("payment_dispute.id"))
    seller_order_id: Mapped[UUID] = mapped_column(ForeignKey("seller_order.id"), index=True)
    currency: Mapped[str] = mapped_column(CHAR(3))
    producer_minor: Mapped[Minor]
    fund_minor: Mapped[Minor]
    coop_minor: Mapped[Minor]
    reason: Mapped[str]
    decided_by: Mapped[str]
    decided_at: Mapped[Instant]

    __table_args__ = (
        PrimaryKeyConstraint("dispute_id", "seller_order_id"),
        CheckConstraint("producer_minor >= 0 AND fund_minor >= 0 AND coop_minor >= 0", name="amounts"),
    )


class OrderLine(CoopOwned, Base):
    """A quantity of one listing at the price of that day, with the checks that allowed it (R-03.4).

    `unsent_quantity` is the part of what was returned that was not there when the order was packed, so that it was never charged.
    """

    __tablename__ = "order_line"

    id: Mapped[Id]
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    seller_order_id: Mapped[UUID] = mapped_column(ForeignKey("seller_order.id"), index=True)
    listing_id: Mapped[UUID] = mapped_column(ForeignKey("listing.id"))
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lot.id"), index=True)
    title: Mapped[str]
    unit: Mapped[str]
    quantity: Mapped[Quantity]
    unit_price: Mapped[UnitPrice]
    currency: Mapped[str] = mapped_column(CHAR(3))
    total_minor: Mapped[Minor]
    stock_quantity: Mapped[Quantity]
    returned_quantity: Mapped[Decimal] = mapped_column(Numeric(18, 6), server_default=text("0"))
    unsent_quantity: Mapped[Decimal] = mapped_column(Numeric(18, 6), server_default=text("0"))
    replaces_id: Mapped[UUID | None] = mapped_column(ForeignKey("order_line.id"))
    check_ids: Mapped[list[UUID]] = mapped_column(ARRAY(UuidColumn))

    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("returned_quantity BETWEEN 0 AND quantity", name="returned"),
        CheckConstraint("unsent_quantity BETWEEN 0 AND returned_quantity", name="unsent"),
        CheckConstraint("total_minor > 0", name="total"),
        CheckConstraint("unit_price > 0", name="unit_price"),
    )


class WithdrawnLine(CoopOwned, Base):
    """A line of goods of a lot that was withdrawn, as it stood when staff's withdrawal reached it: whose buyer is told.

    `sent` says whether the goods had left; what had not is neither sent nor paid for.
    """

    __tablename__ = "withdrawn_line"

    withdrawal_id: Mapped[UUID] = mapped_column(ForeignKey("lot_withdrawal.id"))
    order_line_id: Mapped[UUID] = mapped_column(ForeignKey("order_line.id"), index=True)
    seller_order_id: Mapped[UUID] = mapped_column(ForeignKey("seller_order.id"))
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"))
    quantity: Mapped[Quantity]
    sent: Mapped[bool]
    noted_at: Mapped[Instant]

    __table_args__ = (PrimaryKeyConstraint("withdrawal_id", "order_line_id"), CheckConstraint("quantity > 0", name="quantity"))


class Substitution(CoopOwned, Base):
    """What a producer offers to send instead of a line, at the price of that day, and what the buyer said."""

    __tablename__ = "substitution"

    id: Mapped[Id]
    seller_order_id: Mapped[UUID] = mapped_column(ForeignKey("seller_order.id"), index=True)
    order_line_id: Mapped[UUID] = mapped_column(ForeignKey("order_line.id"))
    listing_id: Mapped[UUID] = mapped_column(ForeignKey("listing.id"))
    title: Mapped[str]
    unit: Mapped[str]
    quantity: Mapped[Quantity]
    unit_price: Mapped[UnitPrice]
    words: Mapped[str]
    state: Mapped[str]
    proposed_by: Mapped[str]
    proposed_at: Mapped[Instant]
    decided_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("state IN ('proposed', 'accepted', 'refused', 'withdrawn')", name="state"),
        CheckConstraint("(state = 'proposed') = (decided_at IS NULL)", name="decided"),
        Index("substitution_one_open", "order_line_id", unique=True, postgresql_where=text("state = 'proposed'")),
    )


class PriceComponent(Base):
    """One part of a line's price, frozen (fair-prices.md 5). `returned_minor` is what refunds have given back of it."""

    __tablename__ = "price_component"

    order_line_id: Mapped[UUID] = mapped_column(ForeignKey("order_line.id"))
    seq: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[str]
    label: Mapped[str]
    amount_minor: Mapped[Minor]
    returned_minor: Mapped[Minor] = mapped_column(server_default=text("0"))
    currency: Mapped[str] = mapped_column(CHAR(3))
    payer: Mapped[str]
    payee: Mapped[str]
    bearer: Mapped[str | None]
    tax_rate: Mapped[Percent] = mapped_column(server_default=text("0"))
    tax_minor: Mapped[Minor] = mapped_column(server_default=text("0"))
    rule_version: Mapped[int] = mapped_column(SmallInteger)

    __table_args__ = (
        PrimaryKeyConstraint("order_line_id", "seq"),
        CheckConstraint(
            "CASE WHEN amount_minor < 0 THEN returned_minor BETWEEN amount_minor AND 0 "
            "ELSE returned_minor BETWEEN 0 AND amount_minor END",
            name="returned",
        ),
    )
