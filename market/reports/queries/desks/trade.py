"""Orders, what was paid back for them, and what is disputed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Text, Uuid, and_, any_, case, cast, func, or_, select

from market.kernel import references
from market.ledger.models import LedgerAccount, LedgerBalance, LedgerBook
from market.orders.models import STATES as ORDER_STATES
from market.orders.models import Order, SellerOrder
from market.payments.models import Dispute, Payment, PaymentPartRow, Refund
from market.payments.rules import DISPUTE_OPEN
from market.producers.models import Producer
from market.reports.queries.lists import (
    SIMPLE,
    Sorting,
    Source,
    Viewer,
    between_days,
    by_amount,
    by_day,
    one_of,
    search_of,
    words,
)

REFUND_STATES = ("decided", "unsure", "pending", "paid", "untaken", "failed", "needs_person")

WORTH: Any = SellerOrder.total_minor

RETURNED = (
    SellerOrder.goods_refunded_minor
    + SellerOrder.premium_refunded_minor
    + SellerOrder.charges_refunded_minor
    + SellerOrder.tax_refunded_minor
    - SellerOrder.unsent_minor
)


def orders(viewer: Viewer) -> Source:
    """Return the co-op's seller orders, newest first."""
    statement = (
        select(
            SellerOrder.id,
            (cast(Order.number, Text) + "-" + cast(SellerOrder.position, Text)).label("number"),
            SellerOrder.placed_at,
            Producer.name.label("producer"),
            Order.name.label("buyer"),
            WORTH.label("total_minor"),
            RETURNED.label("refunded_minor"),
            SellerOrder.currency,
            SellerOrder.state,
            SellerOrder.problem,
        )
        # Outer joins over keys: where a count needs no name, the planner leaves them out.
        .outerjoin(Order, Order.id == SellerOrder.order_id)
        .outerjoin(Producer, Producer.id == SellerOrder.producer_id)
        .where(SellerOrder.coop_id == viewer.coop_id)
    )
    return Source(
        statement,
        {
            "newest": by_day(SellerOrder.placed_at, unique=SellerOrder.id),
            "oldest": by_day(SellerOrder.placed_at, unique=SellerOrder.id, descending=False),
        },
        {
            "q": lambda text: _order_named(text, viewer),
            "state": _order_state,
            "amount": lambda text: viewer.minor(text) == WORTH,
            **between_days(viewer, SellerOrder.placed_at),
        },
        WORTH,
        SellerOrder.currency,
    )


def _order_state(text: str) -> Any:
    if text == "problem":
        return SellerOrder.problem.is_not(None) & (SellerOrder.state == "paid")
    return one_of(SellerOrder.state, ORDER_STATES)(text)


def _order_named(text: str, viewer: Viewer) -> Any:
    """A number finds the order; words find the buyer by name or address."""
    number = text.strip().lstrip("#").partition("-")[0]
    if number.isdigit() and len(number) < 16:
        return Order.number == int(number)
    named: Any = SellerOrder.order_id == any_(buyers(text))
    return named


def buyers(text: str) -> Any:
    """Return the ids of the orders whose buyer's name or address has these words, as an array found before anything else.

    A function of the database finds them: row-level security lets no search of words reach an index. It gives ids alone, and
    what is read with them passes through row-level security again. Raises ValueError for a text without words.
    """
    found = func.orders_of_buyer(func.to_tsquery(SIMPLE, words(text))).column_valued("id")
    return func.array(select(found).scalar_subquery())


_REFUND_STANDS = case((Refund.kind == "untaken", "untaken"), else_=Refund.state)
"""Where a refund stands; what was never charged was never given back."""


def refunds(viewer: Viewer) -> Source:
    """Return the co-op's refunds, newest first."""
    statement = (
        select(
            Refund.id,
            Refund.number,
            Refund.decided_at,
            Refund.subject_id,
            Order.name.label("buyer"),
            (cast(Order.number, Text) + "-" + cast(SellerOrder.position, Text)).label("order"),
            Refund.reason,
            Refund.bearer,
            Refund.method,
            _REFUND_STANDS.label("state"),
            Refund.problem,
            Refund.amount_minor,
            Refund.currency,
        )
        .outerjoin(SellerOrder, SellerOrder.id == Refund.subject_id)
        .outerjoin(Order, Order.id == SellerOrder.order_id)
        .where(Refund.coop_id == viewer.coop_id)
    )
    return Source(
        statement,
        {
            "newest": Sorting(((Refund.number, int),), descending=True),
            "largest": by_amount(Refund.amount_minor, unique=Refund.id),
        },
        {
            "q": _refund_named,
            "state": _refund_state,
            "method": one_of(Refund.method, ("card", "transfer")),
            "amount": lambda text: Refund.amount_minor == viewer.minor(text),
            **between_days(viewer, Refund.decided_at),
        },
        Refund.amount_minor,
        Refund.currency,
    )


def _refund_named(text: str) -> Any:
    number = text.partition("-")[0]
    return Order.number == int(number) if number.isdecimal() and len(number) < 16 else Order.id == any_(buyers(text))


def _refund_state(text: str) -> Any:
    if text == "hangs":
        return Refund.state != "paid"
    return Refund.state.in_(("failed", "needs_person")) if text == "problem" else one_of(_REFUND_STANDS, REFUND_STATES)(text)


PAYMENT_STATES = (
    "created", "requires_action", "processing", "awaiting_transfer", "part_paid", "succeeded", "failed", "expired", "cancelled",
    "surplus",
)  # fmt: skip


def payments(viewer: Viewer) -> Source:
    """Return the payments for goods of the co-op, the newest first; `ours_minor` is the co-op's part of each."""
    part = PaymentPartRow
    mine = (part.payment_id == Payment.id, part.coop_id == viewer.coop_id)
    share = func.sum(part.goods_minor + part.premium_minor + part.charges_minor + part.tax_minor)
    ours = cast(select(share).where(*mine).correlate(Payment).scalar_subquery(), BigInteger)
    columns = (
        Payment.id, Payment.number, Payment.title, Order.name.label("buyer"), Payment.method, Payment.opened_at, Payment.paid_at,
        Payment.amount_minor, ours.label("ours_minor"), Payment.received_minor, Payment.refunded_minor, Payment.currency,
        Payment.state, Payment.expires_at, Payment.problem, Order.number.label("order"),
    )  # fmt: skip
    paid = between_days(viewer, Payment.paid_at)
    return Source(
        select(*columns)
        .outerjoin(Order, Order.id == Payment.subject_id)
        .where(select(part.payment_id).where(*mine).correlate(Payment).exists()),
        {
            "newest": Sorting(((Payment.number, int),), descending=True),
            "oldest": Sorting(((Payment.number, int),)),
            "largest": by_amount(Payment.amount_minor, unique=Payment.id),
        },
        {
            "q": _payment_named,
            "state": _payment_state,
            "method": one_of(Payment.method, ("card", "transfer")),
            "amount": lambda text: or_(Payment.amount_minor == viewer.minor(text), Payment.received_minor == viewer.minor(text)),
            "paid_from": paid["from"],
            "paid_to": paid["to"],
            **between_days(viewer, Payment.opened_at),
        },
        ours,
        Payment.currency,
    )


def _payment_named(text: str) -> Any:
    known = references.parse(text)
    if known and known[0] == references.Kind.PAYMENT:
        return Payment.number == known[1]
    number = text.strip().partition("-")[0]
    if number.isdecimal() and len(number) < 16:
        return Payment.subject_id.in_(select(Order.id).where(Order.number == int(number)))
    return Payment.subject_id == any_(buyers(text))


def _payment_state(text: str) -> Any:
    if text == "waits":
        return Payment.state.in_(("awaiting_transfer", "part_paid"))
    return one_of(Payment.state, PAYMENT_STATES)(text)


CREDIT_REASONS = ("part_paid", "late", "too_much")


def credits(viewer: Viewer) -> Source:
    """Return the money of buyers that stands in credit in the co-op's book, by payment, the longest waiting first."""
    account, balance, prefix = LedgerAccount, LedgerBalance, "buyer_credit:"
    minor = account.side * func.sum(balance.debits_minor - balance.credits_minor)
    held = (
        select(cast(func.substr(account.code, len(prefix) + 1), Uuid).label("id"), cast(minor, BigInteger).label("minor"))
        .join(balance, and_(balance.book_id == account.book_id, balance.account_id == account.id))
        .where(
            account.book_id == select(LedgerBook.id).where(LedgerBook.coop_id == viewer.coop_id).scalar_subquery(),
            account.code.startswith(prefix),
        )
        .group_by(account.code, account.currency, account.side)
        .having(minor != 0)
        .subquery("held")
        .c
    )
    why = case((Payment.state == "part_paid", "part_paid"), (Payment.state == "surplus", "late"), else_="too_much")
    since = func.coalesce(Payment.paid_at, Payment.opened_at)
    columns = (
        Payment.id, Payment.number, Payment.title, Order.name.label("buyer"), Order.number.label("order"), since.label("since"),
        held.minor.label("amount_minor"), Payment.currency, Payment.amount_minor.label("asked_minor"), Payment.received_minor,
        why.label("why"),
    )  # fmt: skip
    return Source(
        select(*columns).join(held.id.table, held.id == Payment.id).outerjoin(Order, Order.id == Payment.subject_id),
        {
            "oldest": Sorting(((since, datetime.fromisoformat), (Payment.id, UUID))),
            "newest": by_day(since, unique=Payment.id),
            "largest": by_amount(held.minor, unique=Payment.id),
        },
        {
            "q": _payment_named,
            "why": one_of(why, CREDIT_REASONS),
            "amount": lambda text: held.minor == viewer.minor(text),
            **between_days(viewer, since),
        },
        held.minor,
        Payment.currency,
        keyed=False,
    )


def disputes(viewer: Viewer) -> Source:
    """Return the disputes about payments to the co-op, the newest first."""
    ours = select(PaymentPartRow.payment_id).where(PaymentPartRow.coop_id == viewer.coop_id)
    columns = (
        Dispute.id, Payment.title, Dispute.opened_at, Dispute.reason, Dispute.state, Dispute.amount_minor, Dispute.currency,
        case((Dispute.submitted_at.is_(None), Dispute.evidence_due_at)).label("answer_until"),
    )  # fmt: skip
    return Source(
        select(*columns).join(Payment, Payment.id == Dispute.payment_id).where(Dispute.payment_id.in_(ours)),
        {
            "newest": by_day(Dispute.opened_at, unique=Dispute.id),
            "largest": by_amount(Dispute.amount_minor, unique=Dispute.id),
        },
        {
            "q": search_of(Payment.title, Dispute.provider_ref),
            "state": _dispute_state,
            "amount": lambda text: Dispute.amount_minor == viewer.minor(text),
            **between_days(viewer, Dispute.opened_at),
        },
        Dispute.amount_minor,
        Dispute.currency,
    )


def _dispute_state(text: str) -> Any:
    if text == "open":
        return Dispute.state.in_(DISPUTE_OPEN)
    return one_of(Dispute.state, (*DISPUTE_OPEN, "won", "lost", "warning_closed", "prevented"))(text)
