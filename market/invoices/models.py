"""Tables of invoices and credit notes. Rows never change once written; numbers have no gaps."""

from datetime import date
from uuid import UUID

from sqlalchemy import CHAR, CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from market.kernel.orm import Base, CoopOwned, Id, Instant, Json, Minor


class DocumentSeries(CoopOwned, Base):
    """The last number that an issuer gave to a kind of document in a year; its row lock makes the series gapless."""

    __tablename__ = "document_series"

    coop_id: Mapped[UUID] = mapped_column(ForeignKey("coop.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    last: Mapped[int] = mapped_column(server_default=text("0"))

    __table_args__ = (CheckConstraint("last >= 0", name="last"),)


class Invoice(CoopOwned, Base):
    """What one co-op invoices of one order, or credits of it; `facts` is all that is printed.

    A credit note is for a refund, or for goods that were replaced at the same price: then it names both and comes to nothing.
    Or it takes back the whole invoice, once, of an order that `ended` unpaid after its payment was taken back.
    """

    __tablename__ = "invoice"

    id: Mapped[Id]
    kind: Mapped[str]
    year: Mapped[int] = mapped_column(SmallInteger)
    number: Mapped[int]
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    invoice_id: Mapped[UUID | None] = mapped_column(ForeignKey("invoice.id"), index=True)
    refund_id: Mapped[UUID | None] = mapped_column(ForeignKey("refund.id"))
    substitution_id: Mapped[UUID | None] = mapped_column(ForeignKey("substitution.id"))
    ended: Mapped[bool] = mapped_column(server_default=text("false"))
    currency: Mapped[str] = mapped_column(CHAR(3))
    net_minor: Mapped[Minor]
    tax_minor: Mapped[Minor]
    total_minor: Mapped[Minor]
    issued_on: Mapped[date]
    issued_at: Mapped[Instant]
    facts: Mapped[Json]
    facts_sha256: Mapped[str]

    __table_args__ = (
        UniqueConstraint("coop_id", "kind", "year", "number"),
        UniqueConstraint("refund_id"),
        UniqueConstraint("substitution_id"),
        CheckConstraint("kind IN ('invoice', 'credit_note')", name="kind"),
        CheckConstraint("(kind = 'credit_note') = (invoice_id IS NOT NULL)", name="corrects"),
        CheckConstraint("num_nonnulls(refund_id, substitution_id) + ended::int = (kind = 'credit_note')::int", name="cause"),
        CheckConstraint("total_minor = net_minor + tax_minor", name="total"),
        CheckConstraint("CASE WHEN substitution_id IS NULL THEN total_minor > 0 ELSE total_minor = 0 END", name="amount"),
        CheckConstraint("year = extract(year FROM issued_on)", name="year"),
        Index("invoice_ended_once", "invoice_id", unique=True, postgresql_where=text("ended")),
        Index("invoice_one_per_order", "order_id", "coop_id", unique=True, postgresql_where=text("kind = 'invoice'")),
    )


class InvoicePrint(CoopOwned, Base):
    """The document as it was printed the first time; never printed anew."""

    __tablename__ = "invoice_print"

    invoice_id: Mapped[UUID] = mapped_column(ForeignKey("invoice.id"), primary_key=True)
    sha256: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    printed_at: Mapped[Instant]

    __table_args__ = (CheckConstraint("sha256 = encode(sha256(body), 'hex')", name="sha256"),)
