"""What the matching desk reads: the lines of all accounts, and one line with its candidates side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from market.kernel.money import Money
from market.orders.models import Order
from market.payments.models import Payment, Refund
from market.payments.queries import refund_view, view
from market.payouts.models import Payout
from market.payouts.rules.numbers import payout_number
from market.reports.queries.lists import Listed, Sorting, Source, Viewer, contains, one_named
from market.statements.match_models import StatementMatch, StatementSuggestion
from market.statements.models import StatementLine
from market.statements.queries import STATES, LineView, SuggestionView
from market.statements.service.booking_rules import RULE

LEFT: Any = func.abs(StatementLine.amount_minor) - StatementLine.matched_minor
REST: Any = case((StatementLine.amount_minor < 0, -LEFT), else_=LEFT)


@dataclass(frozen=True, slots=True)
class Candidate:
    """What may explain a line, in the columns in which the line itself is shown; `money` is all that is due of it."""

    suggestion: SuggestionView
    what: str
    number: str
    who: str
    account: str
    reference: str
    on: date | None
    money: Money
    state: str


def lines(viewer: Viewer) -> Source:
    """Return the statement lines of all accounts of the co-op, the oldest first."""
    candidates = (
        select(func.count())
        .where(StatementSuggestion.line_id == StatementLine.id, StatementSuggestion.dismissed_at.is_(None))
        .scalar_subquery()
    )
    statement: Listed = (
        select(
            StatementLine.id,
            StatementLine.booked_on,
            StatementLine.counterparty_name.label("who"),
            func.left(StatementLine.text, 90).label("text"),
            StatementLine.amount_minor,
            REST.label("rest_minor"),
            StatementLine.currency,
            StatementLine.state,
            case((StatementLine.state == "suggested", candidates), else_=0).label("candidates"),
            StatementLine.returned,
            StatementLine.question,
        )
        .where(StatementLine.coop_id == viewer.coop_id)
    )  # fmt: skip
    return Source(
        statement,
        {
            "oldest": Sorting(((StatementLine.booked_on, date.fromisoformat), (StatementLine.id, UUID))),
            "largest": Sorting(((LEFT, int), (StatementLine.id, UUID)), descending=True),
            "newest": Sorting(((StatementLine.booked_on, date.fromisoformat), (StatementLine.id, UUID)), descending=True),
        },
        {
            "account": lambda text: StatementLine.money_account_id == UUID(text),
            "show": one_named({name: StatementLine.state.in_(states) for name, states in STATES.items()}),
            "rule": lambda text: StatementLine.id.in_(
                select(StatementMatch.line_id).where(StatementMatch.rule == RULE, StatementMatch.evidence[RULE].astext == text)
            ),
            "way": one_named({"in": StatementLine.amount_minor > 0, "out": StatementLine.amount_minor < 0}),
            "q": lambda text: _named(text),
            "amount": lambda text: StatementLine.amount_minor.in_((viewer.minor(text), -viewer.minor(text))),
            "from": lambda text: StatementLine.booked_on >= date.fromisoformat(text),
            "to": lambda text: StatementLine.booked_on <= date.fromisoformat(text),
        },
        REST,
        StatementLine.currency,
    )


def _named(text: str) -> Any:
    """A reference of ours finds the line that names it; words the counterparty."""
    plain = "".join(text.split()).upper()
    return (
        StatementLine.creditor_refs.contains([plain])
        if plain.startswith("RF")
        else contains(StatementLine.counterparty_name, text)
    )


def candidates(session: Session, line: LineView) -> list[Candidate]:
    """Return the candidates of a line, the best first, with what names them."""
    ids: dict[str, set[UUID]] = {}
    for each in line.suggestions:
        if each.target_id is not None:
            ids.setdefault(each.target_kind, set()).add(each.target_id)
    payouts = {
        row.id: row
        for row in session.scalars(
            select(Payout).where(Payout.id.in_(ids.get("payout", set()) | ids.get("payout_return", set())))
        )
    }
    payments = {row.id: row for row in session.scalars(select(Payment).where(Payment.id.in_(ids.get("payment", ()))))}
    refunds = {row.id: row for row in session.scalars(select(Refund).where(Refund.id.in_(ids.get("refund", ()))))}
    buyers = _buyers(session, [row.subject_id for row in payments.values()])
    return [_candidate(each, payouts, payments, refunds, buyers) for each in line.suggestions]


def _buyers(session: Session, order_ids: Sequence[UUID]) -> dict[UUID, str]:
    rows = session.execute(select(Order.id, Order.name).where(Order.id.in_(order_ids))) if order_ids else ()
    return {order_id: name for order_id, name in rows}


def _candidate(
    each: SuggestionView,
    payouts: dict[UUID, Payout],
    payments: dict[UUID, Payment],
    refunds: dict[UUID, Refund],
    buyers: dict[UUID, str],
) -> Candidate:
    target = each.target_id
    if target in payouts:
        row = payouts[target]
        iban = str(row.details.get("iban") or "")
        money = Money(row.amount_minor, row.currency)
        on = row.changed_at.date()
        return Candidate(
            each,
            each.target_kind,
            payout_number(row.number),
            str(row.details.get("holder") or ""),
            iban,
            row.reference,
            on,
            money,
            row.state,
        )
    if target in payments:
        paid = view(payments[target])
        return Candidate(
            each,
            "payment",
            paid.title,
            buyers.get(paid.subject_id, ""),
            "",
            paid.reference,
            paid.opened_at.date(),
            paid.due or paid.money,
            paid.state.value,
        )
    if target in refunds:
        back = refund_view(refunds[target])
        return Candidate(
            each, "refund", str(back.number), back.reason, "", back.reference, back.decided_at.date(), back.money, back.state
        )
    return Candidate(each, "account", "", "", "", "", None, each.money, "")
