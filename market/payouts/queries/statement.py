"""The facts of a payee's statement: what was sold, what was kept back, what was paid (money.md 9)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from market.earnings import queries as earnings
from market.kernel.clock import day_in
from market.kernel.money import Money, total
from market.kernel.words import N_, Term, say
from market.ledger import queries as books
from market.ledger import service as ledger
from market.orders import queries as orders
from market.orders.queries import Line
from market.orders.rules import COMPONENT
from market.payables import queries as payables
from market.payables.queries import Owed
from market.payouts.errors import StepRefused
from market.payouts.ports import PayeeStatement, StatementDeduction, StatementLine
from market.payouts.queries.cash import cheque_of
from market.payouts.queries.recovered import of_payout
from market.payouts.queries.runs import items, payout, payout_details, receipt_number
from market.payouts.queries.views import PayoutRow
from market.payouts.rules.accounts import masked
from market.payouts.rules.states import State
from market.producers import queries as producers


def payee_statement(session: Session, payout_id: UUID) -> PayeeStatement:
    """Return what a payee is told about one payout. Raises StepRefused until the money has been seen, PayoutNotFound."""
    row = payout(session, payout_id)
    if row.settled_on is None or row.state not in (State.SETTLED, State.RETURNED):
        raise StepRefused("The statement is printed when the money has arrived.", state=row.state)
    coop = producers.coop(session, row.coop_id)
    payee = producers.producer(session, row.payee_id)
    member = producers.member(session, coop_id=row.coop_id, producer_id=row.payee_id)
    paid_for = payables.by_ids(session, [payable_id for payable_id, _ in items(session, payout_id)])
    back = of_payout(session, payout_id)
    lines = tuple(_all_lines(session, paid_for, back, coop.time_zone))
    gross = row.gross + total([money for _, _, money in back], row.gross.currency)
    if sum(line.money.minor for line in lines) != gross.minor:
        raise AssertionError(f"the lines of payout {row.number} do not add up to {row.gross.text}")
    street = f"{coop.street} {coop.building}".strip()
    town = f"{coop.postcode} {coop.town}, {coop.country}".strip(" ,")
    return PayeeStatement(
        language=payee.language,
        coop_name=coop.name,
        coop_address=tuple(line for line in (street, town) if line),
        payee_name=row.holder,
        payee_number=str(member.number),
        paid_to=_paid_to(session, row),
        rail=row.rail,
        number=row.number,
        reference=row.reference,
        paid_on=row.settled_on,
        lines=lines,
        deductions=(*_recovered(session, back), *_deductions(session, row)),
        gross=gross,
        paid=row.money,
        came_back=row.state == State.RETURNED,
    )


def _all_lines(
    session: Session, paid_for: list[Owed], back: list[tuple[UUID, UUID, Money]], zone: str
) -> Iterator[StatementLine]:
    """Yield what was earned: what came back to advances out of a thing is part of what it brought, told once."""
    more: dict[UUID, int] = {}
    for source_id, _, money in back:
        more[source_id] = more.get(source_id, 0) + money.minor
    for owed in paid_for:
        earned = Money(owed.money.minor + more.pop(owed.source_id, 0), owed.money.currency)
        yield from _lines(session, replace(owed, money=earned), zone)


def _recovered(session: Session, back: list[tuple[UUID, UUID, Money]]) -> Iterator[StatementDeduction]:
    """Yield what came back to each advance, with what is left of it."""
    granted = earnings.advances_by_id(session, {advance_id for _, advance_id, _ in back})
    for advance_id, advance in sorted(granted.items(), key=lambda pair: (pair[1].priority, pair[1].proposed_at, pair[0])):
        money = total([money for _, one, money in back if one == advance_id], advance.left.currency)
        yield StatementDeduction(say("advance: %(reason)s", reason=advance.reason), money, advance.left)


def _lines(session: Session, owed: Owed, zone: str) -> list[StatementLine]:
    """Return one line per thing sold; one for the whole where there are no order lines that add up to it.

    The day of a sale is the one on which it was earned where the co-op is: a payee knows that day, not when it fell due.
    """
    if owed.source_kind != "seller_order":
        return [StatementLine(owed.due_on, Term(owed.what), str(owed.source_id)[-8:], owed.money)]
    sale = orders.seller_order(session, owed.source_id)
    day = day_in(sale.earned_at, zone) if sale.earned_at else owed.due_on
    lines = [_sold(owed, sale.number, line, day) for line in sale.lines]
    kept = [line for line in lines if line.money]
    if sum(line.money.minor for line in kept) == owed.money.minor:
        return kept
    return [StatementLine(day, ", ".join(line.title for line in sale.lines), sale.number, owed.money)]


def _sold(owed: Owed, number: str, line: Line, day: date) -> StatementLine:
    goods = [part.money - part.returned for part in line.parts if COMPONENT.get(part.kind) == "goods"]
    money = total(goods, owed.money.currency)
    quantity = line.quantity - line.returned
    return StatementLine(
        on=day,
        text=line.title,
        number=number,
        money=money,
        quantity=quantity,
        unit=line.unit,
        unit_price=round(money.decimal / quantity, 4) if quantity else None,
    )


def _deductions(session: Session, row: PayoutRow) -> tuple[StatementDeduction, ...]:
    if not row.deducted:
        return ()
    book_id = ledger.book_of(session, row.coop_id)
    still_owed = books.balance(session, book_id, f"claim:{row.payee_id}", row.money.currency)
    return (
        StatementDeduction(Term(N_("refund after payment")), row.deducted, Money(max(still_owed.minor, 0), still_owed.currency)),
    )


def _paid_to(session: Session, row: PayoutRow) -> str:
    details = payout_details(session, row.id)
    if row.rail == "cheque":
        return cheque_of(session, row.id) or ""
    if row.rail == "cash":
        return receipt_number(session, row.id) or ""
    shown = {"sepa": details["iban"], "momo": details.get("msisdn", "")}.get(row.rail)
    return masked(shown) if shown else details["stripe_account"]
