"""Reads of cash bags, of the list that an officer takes along, and of cheques; frozen answers."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import BigInteger, Select, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from market.kernel.money import Money
from market.payouts.models import CashBag, CashReceipt, Cheque, Payout
from market.payouts.queries.settings import settings_of
from market.payouts.rules.numbers import payout_number
from market.payouts.rules.states import State


@dataclass(frozen=True, slots=True)
class BagRow:
    """A cash bag: `left` is what must be in it; once counted, issued = paid + returned + missing."""

    id: UUID
    number: int
    officer: str
    issued: Money
    issued_on: date
    paid: Money
    returned: Money | None
    missing: Money | None
    explanation: str | None

    @property
    def left(self) -> Money:
        """What is still in the bag by its receipts."""
        return self.issued - self.paid

    @property
    def is_open(self) -> bool:
        """Whether nobody has counted it yet."""
        return self.returned is None


@dataclass(frozen=True, slots=True)
class CashLine:
    """A payee on the list of a run's cash: with the receipt when the money was taken."""

    payout_id: UUID
    number: str
    payee_id: UUID
    holder: str
    money: Money
    state: str
    receipt: str | None
    signed: str | None
    witness: str | None


@dataclass(frozen=True, slots=True)
class ChequeRow:
    """A cheque: issued, cashed, or voided; `stale` when nobody cashed it for longer than the co-op waits."""

    payout_id: UUID
    number: str
    holder: str
    money: Money
    issued_on: date
    state: str
    stale: bool


def paid_from(bag_id: UUID | InstrumentedAttribute[UUID]) -> Select[int]:
    """Select what was paid out of a bag, in minor units: by its receipts, without those that were taken back."""
    total = func.coalesce(func.sum(CashReceipt.amount_minor), 0)
    kept = (CashReceipt.bag_id == bag_id, Payout.state != State.RETURNED)
    return select(cast(total, BigInteger)).join(Payout, Payout.id == CashReceipt.payout_id).where(*kept)


def bags_of_run(session: Session, run_id: UUID) -> list[BagRow]:
    """Return the bags of a run in the order of their numbers."""
    paid = paid_from(CashBag.id).scalar_subquery()
    rows = session.execute(select(CashBag, paid).where(CashBag.run_id == run_id).order_by(CashBag.number))
    return [_bag(bag, int(minor)) for bag, minor in rows]


def cash_list(session: Session, run_id: UUID) -> list[CashLine]:
    """Return whom a run pays in cash, by name, absent ones included, cancelled ones not."""
    columns = (
        Payout.id, Payout.number, Payout.payee_id, Payout.details["holder"].astext.label("holder"), Payout.amount_minor,
        Payout.currency, Payout.state, CashReceipt.number.label("receipt"), CashReceipt.signed, CashReceipt.witness,
    )  # fmt: skip
    statement = (
        select(*columns)
        .outerjoin(CashReceipt, CashReceipt.payout_id == Payout.id)
        .where(Payout.run_id == run_id, Payout.rail == "cash", Payout.state.in_((State.QUEUED, State.SETTLED)))
        .order_by(columns[3], Payout.number)
    )
    return [
        CashLine(
            row.id, payout_number(row.number), row.payee_id, row.holder, Money(row.amount_minor, row.currency), row.state,
            row.receipt, row.signed, row.witness,
        )
        for row in session.execute(statement)
    ]  # fmt: skip


def cheque_of(session: Session, payout_id: UUID) -> str | None:
    """Return the number of a payout's cheque."""
    return session.execute(select(Cheque.number).where(Cheque.payout_id == payout_id)).scalar_one_or_none()


def cheques(session: Session, *, coop_id: UUID, on: date, limit: int = 200) -> list[ChequeRow]:
    """Return a co-op's cheques, newest first."""
    stale_before = on - timedelta(days=settings_of(session, coop_id).cheque_stale_days)
    statement = (
        select(Cheque, Payout)
        .join(Payout, Payout.id == Cheque.payout_id)
        .where(Cheque.coop_id == coop_id)
        .order_by(Cheque.issued_on.desc(), Cheque.number)
        .limit(limit)
    )
    found = []
    for cheque, payout in session.execute(statement):
        state = "voided" if cheque.voided_at else "cashed" if payout.state == State.SETTLED else "issued"
        stale = state == "issued" and cheque.issued_on < stale_before
        money = Money(payout.amount_minor, payout.currency)
        found.append(ChequeRow(payout.id, cheque.number, payout.details["holder"], money, cheque.issued_on, state, stale))
    return found


def open_bags(session: Session, coop_id: UUID) -> dict[tuple[str, str], int]:
    """Return what must stand on `cash_bag:*`: what is left in each bag that nobody has counted."""
    paid = paid_from(CashBag.id).scalar_subquery()
    statement = select(CashBag.number, CashBag.currency, CashBag.issued_minor - paid).where(
        CashBag.coop_id == coop_id, CashBag.closed_at.is_(None)
    )
    return {(f"cash_bag:{number}", currency): int(minor) for number, currency, minor in session.execute(statement)}


def _bag(row: CashBag, paid: int) -> BagRow:
    returned = None if row.returned_minor is None else Money(row.returned_minor, row.currency)
    missing = None if row.missing_minor is None else Money(row.missing_minor, row.currency)
    if returned is not None and missing is not None:  # a receipt taken back later lies in the box, not in the bag
        paid = row.issued_minor - returned.minor - missing.minor
    return BagRow(
        row.id, row.number, row.officer, Money(row.issued_minor, row.currency), row.issued_on, Money(paid, row.currency),
        returned, missing, row.explanation,
    )  # fmt: skip
