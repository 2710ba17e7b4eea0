"""Tables of the treasury: the premium fund's plan and spendings, premium on account, conversions, loans with repayments.

Each is proposed by one person and decided by another; what was decided is never changed, only closed.
"""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CHAR, BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, Numeric, Sequence, text
from sqlalchemy.orm import Mapped, mapped_column

from market.kernel.orm import Base, CoopOwned, FourEyes, Id, Instant, Minor, four_eyes

LOAN_NUMBERS = Sequence("loan_number", metadata=Base.metadata)
PREMIUM_NUMBERS = Sequence("premium_number", metadata=Base.metadata)


class PremiumItem(CoopOwned, FourEyes, Base):
    """What the members decided to use part of the premium fund for; `minutes` say who decided it and when."""

    __tablename__ = "premium_item"

    id: Mapped[Id]
    name: Mapped[str]
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[Minor]
    minutes: Mapped[str]

    __table_args__ = (
        *four_eyes("approved", "declined", "closed"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("length(minutes) >= 3 AND length(name) >= 2", name="words"),
    )


class PremiumInvoice(CoopOwned, FourEyes, Base):
    """Premium of a contract that its buyer pays on account; the buyer names `number`'s reference in the transfer."""

    __tablename__ = "premium_invoice"

    id: Mapped[Id]
    number: Mapped[int] = mapped_column(BigInteger, unique=True)
    buyer: Mapped[str]
    contract: Mapped[str]
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[Minor]
    due_on: Mapped[date]

    __table_args__ = (
        *four_eyes("booked", "declined", "taken_back"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("length(buyer) >= 2 AND length(contract) >= 2", name="words"),
    )


class PremiumSpending(CoopOwned, FourEyes, Base):
    """A payment of a plan item, with the paper that proves it."""

    __tablename__ = "premium_spending"

    id: Mapped[Id]
    item_id: Mapped[UUID] = mapped_column(ForeignKey("premium_item.id"), index=True)
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[Minor]
    payee: Mapped[str]
    evidence: Mapped[str]

    __table_args__ = (
        *four_eyes("booked", "declined"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("length(evidence) >= 3 AND length(payee) >= 2", name="words"),
    )


class FxConversion(CoopOwned, FourEyes, Base):
    """A debt that changes its currency: the rate, its day and where it was read are the evidence (money.md 3)."""

    __tablename__ = "fx_conversion"

    id: Mapped[Id]
    producer_id: Mapped[UUID] = mapped_column(ForeignKey("producer.id"))
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[Minor]
    agreed_currency: Mapped[str] = mapped_column(CHAR(3))
    agreed_minor: Mapped[Minor]
    rate: Mapped[Decimal] = mapped_column(Numeric(20, 10))
    rate_on: Mapped[date]
    source: Mapped[str]
    given_minor: Mapped[int | None]

    __table_args__ = (
        *four_eyes("booked", "declined", "settled"),
        CheckConstraint("amount_minor > 0 AND agreed_minor > 0 AND rate > 0", name="amount"),
        CheckConstraint("currency <> agreed_currency", name="currencies"),
        CheckConstraint("length(source) >= 3", name="source"),
        CheckConstraint("(state = 'settled') = (given_minor IS NOT NULL)", name="settled"),
    )


class Loan(CoopOwned, FourEyes, Base):
    """Pre-finance that a buyer or lender gives the co-op for a harvest (solidarity.md 3).

    `goods_minor` is what the contract's goods will bring, the premium left out; at most `cap_percent` of it is lent. Interest
    is simple, per year of 365 days. The lender names `number`'s reference in the transfer.
    """

    __tablename__ = "loan"

    id: Mapped[Id]
    number: Mapped[int] = mapped_column(BigInteger, unique=True)
    kind: Mapped[str]
    lender: Mapped[str]
    contract: Mapped[str]
    currency: Mapped[str] = mapped_column(CHAR(3))
    goods_minor: Mapped[Minor]
    cap_percent: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    amount_minor: Mapped[Minor]
    rate_percent: Mapped[Decimal] = mapped_column(Numeric(6, 3))
    due_on: Mapped[date]
    terms: Mapped[str]
    iban: Mapped[str | None]
    bic: Mapped[str | None]

    __table_args__ = (
        *four_eyes("accepted", "declined", "closed"),
        CheckConstraint("kind IN ('buyer', 'lender')", name="kind"),
        CheckConstraint("amount_minor > 0 AND amount_minor * 100 <= goods_minor * cap_percent", name="cap"),
        CheckConstraint("cap_percent BETWEEN 0 AND 100 AND rate_percent BETWEEN 0 AND 100", name="percents"),
        CheckConstraint("length(lender) >= 2 AND length(contract) >= 2 AND length(terms) >= 3", name="words"),
    )


class LoanRepayment(CoopOwned, FourEyes, Base):
    """What goes back to a lender: principal and interest; `taken_back` when the bank did not pay it."""

    __tablename__ = "loan_repayment"

    id: Mapped[Id]
    loan_id: Mapped[UUID] = mapped_column(ForeignKey("loan.id"), index=True)
    currency: Mapped[str] = mapped_column(CHAR(3))
    principal_minor: Mapped[Minor]
    interest_minor: Mapped[Minor]

    __table_args__ = (
        *four_eyes("booked", "declined", "taken_back"),
        CheckConstraint("principal_minor >= 0 AND interest_minor >= 0 AND principal_minor + interest_minor > 0", name="amount"),
    )


class LoanFile(CoopOwned, Base):
    """The bank file of a repayment as it was written the first time; never written anew."""

    __tablename__ = "loan_file"

    repayment_id: Mapped[UUID] = mapped_column(ForeignKey("loan_repayment.id"), primary_key=True)
    message_id: Mapped[str] = mapped_column(unique=True)
    sha256: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    written_at: Mapped[Instant]

    __table_args__ = (CheckConstraint("sha256 = encode(sha256(body), 'hex')", name="sha256"),)


class CoopRecipient(CoopOwned, FourEyes, Base):
    """The co-op's own account at the card processor (Accounts v2, recipient), for its share of what was paid by card."""

    __tablename__ = "coop_recipient"

    id: Mapped[Id]
    account: Mapped[str]

    __table_args__ = (
        *four_eyes("confirmed", "declined"),
        CheckConstraint("account ~ '^acct_'", name="account"),
        Index("coop_recipient_one", "coop_id", unique=True, postgresql_where=text("state <> 'declined'")),
    )


class CoopShare(CoopOwned, FourEyes, Base):
    """A transfer of the co-op's share of the card processor's balance to its own account there; the statement books it (E52).

    `approved` until the processor has answered: the same key is sent again for 23 hours, afterwards it is only asked.
    """

    __tablename__ = "coop_share"

    id: Mapped[Id]
    recipient_id: Mapped[UUID] = mapped_column(ForeignKey("coop_recipient.id"))
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[Minor]
    first_sent_at: Mapped[datetime | None]
    answer: Mapped[str | None]

    __table_args__ = (
        *four_eyes("approved", "declined", "sent", "refused", "booked"),
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("coop_share_waiting", "decided_at", postgresql_where=text("state = 'approved'")),
    )


class OpeningBalance(CoopOwned, FourEyes, Base):
    """What the former books hand over on a day, as the file that was handed in: once for a co-op (E01).

    A row that `corrects` says what single balances should have been; one waits at a time, and its source is the reason.
    """

    __tablename__ = "opening_balance"

    id: Mapped[Id]
    on_day: Mapped[date]
    source: Mapped[str]
    name: Mapped[str]
    body: Mapped[str]
    balances: Mapped[int]
    corrects: Mapped[bool] = mapped_column(server_default=text("false"))

    __table_args__ = (
        *four_eyes("booked", "declined", "withdrawn"),
        CheckConstraint("balances > 0", name="balances"),
        CheckConstraint("length(source) >= 3", name="words"),
        Index(
            "opening_balance_one",
            "coop_id",
            unique=True,
            postgresql_where=text("state NOT IN ('declined', 'withdrawn') AND NOT corrects"),
        ),
        Index("opening_correction_one", "coop_id", unique=True, postgresql_where=text("state = 'proposed' AND corrects")),
    )
