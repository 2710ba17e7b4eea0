"""Tables of the catalogue. Cards and postings are public copies for the hot reads and carry no row-level security."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CHAR,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import UUID as UuidColumn
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from market.kernel.orm import Base, CoopOwned, Id, Instant, Quantity, UnitPrice

WORD = Text(collation="C")


class Product(Base):
    """What a thing is, without whose and how much: coffee, arabica, washed green, organic. Shared by all co-ops."""

    __tablename__ = "product"

    id: Mapped[Id]
    category: Mapped[str]
    kind: Mapped[str]
    variety: Mapped[str] = mapped_column(server_default=text("''"))
    form: Mapped[str] = mapped_column(server_default=text("''"))
    characteristic: Mapped[str] = mapped_column(server_default=text("''"))
    quality: Mapped[str]
    name: Mapped[str]

    __table_args__ = (
        CheckConstraint("quality IN ('conventional', 'organic')", name="quality"),
        UniqueConstraint("kind", "variety", "form", "characteristic", "quality"),
    )


class Listing(CoopOwned, Base):
    """An offer of goods from one lot at the producer's own price; what the buyer pays on top stands in the breakdown."""

    __tablename__ = "listing"

    id: Mapped[Id]
    producer_id: Mapped[UUID] = mapped_column(ForeignKey("producer.id"), index=True)
    product_id: Mapped[UUID] = mapped_column(ForeignKey("product.id"))
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lot.id"), index=True)
    title: Mapped[str]
    description: Mapped[str] = mapped_column(server_default=text("''"))
    unit: Mapped[str]
    unit_price: Mapped[UnitPrice]
    premium_per_unit: Mapped[UnitPrice] = mapped_column(server_default=text("0"))
    organic_per_unit: Mapped[UnitPrice] = mapped_column(server_default=text("0"))
    currency: Mapped[str] = mapped_column(CHAR(3))
    order_step: Mapped[Quantity] = mapped_column(server_default=text("1"))
    claims: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    origin_country: Mapped[str] = mapped_column(CHAR(2))
    incoterm: Mapped[str] = mapped_column(server_default=text("''"))
    state: Mapped[str] = mapped_column(server_default=text("'draft'"))
    withdrawn_reason: Mapped[str | None]
    photo: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    check_ids: Mapped[list[UUID]] = mapped_column(ARRAY(UuidColumn), server_default=text("'{}'"))
    check_outcome: Mapped[str | None]
    floor_price: Mapped[Decimal | None] = mapped_column(Numeric(18, 6))
    floor_words: Mapped[str | None]
    market_price: Mapped[Decimal | None] = mapped_column(Numeric(18, 6))
    checked_on: Mapped[date | None]
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]
    published_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("state IN ('draft', 'published', 'withdrawn')", name="state"),
        CheckConstraint("unit_price > 0 AND premium_per_unit >= 0 AND organic_per_unit >= 0", name="prices"),
        CheckConstraint("order_step > 0", name="order_step"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        CheckConstraint(
            "state <> 'published' OR (published_at IS NOT NULL AND checked_on IS NOT NULL)", name="published_is_checked"
        ),
    )


class Stock(CoopOwned, Base):
    """How much of a lot is there and how much of it is held for orders. Law 6: the CHECK makes overselling impossible.

    Nothing of a `withdrawn` lot can be held. The mark stands here because this row is what an order waits for.
    """

    __tablename__ = "stock"

    lot_id: Mapped[UUID] = mapped_column(ForeignKey("lot.id"), primary_key=True)
    unit: Mapped[str]
    on_hand: Mapped[Quantity]
    held: Mapped[Quantity] = mapped_column(server_default=text("0"))
    withdrawn: Mapped[bool] = mapped_column(server_default=text("false"))

    __table_args__ = (CheckConstraint("0 <= held AND held <= on_hand", name="never_oversold"),)


class Hold(CoopOwned, Base):
    """A quantity of a lot kept for an order until it is paid (taken), given back or expired (released)."""

    __tablename__ = "hold"

    id: Mapped[Id]
    lot_id: Mapped[UUID] = mapped_column(ForeignKey("stock.lot_id"))
    order_id: Mapped[UUID]
    quantity: Mapped[Quantity]
    expires_at: Mapped[Instant]
    state: Mapped[str] = mapped_column(server_default=text("'live'"))

    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("state IN ('live', 'taken', 'released')", name="state"),
        UniqueConstraint("order_id", "lot_id"),
        Index("hold_live", "expires_at", postgresql_where=text("state = 'live'")),
        Index("hold_lot", "lot_id"),
    )


class ListingCard(Base):
    """The published listing as the catalogue shows it, ready-made: JSON for the API, a fragment for the page.

    `available` stands apart, because stock changes with orders and the rest does not. `program` made the card (cards.PROGRAM).
    """

    __tablename__ = "listing_card"

    listing_id: Mapped[UUID] = mapped_column(ForeignKey("listing.id"), primary_key=True)
    available: Mapped[bool]
    json: Mapped[str]
    html: Mapped[str]
    program: Mapped[str]


class Xid8(UserDefinedType[int]):
    """PostgreSQL's number of a transaction, which never comes round."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Return the name of the type."""
        return "xid8"


class CatalogueChange(Base):
    """A transaction that changed cards, postings or the dictionary, written by their triggers: the version of all pages.

    `at` is when it began, so that a database restored elsewhere, where numbers begin anew, still notices every change.
    """

    __tablename__ = "catalogue_change"

    xid: Mapped[int] = mapped_column(Xid8(), primary_key=True, server_default=text("pg_current_xact_id()"))
    at: Mapped[Instant] = mapped_column(primary_key=True, server_default=text("now()"))


class SearchTerm(Base):
    """A word or filter of the catalogue, how many cards have it, and its spellings with one letter left out."""

    __tablename__ = "search_term"

    term: Mapped[str] = mapped_column(WORD, primary_key=True)
    listings: Mapped[int] = mapped_column(Integer)
    spellings: Mapped[list[str]] = mapped_column(ARRAY(Text))

    __table_args__ = (
        CheckConstraint("listings >= 0", name="listings"),
        Index("search_term_spellings", "spellings", postgresql_using="gin"),
    )


class SearchPosting(Base):
    """One card under one term, newest first by the card's id; the index holds all that a search reads."""

    __tablename__ = "search_posting"

    term: Mapped[str] = mapped_column(WORD)
    listing_id: Mapped[UUID] = mapped_column(index=True)
    price: Mapped[UnitPrice]

    __table_args__ = (PrimaryKeyConstraint("term", "listing_id", postgresql_include=["price"]),)
