"""What each desk of the staff lists: one function per desk, each a SELECT with its filters, sortings and totals."""

from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, any_, case, cast, func, or_, select
from sqlalchemy.orm import Session, aliased

from market.accounts.models import Account, AccountRole
from market.catalogue.models import Listing
from market.kernel.audit import AuditEntry
from market.notifications.models import Notification
from market.orders.models import STATES as ORDER_STATES
from market.orders.models import Order, SellerOrder
from market.payments.models import Refund
from market.payouts.models import STATES as PAYOUT_STATES
from market.payouts.models import Payout, PayoutRun
from market.pricing.models import PriceReference
from market.producers.models import Member, PayeeAccount, Producer
from market.producers.rules import RAILS
from market.reports.queries.lists import (
    SIMPLE,
    Sorting,
    Source,
    Viewer,
    between_days,
    by_amount,
    by_day,
    contains,
    one_named,
    one_of,
    words,
)

_PERSON = case((AuditEntry.actor.like("account:%"), cast(func.substr(AuditEntry.actor, 9), Uuid)))
"""The account that an entry of the audit names, as an id, so that its key finds it."""
REFUND_STATES = ("decided", "unsure", "pending", "paid", "failed", "needs_person")
WORTH: Any = SellerOrder.total_minor
RETURNED = (
    SellerOrder.goods_refunded_minor
    + SellerOrder.premium_refunded_minor
    + SellerOrder.charges_refunded_minor
    + SellerOrder.tax_refunded_minor
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
            Refund.state,
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
    return Refund.state.in_(("failed", "needs_person")) if text == "problem" else one_of(Refund.state, REFUND_STATES)(text)


def payouts(viewer: Viewer) -> Source:
    """Return the co-op's payouts, newest first."""
    statement = (
        select(
            Payout.id,
            Payout.number,
            Payout.changed_at,
            Producer.name.label("payee"),
            Payout.rail,
            Payout.reference,
            Payout.state,
            Payout.reason,
            Payout.amount_minor,
            Payout.currency,
        )
        .outerjoin(Producer, Producer.id == Payout.payee_id)
        .where(Payout.coop_id == viewer.coop_id)
    )
    return Source(
        statement,
        {
            "newest": Sorting(((Payout.number, int),), descending=True),
            "largest": by_amount(Payout.amount_minor, unique=Payout.id),
        },
        {
            "q": _payout_named,
            "state": _payout_state,
            "rail": one_of(Payout.rail, RAILS),
            "amount": lambda text: Payout.amount_minor == viewer.minor(text),
            **between_days(viewer, Payout.changed_at),
        },
        Payout.amount_minor,
        Payout.currency,
    )


def _payout_state(text: str) -> Any:
    stuck = ("needs_person", "unknown", "failed", "returned")
    return Payout.state.in_(stuck) if text == "problem" else one_of(Payout.state, PAYOUT_STATES)(text)


def _payout_named(text: str) -> Any:
    plain = "".join(sign for sign in text.upper() if sign.isalnum())
    if plain.startswith("RF"):
        return Payout.reference == plain
    digits = plain.removeprefix("PO")
    if digits.isdigit() and len(digits) < 16:
        return Payout.number == int(digits)
    return contains(Producer.name, text)


def runs(viewer: Viewer) -> Source:
    """Return the co-op's payout runs, newest first."""
    columns = (
        PayoutRun.id, PayoutRun.number, PayoutRun.state, PayoutRun.due_by, PayoutRun.execute_on, PayoutRun.prepared_at,
        PayoutRun.prepared_by, PayoutRun.approved_at, PayoutRun.approved_by,
    )  # fmt: skip
    return Source(
        select(*columns).where(PayoutRun.coop_id == viewer.coop_id),
        {"newest": Sorting(((PayoutRun.number, int),), descending=True)},
        {
            "state": one_of(PayoutRun.state, ("draft", "approved", "cancelled")),
            **between_days(viewer, PayoutRun.prepared_at),
        },
    )


def members(viewer: Viewer) -> Source:
    """Return the co-op's members by number."""
    paid = select(PayeeAccount.id).where(PayeeAccount.producer_id == Producer.id, PayeeAccount.replaced_at.is_(None))
    waits = paid.where(PayeeAccount.confirmed_at.is_(None)).exists()
    payable = paid.where(PayeeAccount.confirmed_at.is_not(None)).exists()
    where_paid = case((waits, "waits"), (payable, "confirmed"), else_="none")
    statement = (
        select(
            Producer.id,
            Member.number,
            Producer.name,
            Producer.region,
            Member.joined_on,
            Member.left_on,
            case((Member.left_on.is_(None), "member"), else_="left").label("state"),
            where_paid.label("paid_at"),
        )
        .join(Producer, Producer.id == Member.producer_id)
        .where(Member.coop_id == viewer.coop_id)
    )
    return Source(
        statement,
        {
            "number": Sorting(((Member.number, int), (Producer.id, UUID))),
            "name": Sorting(((Producer.name, str), (Producer.id, UUID))),
        },
        {
            "q": lambda text: Member.number == int(text) if text.isdigit() else contains(Producer.name, text),
            "state": one_named({"member": Member.left_on.is_(None), "left": Member.left_on.is_not(None)}),
            "paid": one_named({"waits": waits, "confirmed": payable, "none": ~paid.exists()}),
        },
    )


def listings(viewer: Viewer) -> Source:
    """Return the co-op's listings, newest first."""
    statement = (
        select(
            Listing.id,
            Listing.title,
            Producer.name.label("producer"),
            Listing.state,
            Listing.check_outcome,
            Listing.unit_price,
            Listing.floor_price,
            Listing.currency,
            Listing.unit,
            Listing.updated_at,
            Listing.withdrawn_reason,
        )
        .outerjoin(Producer, Producer.id == Listing.producer_id)
        .where(Listing.coop_id == viewer.coop_id)
    )
    return Source(
        statement,
        {"newest": by_day(Listing.updated_at, unique=Listing.id)},
        {
            "q": lambda text: or_(contains(Listing.title, text), contains(Producer.name, text)),
            "state": one_of(Listing.state, ("draft", "published", "withdrawn")),
            "check": one_of(Listing.check_outcome, ("ok", "warning", "not_checkable", "violation")),
        },
    )


def price_rows(viewer: Viewer) -> Source:
    """Return the rows of the price tables, those that wait for a person first; they are everybody's."""
    del viewer
    waiting = case((PriceReference.status == "needs_review", 0), else_=1)
    goods = func.concat_ws(" ", PriceReference.product, PriceReference.variety, PriceReference.form)
    statement = select(
        PriceReference.id, goods.label("goods"), PriceReference.quality, PriceReference.geo_code, PriceReference.scheme,
        PriceReference.minimum_price, PriceReference.premium, PriceReference.currency, PriceReference.valid_from,
        PriceReference.status, PriceReference.confidence,
    )  # fmt: skip
    return Source(
        statement,
        {
            "waiting": Sorting(((waiting, int), (goods, str), (PriceReference.id, UUID))),
            "newest": by_day(PriceReference.entered_at, unique=PriceReference.id),
        },
        {
            "q": lambda text: contains(goods, text.replace("_", " ")) | contains(goods, text),
            "product": lambda text: PriceReference.product == text,
            "status": one_of(PriceReference.status, ("needs_review", "active", "superseded", "rejected")),
            "scheme": lambda text: PriceReference.scheme == text,
        },
    )


def price_changes(
    session: Session, *, scheme: str | None = None, reference_id: UUID | None = None, limit: int = 300
) -> list[Any]:
    """Return rows of price tables beside the row of the same goods that was in force before, the newest day first.

    Of one scheme, of one row, or of all; rows that say the same as before are left out, and those that were set aside.
    """
    same = (
        PriceReference.scheme, PriceReference.price_kind, PriceReference.product, PriceReference.variety, PriceReference.form,
        PriceReference.characteristic, PriceReference.quality, PriceReference.geo_level, PriceReference.geo_code,
        PriceReference.setup, PriceReference.incoterm, PriceReference.currency, PriceReference.unit,
    )  # fmt: skip
    values = (
        PriceReference.minimum_price,
        PriceReference.premium,
        PriceReference.organic_differential,
        PriceReference.valid_from,
    )
    order = (PriceReference.valid_from, PriceReference.entered_at, PriceReference.id)
    before = [func.lag(value).over(partition_by=same, order_by=order).label(f"old_{value.key}") for value in values]
    goods = func.concat_ws(" ", PriceReference.product, PriceReference.variety, PriceReference.form).label("goods")
    known = PriceReference.status.in_(("needs_review", "active", "superseded"))
    facts = (PriceReference.geo_code, PriceReference.quality, PriceReference.unit, PriceReference.currency, PriceReference.status)
    seen = select(PriceReference.id, PriceReference.scheme, goods, *facts, *values, *before).where(known).subquery()
    pairs = [(seen.c[value.key], seen.c[f"old_{value.key}"]) for value in values[:3]]
    statement = select(seen).where(or_(*(new.is_distinct_from(old) for new, old in pairs)))
    if reference_id is not None:
        statement = statement.where(seen.c.id == reference_id)
    else:
        statement = statement.where(seen.c.old_valid_from.is_not(None))
    if scheme is not None:
        statement = statement.where(seen.c.scheme == scheme)
    return list(session.execute(statement.order_by(seen.c.valid_from.desc().nulls_last(), seen.c.goods, seen.c.id).limit(limit)))


def mails(viewer: Viewer) -> Source:
    """Return the mails that were written about the co-op's facts or to its people, newest first."""
    statement = select(
        Notification.id, Notification.created_at, Notification.kind, Notification.email, Notification.name,
        Notification.locale, Notification.state, Notification.attempts, Notification.sent_at, Notification.problem,
    ).where(Notification.coop_ids.contains([viewer.coop_id]))  # fmt: skip
    return Source(
        statement,
        {"newest": by_day(Notification.created_at, unique=Notification.id)},
        {
            "q": lambda text: or_(Notification.email == text.lower(), contains(Notification.name, text)),
            "state": one_of(Notification.state, ("waiting", "sent", "unwanted", "failed")),
            "kind": lambda text: Notification.kind == text,
            **between_days(viewer, Notification.created_at),
        },
    )


def audit(viewer: Viewer) -> Source:
    """Return who did what to the co-op's records, newest first."""
    person = aliased(Account)
    statement = (
        select(
            AuditEntry.id, AuditEntry.at, AuditEntry.actor, person.name.label("person"), AuditEntry.action,
            AuditEntry.subject_kind, AuditEntry.subject_id, AuditEntry.old, AuditEntry.new,
        )
        .outerjoin(person, person.id == _PERSON)
        .where(AuditEntry.coop_id == viewer.coop_id)
    )  # fmt: skip
    return Source(
        statement,
        {"newest": Sorting(((AuditEntry.id, int),), descending=True)},
        {
            "actor": lambda text: AuditEntry.actor == text,
            "action": lambda text: AuditEntry.action.startswith(text, autoescape=True),
            "kind": lambda text: AuditEntry.subject_kind == text,
            "id": lambda text: AuditEntry.subject_id == text,
            **between_days(viewer, AuditEntry.at),
        },
    )


def audit_entry(session: Session, entry_id: int) -> Any:
    """Return one entry of the audit in this scope, None when there is none."""
    columns = (AuditEntry.id, AuditEntry.at, AuditEntry.actor, AuditEntry.action, AuditEntry.subject_kind, AuditEntry.subject_id)
    statement = select(*columns, AuditEntry.old, AuditEntry.new).where(AuditEntry.id == entry_id)
    return session.execute(statement).one_or_none()


def history(session: Session, kind: str, subject_id: Any, *, limit: int = 30) -> list[Any]:
    """Return what people and tasks did to one record, newest first, each with the name of the person."""
    person = aliased(Account)
    columns = (
        AuditEntry.at, AuditEntry.actor, person.name.label("person"), AuditEntry.action, AuditEntry.subject_kind,
        AuditEntry.old, AuditEntry.new,
    )  # fmt: skip
    statement = (
        select(*columns)
        .outerjoin(person, person.id == _PERSON)
        .where(AuditEntry.subject_kind == kind, AuditEntry.subject_id == str(subject_id))
        .order_by(AuditEntry.id.desc())
        .limit(limit)
    )
    return list(session.execute(statement))


def people(viewer: Viewer) -> Source:
    """Return who holds which role for the co-op, by name."""
    statement = (
        select(AccountRole.id, Account.name, Account.email, AccountRole.role, AccountRole.granted_at, AccountRole.granted_by)
        .join(Account, Account.id == AccountRole.account_id)
        .where(AccountRole.coop_id == viewer.coop_id)
    )
    return Source(
        statement,
        {"name": Sorting(((Account.name, str), (AccountRole.id, UUID)))},
        {
            "q": lambda text: or_(contains(Account.name, text), contains(Account.email, text)),
            "role": one_of(AccountRole.role, ("preparer", "approver")),
        },
    )
