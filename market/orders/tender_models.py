"""What of an order is paid in a community currency, and what of that went back."""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, text
from sqlalchemy.orm import Mapped, mapped_column

from market.kernel.orm import Base, CoopOwned, Instant, Minor


class OrderTender(CoopOwned, Base):
    """The co-op's own charges of a seller order, paid in its community currency at par (M-7): all of them, or none.

    `returned_minor` is what went back to the holder: with a cancelled order, or with what was refunded.
    """

    __tablename__ = "order_tender"

    seller_order_id: Mapped[UUID] = mapped_column(ForeignKey("seller_order.id"), primary_key=True)
    holder_id: Mapped[UUID] = mapped_column(ForeignKey("community_holder.id"), index=True)
    amount_minor: Mapped[Minor]
    returned_minor: Mapped[Minor] = mapped_column(server_default=text("0"))
    tendered_by: Mapped[str]
    tendered_at: Mapped[Instant]

    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("returned_minor BETWEEN 0 AND amount_minor", name="returned"),
    )


class TenderReturn(CoopOwned, Base):
    """What of a tender went back with one refund, so that its credit note says it too."""

    __tablename__ = "order_tender_return"

    refund_id: Mapped[UUID] = mapped_column(ForeignKey("refund.id"), primary_key=True)
    seller_order_id: Mapped[UUID] = mapped_column(ForeignKey("order_tender.seller_order_id"), index=True)
    amount_minor: Mapped[Minor]

    __table_args__ = (CheckConstraint("amount_minor > 0", name="amount"),)
