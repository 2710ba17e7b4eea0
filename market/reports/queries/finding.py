"""The staff's search: numbers, references, names and amounts over everything of a co-op, a few of each kind."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, any_, case, cast, func, literal, null, or_, select
from sqlalchemy.orm import Session

from market.accounts.models import Account, AccountRole
from market.catalogue.models import Listing
from market.invoices.models import Invoice
from market.kernel.money import Unclear
from market.kernel.references import Kind, parse
from market.orders.models import Order, SellerOrder
from market.payments.models import Payment, PaymentPartRow, Refund
from market.payouts.models import Payout, PayoutRun
from market.producers.models import Member, Producer
from market.provenance.models import Lot
from market.reports.queries.desks import WORTH, buyers
from market.reports.queries.lists import Listed, Viewer, contains
from market.statements.models import StatementLine

FEW = 8
"""Hits shown of each kind; the lists have the rest."""
_CURRENCY = 3
"""Letters that an amount may have beside its digits."""
_AMOUNT = 12
"""Digits that an amount may have; longer ones are numbers of accounts."""
_CODE = 8
"""Digits from which a text is the number of an account or of a bank's own."""
_PREFIXES = {"PO": "payout", "RUN": "run", "INV": "invoice", "CN": "invoice"}
"""Beginnings of numbers that belong to one kind alone."""
_PRINTED = re.compile(r"(INV|CN)-([0-9]{4})-([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that was found: what names it, who it is about, its amount and state."""

    id: UUID | str
    number: str
    words: str
    minor: int | None
    currency: str | None
    state: str


@dataclass(frozen=True, slots=True)
class Group:
    """The hits of one kind; `more` when there are others."""

    kind: str
    hits: Sequence[Hit]
    more: bool


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What a text may mean: a whole number, an amount in minor units, one of our references, words."""

    number: int | None
    minor: int | None
    reference: tuple[Kind, int] | None
    text: str


def everything(session: Session, viewer: Viewer, text: str) -> list[Group]:
    """Return what fits `text`, by kind, the kinds without hits left out."""
    meant = _meaning(text, viewer)
    kinds = {
        "order": _orders,
        "payment": _payments,
        "run": _runs,
        "payout": _payouts,
        "refund": _refunds,
        "invoice": _invoices,
        "line": _lines,
        "member": _members,
        "person": _people,
        "listing": _listings,
        "lot": _lots,
    }
    prefix = text.strip().upper().partition("-")[0]
    if prefix in _PREFIXES:
        kinds = {_PREFIXES[prefix]: kinds[_PREFIXES[prefix]]}
    groups = []
    for kind, find in kinds.items():
        statement = find(viewer, meant)
        if statement is None:
            continue
        rows = session.execute(statement.limit(FEW + 1)).all()
        if rows:
            groups.append(Group(kind, [Hit(*row) for row in rows[:FEW]], len(rows) > FEW))
    return groups


def _meaning(text: str, viewer: Viewer) -> _Meaning:
    written = text.strip().lstrip("#").upper()
    plain = written.removeprefix("PO-").removeprefix("RUN-")
    digits = plain.partition("-")[0]
    number = int(digits) if digits.isdigit() and len(digits) < 16 else None
    reference, minor = parse(text), None
    letters, signs = sum(map(str.isalpha, text)), sum(map(str.isdigit, text))
    if reference is None and plain == written and letters <= _CURRENCY and signs <= _AMOUNT:
        try:
            minor = abs(viewer.minor("".join(sign for sign in text if sign.isdigit() or sign in ".,-")))
        except Unclear as either:
            minor = either.thousands.minor  # whoever looks for something sees what was found
        except ValueError:
            minor = None
    return _Meaning(number, minor, reference, text)


def _any(*conditions: ColumnElement[bool] | None) -> ColumnElement[bool] | None:
    found = [each for each in conditions if each is not None]
    return or_(*found) if found else None


def _is_words(meant: _Meaning) -> bool:
    """Whether it may be a name or an address, and is no number, reference or amount."""
    known = meant.number is not None or meant.reference or meant.minor
    return not known and any(map(str.isalpha, meant.text)) and sum(map(str.isdigit, meant.text)) < _CODE


def _orders(viewer: Viewer, meant: _Meaning) -> Listed | None:
    number = cast(Order.number, Text) + "-" + cast(SellerOrder.position, Text)
    paid = select(Payment.subject_id).where(Payment.number == meant.reference[1]) if meant.reference else None
    by_order = _any(
        Order.number == meant.number if meant.number is not None else None,
        Order.id.in_(paid) if paid is not None and meant.reference and meant.reference[0] is Kind.PAYMENT else None,
    )
    base = (
        select(SellerOrder.id, number, Order.name, WORTH, SellerOrder.currency, SellerOrder.state)
        .join(Order, Order.id == SellerOrder.order_id)
        .where(SellerOrder.coop_id == viewer.coop_id)
    )
    # Each by its own index, then together: an OR over two tables would look at every order.
    ids: list[Listed] = []
    if meant.minor:
        ids.append(select(SellerOrder.id).where(SellerOrder.coop_id == viewer.coop_id, meant.minor == WORTH).limit(FEW + 1))
    if by_order is not None:
        joined = select(SellerOrder.id).join(Order, Order.id == SellerOrder.order_id)
        ids.append(joined.where(SellerOrder.coop_id == viewer.coop_id, by_order).limit(50 * FEW))
    if _is_words(meant):
        try:
            named = SellerOrder.order_id == any_(buyers(meant.text))
        except ValueError:
            pass
        else:
            ids.append(select(SellerOrder.id).where(SellerOrder.coop_id == viewer.coop_id, named).limit(50 * FEW))
    either = [SellerOrder.id.in_(found) for found in ids]
    return base.where(or_(*either)).order_by(SellerOrder.placed_at.desc()) if either else None


def _payouts(viewer: Viewer, meant: _Meaning) -> Listed | None:
    named = contains(Producer.name, meant.text) if _is_words(meant) else None
    condition = _any(
        Payout.number == meant.number if meant.number is not None else None,
        Payout.reference == "".join(meant.text.split()).upper() if meant.reference else None,
        Payout.amount_minor == meant.minor if meant.minor else None,
        Payout.payee_id.in_(select(Producer.id).where(Producer.coop_id == viewer.coop_id, named)) if named is not None else None,
    )
    if condition is None:
        return None
    return (
        select(Payout.id, cast(Payout.number, Text), Producer.name, Payout.amount_minor, Payout.currency, Payout.state)
        .join(Producer, Producer.id == Payout.payee_id)
        .where(Payout.coop_id == viewer.coop_id, condition)
        .order_by(Payout.number.desc())
    )


def _refunds(viewer: Viewer, meant: _Meaning) -> Listed | None:
    condition = _any(
        Refund.number == meant.number if meant.number is not None else None,
        Refund.number == meant.reference[1] if meant.reference and meant.reference[0] is Kind.REFUND else None,
        Refund.amount_minor == meant.minor if meant.minor else None,
    )
    if condition is None:
        return None
    columns = (Refund.id, cast(Refund.number, Text), Refund.reason, Refund.amount_minor, Refund.currency, Refund.state)
    return select(*columns).where(Refund.coop_id == viewer.coop_id, condition).order_by(Refund.number.desc())


def _lines(viewer: Viewer, meant: _Meaning) -> Listed | None:
    """Explained lines as well as open ones: by amount, our reference, the bank's number, account or name of the other side."""
    code = "".join(meant.text.split()).upper()
    if meant.minor:
        condition: Any = StatementLine.amount_minor.in_((meant.minor, -meant.minor))
    elif meant.reference:
        condition = StatementLine.creditor_refs.contains([code])
    elif _is_words(meant):
        condition = contains(StatementLine.counterparty_name, meant.text)
    elif len(code) >= _CODE:
        condition = or_(StatementLine.counterparty_account == code, StatementLine.bank_ref == meant.text.strip())
    else:
        return None
    columns = (
        StatementLine.id, func.to_char(StatementLine.booked_on, "YYYY-MM-DD"), StatementLine.counterparty_name,
        StatementLine.amount_minor, StatementLine.currency, StatementLine.state,
    )  # fmt: skip
    newest = (StatementLine.booked_on.desc(), StatementLine.id.desc())
    return select(*columns).where(StatementLine.coop_id == viewer.coop_id, condition).order_by(*newest)


def _payments(viewer: Viewer, meant: _Meaning) -> Listed | None:
    """A buyer's payment over several producers: by its reference, or by what was paid in all; it leads to the co-op's part."""
    by_reference = bool(meant.reference and meant.reference[0] is Kind.PAYMENT)
    if not (by_reference or meant.minor):
        return None
    asked = Payment.number == meant.reference[1] if meant.reference and by_reference else Payment.amount_minor == meant.minor
    found = select(Payment.id).where(asked).order_by(Payment.opened_at.desc()).limit(50 * FEW)
    number = cast(Order.number, Text) + "-" + cast(SellerOrder.position, Text)
    return (
        select(SellerOrder.id, number, Payment.title, Payment.amount_minor, Payment.currency, Payment.state)
        .join(PaymentPartRow, PaymentPartRow.payment_id == Payment.id)
        .join(SellerOrder, SellerOrder.id == PaymentPartRow.subject_id)
        .join(Order, Order.id == SellerOrder.order_id)
        .where(PaymentPartRow.coop_id == viewer.coop_id, Payment.id.in_(found))
        .order_by(Payment.opened_at.desc())
    )


def _runs(viewer: Viewer, meant: _Meaning) -> Listed | None:
    if meant.number is None or not meant.text.strip().upper().startswith("RUN-"):
        return None
    due = func.to_char(PayoutRun.due_by, "YYYY-MM-DD")
    return select(PayoutRun.id, cast(PayoutRun.number, Text), due, null(), null(), PayoutRun.state).where(
        PayoutRun.coop_id == viewer.coop_id, PayoutRun.number == meant.number
    )


def _invoices(viewer: Viewer, meant: _Meaning) -> Listed | None:
    """By the number as it is printed; it leads to the co-op's part of the order."""
    printed = _PRINTED.fullmatch(meant.text.strip().upper())
    if printed is None:
        return None
    kind = "invoice" if printed[1] == "INV" else "credit_note"
    named = literal(meant.text.strip().upper())
    return (
        select(SellerOrder.id, named, literal(""), Invoice.total_minor, Invoice.currency, literal(""))
        .join(SellerOrder, (SellerOrder.order_id == Invoice.order_id) & (SellerOrder.coop_id == Invoice.coop_id))
        .where(
            Invoice.coop_id == viewer.coop_id,
            Invoice.kind == kind,
            Invoice.year == int(printed[2]),
            Invoice.number == int(printed[3]),
        )
        .order_by(SellerOrder.position)
        .limit(1)
    )


def _members(viewer: Viewer, meant: _Meaning) -> Listed:
    named = Member.number == meant.number if meant.number is not None else contains(Producer.name, meant.text)
    return (
        select(Producer.id, cast(Member.number, Text), Producer.name, null(), null(), Producer.region)
        .join(Producer, Producer.id == Member.producer_id)
        .where(Member.coop_id == viewer.coop_id, named)
        .order_by(Producer.name)
    )


def _listings(viewer: Viewer, meant: _Meaning) -> Listed:
    return (
        select(Listing.id, literal(""), Listing.title, null(), null(), Listing.state)
        .where(Listing.coop_id == viewer.coop_id, contains(Listing.title, meant.text))
        .order_by(Listing.updated_at.desc())
    )


def _people(viewer: Viewer, meant: _Meaning) -> Listed:
    """Who works for the co-op, by name or address."""
    works = select(AccountRole.account_id).where(AccountRole.coop_id == viewer.coop_id)
    return (
        select(Account.email, literal(""), Account.name, null(), null(), literal(""))
        .where(Account.id.in_(works), or_(contains(Account.name, meant.text), contains(Account.email, meant.text)))
        .order_by(Account.name)
    )


def _lots(viewer: Viewer, meant: _Meaning) -> Listed:
    """By the name on the label, the code on the sack, or the end of its public address."""
    named = or_(contains(Lot.name, meant.text), contains(Lot.label, meant.text), Lot.slug == meant.text.strip())
    return (
        select(Lot.id, Lot.label, Lot.name, null(), null(), case((Lot.withdrawn_at.is_(None), ""), else_="withdrawn"))
        .where(Lot.coop_id == viewer.coop_id, named)
        .order_by(Lot.recorded_at.desc())
    )
