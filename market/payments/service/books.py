"""How payments turn into postings."""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from market.kernel.clock import day_in
from market.kernel.money import Money
from market.ledger.queries import subject_balance
from market.ledger.rules import Leg
from market.payments.rules import Amounts, Move, PaymentPart
from market.producers.queries import coop

ACTOR = "system:payments"


def legs_of(moves: Iterable[Move]) -> tuple[Leg, ...]:
    """Return moves as legs of a posting."""
    return tuple(Leg(move.debit, move.credit, move.money, move.subject) for move in moves)


def days_of(session: Session, coop_ids: Iterable[UUID], instant: datetime) -> dict[UUID, date]:
    """Return the business day of an instant for each co-op, where the co-op is."""
    return {coop_id: day_in(instant, coop(session, coop_id).time_zone) for coop_id in set(coop_ids)}


def credit_account(payment_id: UUID) -> str:
    """Return the account where a buyer's own money waits: the surplus of one payment."""
    return f"buyer_credit:{payment_id}"


def is_held(session: Session, book_id: int, amounts: Amounts | PaymentPart, subject: UUID) -> bool:
    """Whether all of these amounts of a seller order are still held: paid, and neither earned nor given back."""
    held = {row.code: row.money for row in subject_balance(session, book_id, "held:", subject)}
    return all(money <= held.get(f"held:{name}", Money.zero(money.currency)) for name, money in amounts.components())
