"""The staff's search: numbers, references, names and amounts over everything of a co-op, a few of each kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Text, any_, cast, func, literal, null, or_, select
from sqlalchemy.orm import Session

from market.catalogue.models import Listing
from market.kernel.references import Kind, parse
from market.orders.models import Order, SellerOrder
from market.payments.models import Payment, Refund
from market.payouts.models import Payout
from market.producers.models import Member, Producer
from market.reports.queries.desks import WORTH, buyers
from market.reports.queries.lists import Listed, Viewer, contains
from market.statements.models import StatementLine

FEW = 8
"""Hits shown of each kind; the lists have the rest."""
OPEN = ("new", "suggested", "parked")


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that was found: what names it, who it is about, its amount and state."""

    id: UUID
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
        "payout": _payouts,
        "refund": _refunds,
        "line": _lines,
        "member": _members,
        "listing": _listings,
    }
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
    plain = text.strip().lstrip("#").upper().removeprefix("PO-")
    digits = plain.partition("-")[0]
    number = int(digits) if digits.isdigit() and len(digits) < 16 else None
    try:
        minor: int | None = abs(viewer.minor("".join(sign for sign in text if sign.isdigit() or sign in ".,-")))
    except ValueError:
        minor = None
    return _Meaning(number, minor, parse(text), text)


def _any(*conditions: ColumnElement[bool] | None) -> ColumnElement[bool] | None:
    found = [each for each in conditions if each is not None]
    return or_(*found) if found else None


def _is_words(text: str) -> bool:
    """Whether it may be a name or an address: a text with digits in it is a number, a reference or an amount."""
    return "@" in text or not any(sign.isdigit() for sign in text)


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
    if _is_words(meant.text):
        try:
            named = SellerOrder.order_id == any_(buyers(meant.text))
        except ValueError:
            pass
        else:
            ids.append(select(SellerOrder.id).where(SellerOrder.coop_id == viewer.coop_id, named).limit(50 * FEW))
    either = [SellerOrder.id.in_(found) for found in ids]
    return base.where(or_(*either)).order_by(SellerOrder.placed_at.desc()) if either else None


def _payouts(viewer: Viewer, meant: _Meaning) -> Listed | None:
    named = None if any(sign.isdigit() for sign in meant.text) else contains(Producer.name, meant.text)
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
    """By amount all lines, by name or reference those that nobody has explained yet."""
    waits = StatementLine.state.in_(OPEN)
    condition = _any(
        StatementLine.amount_minor.in_((meant.minor, -meant.minor)) if meant.minor else None,
        waits & StatementLine.creditor_refs.contains(["".join(meant.text.split()).upper()]) if meant.reference else None,
        waits & contains(StatementLine.counterparty_name, meant.text) if _is_words(meant.text) else None,
    )
    if condition is None:
        return None
    columns = (
        StatementLine.id, func.to_char(StatementLine.booked_on, "YYYY-MM-DD"), StatementLine.counterparty_name,
        StatementLine.amount_minor, StatementLine.currency, StatementLine.state,
    )  # fmt: skip
    newest = (StatementLine.booked_on.desc(), StatementLine.id.desc())
    return select(*columns).where(StatementLine.coop_id == viewer.coop_id, condition).order_by(*newest)


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
