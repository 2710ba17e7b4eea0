"""Tables of price references, imports, quotes, rates, co-op floors and stored checks."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CHAR, CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from market.kernel.orm import Base, CoopOwned, Id, Instant, Json, Quantity, UnitPrice


class PriceEdition(Base):
    """One row that names the present state of all price tables: triggers give it a new id at each change.

    The order path reads this one value and reuses what it loaded for it, instead of reading the tables again.
    """

    __tablename__ = "price_edition"

    one: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    edition: Mapped[UUID] = mapped_column(server_default=text("gen_random_uuid()"))

    __table_args__ = (CheckConstraint("one", name="one_row"),)


class PackagingRow(Base):
    """A box, bag or bunch with the net content that somebody declared (R-11)."""

    __tablename__ = "packaging"

    id: Mapped[Id]
    code: Mapped[str]
    holder: Mapped[str] = mapped_column(server_default=text("''"))
    net_quantity: Mapped[Quantity]
    unit: Mapped[str]
    declared_by: Mapped[str]
    declared_on: Mapped[date]

    __table_args__ = (UniqueConstraint("code"), CheckConstraint("net_quantity > 0", name="net_quantity"))


class TermAlias(Base):
    """A word of a price table and the code it means; without it a new row would not replace the old one."""

    __tablename__ = "term_alias"

    kind: Mapped[str] = mapped_column(primary_key=True)
    term: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str]
    entered_by: Mapped[str]


class ImportBatch(Base):
    """A price table as it was read, waiting for a second person."""

    __tablename__ = "import_batch"

    id: Mapped[Id]
    profile: Mapped[str]
    scheme: Mapped[str]
    source_name: Mapped[str]
    document_hash: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'waiting'"))
    entered_by: Mapped[str]
    entered_at: Mapped[Instant]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'approved', 'refused')", name="state"),
        CheckConstraint("(state = 'waiting') = (decided_by IS NULL)", name="decided"),
        CheckConstraint("state <> 'approved' OR decided_by <> entered_by", name="four_eyes"),
    )


class ImportRow(Base):
    """One row of the file, its answer, and the reference it became."""

    __tablename__ = "import_row"

    batch_id: Mapped[UUID] = mapped_column(ForeignKey("import_batch.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    row_hash: Mapped[str]
    cells: Mapped[Json]
    state: Mapped[str]
    notes: Mapped[list[dict[str, str]]] = mapped_column(JSONB)
    values: Mapped[dict[str, Any] | None] = mapped_column(JSONB)

    __table_args__ = (
        CheckConstraint("state IN ('accepted', 'needs_review', 'conflict', 'unchanged', 'rejected')", name="state"),
    )


class PriceReference(Base):
    """One line of a published table. Values never change: only approval, confirmation and status move forward."""

    __tablename__ = "price_reference"

    id: Mapped[Id]
    scheme: Mapped[str]
    price_kind: Mapped[str]
    product: Mapped[str]
    variety: Mapped[str] = mapped_column(server_default=text("''"))
    form: Mapped[str] = mapped_column(server_default=text("''"))
    characteristic: Mapped[str] = mapped_column(server_default=text("''"))
    quality: Mapped[str]
    geo_level: Mapped[str]
    geo_code: Mapped[str]
    setup: Mapped[str] = mapped_column(server_default=text("''"))
    incoterm: Mapped[str] = mapped_column(server_default=text("''"))
    unit: Mapped[str | None]
    packaging_id: Mapped[UUID | None] = mapped_column(ForeignKey("packaging.id"))
    currency: Mapped[str | None] = mapped_column(CHAR(3))
    valid_from: Mapped[date | None]
    valid_from_text: Mapped[str] = mapped_column(server_default=text("''"))
    valid_to: Mapped[date | None]
    applies_by: Mapped[str] = mapped_column(server_default=text("'contract_signed'"))
    unit_quantity: Mapped[Quantity] = mapped_column(server_default=text("1"))
    minimum_price: Mapped[Decimal | None] = mapped_column(Numeric(18, 6))
    minimum_basis: Mapped[str] = mapped_column(server_default=text("'abs'"))
    index_name: Mapped[str | None]
    premium: Mapped[Decimal | None] = mapped_column(Numeric(18, 6))
    premium_kind: Mapped[str] = mapped_column(server_default=text("'abs'"))
    organic_rule: Mapped[str] = mapped_column(server_default=text("'none'"))
    organic_differential: Mapped[Decimal | None] = mapped_column(Numeric(18, 6))
    relevant_market: Mapped[str | None]
    special_terms: Mapped[bool] = mapped_column(server_default=text("false"))
    note: Mapped[str] = mapped_column(server_default=text("''"))
    source_name: Mapped[str]
    document_hash: Mapped[str] = mapped_column(server_default=text("''"))
    confidence: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=text("'needs_review'"))
    review: Mapped[list[dict[str, str]]] = mapped_column(JSONB, server_default=text("'[]'"))
    entered_by: Mapped[str]
    entered_at: Mapped[Instant]
    approved_by: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    confirmed_by: Mapped[str | None]
    confirmed_at: Mapped[datetime | None]
    supersedes_id: Mapped[UUID | None] = mapped_column(ForeignKey("price_reference.id"))
    row_hash: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("minimum_price > 0", name="minimum"),
        CheckConstraint("premium >= 0", name="premium"),
        CheckConstraint("organic_differential >= 0", name="differential"),
        CheckConstraint("unit_quantity > 0", name="unit_quantity"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        CheckConstraint("minimum_price IS NULL OR (currency IS NOT NULL AND unit IS NOT NULL)", name="measure"),
        CheckConstraint(
            "price_kind IN ('FMP', 'SPP_MIN', 'COMMERCIAL', 'PCT_INDEX', 'DIFFERENTIAL', 'STATUTE', 'LIRP')", name="price_kind"
        ),
        CheckConstraint("quality IN ('conventional', 'organic', 'both')", name="quality"),
        CheckConstraint("geo_level IN ('world', 'region', 'country')", name="geo_level"),
        CheckConstraint("minimum_basis IN ('abs', 'pct_index')", name="minimum_basis"),
        CheckConstraint(
            "premium_kind IN ('abs', 'pct_commercial', 'pct_negotiated', 'pct_fob', 'pct_index')", name="premium_kind"
        ),
        CheckConstraint("organic_rule IN ('differential', 'fixed_minimum', 'none')", name="organic_rule"),
        CheckConstraint("applies_by IN ('contract_signed', 'contract_start', 'delivery')", name="applies_by"),
        CheckConstraint("confidence IN ('high', 'medium', 'low')", name="confidence"),
        CheckConstraint("status IN ('needs_review', 'active', 'superseded', 'rejected')", name="status"),
        CheckConstraint("status <> 'active' OR (valid_from IS NOT NULL AND scheme <> '')", name="active_is_dated"),
        CheckConstraint("status NOT IN ('active', 'superseded') OR approved_by IS NOT NULL", name="active_is_approved"),
        CheckConstraint("approved_by <> entered_by AND confirmed_by <> entered_by", name="four_eyes"),
        CheckConstraint("valid_to >= valid_from", name="validity"),
        Index(
            "price_reference_key", "scheme", "price_kind", "product", "variety", "form", "characteristic", "quality", "geo_level",
            "geo_code", "setup", "incoterm", "unit", "packaging_id", "currency", "valid_from",
            unique=True, postgresql_nulls_not_distinct=True, postgresql_where=text("status = 'active'"),
        ),
        Index("price_reference_row", "row_hash", unique=True),
    )  # fmt: skip


class MarketQuote(Base):
    """A market or state price with its source and day. Exchange prices are licensed, so people enter them."""

    __tablename__ = "market_quote"

    id: Mapped[Id]
    market: Mapped[str]
    contract_month: Mapped[str] = mapped_column(server_default=text("''"))
    price: Mapped[UnitPrice]
    addition: Mapped[UnitPrice] = mapped_column(server_default=text("0"))
    addition_label: Mapped[str] = mapped_column(server_default=text("''"))
    unit: Mapped[str]
    per: Mapped[Quantity] = mapped_column(server_default=text("1"))
    currency: Mapped[str] = mapped_column(CHAR(3))
    quoted_on: Mapped[date]
    source_name: Mapped[str]
    entered_by: Mapped[str]
    entered_at: Mapped[Instant]
    checked_by: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("price > 0", name="price"),
        CheckConstraint("per > 0", name="per"),
        CheckConstraint("source_name <> ''", name="source"),
        CheckConstraint("checked_by <> entered_by", name="four_eyes"),
        Index("market_quote_newest", "market", "quoted_on", "entered_at"),
    )


class FxEvidenceRow(Base):
    """One dated exchange rate with its source: `rate` units of `quote` for one of `base` (R-12). Never changed."""

    __tablename__ = "fx_evidence"

    id: Mapped[Id]
    base: Mapped[str] = mapped_column(CHAR(3))
    quote: Mapped[str] = mapped_column(CHAR(3))
    rate: Mapped[Decimal] = mapped_column(Numeric(20, 10))
    rate_on: Mapped[date]
    source_name: Mapped[str]
    entered_by: Mapped[str]
    entered_at: Mapped[Instant]

    __table_args__ = (
        CheckConstraint("rate > 0 AND base <> quote", name="rate"),
        CheckConstraint("source_name <> ''", name="source"),
        Index("fx_evidence_newest", "base", "quote", "rate_on", "entered_at"),
    )


class CoopFloorRow(CoopOwned, Base):
    """A co-op's dated decision on the least price of its goods, with the cost build-up it rests on (section 6)."""

    __tablename__ = "coop_floor"

    id: Mapped[Id]
    title: Mapped[str]
    product: Mapped[str]
    variety: Mapped[str] = mapped_column(server_default=text("''"))
    form: Mapped[str] = mapped_column(server_default=text("''"))
    amount: Mapped[UnitPrice]
    currency: Mapped[str] = mapped_column(CHAR(3))
    unit: Mapped[str]
    build_up: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    decided_by_body: Mapped[str]
    decided_on: Mapped[date]
    minutes_hash: Mapped[str] = mapped_column(server_default=text("''"))
    valid_from: Mapped[date]
    review_by: Mapped[date]
    status: Mapped[str] = mapped_column(server_default=text("'active'"))
    entered_by: Mapped[str]
    entered_at: Mapped[Instant]

    __table_args__ = (
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("status IN ('active', 'superseded')", name="status"),
        CheckConstraint("review_by > valid_from AND review_by <= (valid_from + interval '1 year')", name="review"),
        Index(
            "coop_floor_active", "coop_id", "product", "variety", "form", "unit", "currency", unique=True,
            postgresql_where=text("status = 'active'"),
        ),
    )  # fmt: skip


class PriceCheck(Base):
    """One rule applied once to one subject, with inputs complete enough to run it again. Rows are only added."""

    __tablename__ = "price_check"

    id: Mapped[Id]
    rule_id: Mapped[str]
    rule_version: Mapped[int]
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID]
    gate: Mapped[str]
    inputs: Mapped[Json]
    price_reference_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    quote_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    outcome: Mapped[str]
    reason_code: Mapped[str]
    words: Mapped[str]
    amount_short_minor: Mapped[int | None]
    currency: Mapped[str | None] = mapped_column(CHAR(3))
    evaluated_at: Mapped[Instant]
    evaluated_for: Mapped[date]

    __table_args__ = (
        CheckConstraint("outcome IN ('ok', 'warning', 'not_checkable', 'violation')", name="outcome"),
        CheckConstraint("gate ~ '^G[1-7]$'", name="gate"),
        CheckConstraint("(amount_short_minor IS NULL) = (currency IS NULL)", name="amount_short"),
        Index("price_check_subject", "subject_kind", "subject_id", "id"),
    )
