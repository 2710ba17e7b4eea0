"""What staff see of loans, and what the books say about them: all amounts come from postings."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from market.kernel.money import Money
from market.kernel.references import Kind, grouped, parse, reference
from market.ledger import queries as books
from market.ledger import reports
from market.ledger import service as ledger
from market.treasury import rules
from market.treasury.errors import NoRecord
from market.treasury.models import Loan, LoanRepayment


@dataclass(frozen=True, slots=True)
class RepaymentView:
    """What went back to a lender, or is to."""

    id: UUID
    principal: Money
    interest: Money
    state: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class LoanView:
    """A loan: agreed `money`, what came of it, what is owed, interest that has come due and is not paid, what is on its way."""

    id: UUID
    reference: str
    kind: str
    lender: str
    contract: str
    goods: Money
    cap_percent: Decimal
    money: Money
    rate_percent: Decimal
    due_on: date
    terms: str
    state: str
    proposed_by: str
    decided_by: str | None
    received: Money
    owed: Money
    interest: Money
    on_its_way: Money
    repayments: tuple[RepaymentView, ...]
    iban: str | None
    bic: str | None


def account_of(loan_id: UUID) -> str:
    """Return the account on which a loan is owed."""
    return f"prefinance_payable:{loan_id}"


def rail_of(loan_id: UUID) -> str:
    """Return the way by which a loan goes back: each has its own, so that a line cannot end another's repayment."""
    return f"loan:{loan_id}"


def loan(session: Session, loan_id: UUID, *, on: date) -> LoanView:
    """Return a loan with what the books say by a day. Raises NoRecord outside this scope."""
    row = session.get(Loan, loan_id)
    if row is None:
        raise NoRecord("There is no such record here.")
    return _view(session, row, on)


def loans(session: Session, coop_id: UUID, *, on: date) -> list[LoanView]:
    """Return a co-op's loans with what the books say by a day, the one that is due first first."""
    rows = session.scalars(select(Loan).where(Loan.coop_id == coop_id).order_by(Loan.due_on, Loan.id)).all()
    return [_view(session, row, on) for row in rows]


def _view(session: Session, row: Loan, on: date) -> LoanView:
    book_id = ledger.book_of(session, row.coop_id)
    paid = session.scalars(select(LoanRepayment).where(LoanRepayment.loan_id == row.id).order_by(LoanRepayment.proposed_at)).all()
    booked = [one for one in paid if one.state == "booked"]
    owed = books.balance(session, book_id, account_of(row.id), row.currency)
    steps = [
        (line.on, line.balance)
        for line in reports.account_statement(session, book_id, account_of(row.id), since=date.min, until=on)
    ]
    due = rules.interest(steps, row.rate_percent, on) - sum(one.interest_minor for one in booked)
    return LoanView(
        row.id, grouped(reference(Kind.LOAN, row.number)), row.kind, row.lender, row.contract,
        Money(row.goods_minor, row.currency), row.cap_percent, Money(row.amount_minor, row.currency), row.rate_percent,
        row.due_on, row.terms, row.state, row.proposed_by, row.decided_by,
        owed + Money(sum(one.principal_minor for one in booked), row.currency), owed, Money(max(due, 0), row.currency),
        books.balance(session, book_id, f"in_transit:{rail_of(row.id)}", row.currency),
        tuple(
            RepaymentView(
                one.id, Money(one.principal_minor, one.currency), Money(one.interest_minor, one.currency), one.state,
                one.proposed_by, one.proposed_at, one.decided_by, one.decided_at,
            )
            for one in paid
        ),
        row.iban, row.bic,
    )  # fmt: skip


def loan_of(session: Session, repayment_id: UUID) -> UUID:
    """Return the loan that a repayment belongs to. Raises NoRecord outside this scope."""
    row = session.get(LoanRepayment, repayment_id)
    if row is None:
        raise NoRecord("There is no such record here.")
    return row.loan_id


def by_reference(session: Session, typed: str, *, coop_id: UUID) -> UUID | None:
    """Return the loan of a co-op that a reference names: an accepted one, or a closed one, whose lines may be matched anew."""
    found = parse(typed)
    if found is None or found[0] is not Kind.LOAN:
        return None
    wanted = (Loan.coop_id == coop_id, Loan.number == found[1], Loan.state.in_(("accepted", "closed")))
    return session.scalars(select(Loan.id).where(*wanted)).one_or_none()


def on_their_way(session: Session, coop_id: UUID) -> dict[tuple[str, str], int]:
    """Return what may stand on `in_transit:loan:*`: from nothing up to the repayments that were booked."""
    total = func.sum(LoanRepayment.principal_minor + LoanRepayment.interest_minor)
    statement = (
        select(LoanRepayment.loan_id, LoanRepayment.currency, total)
        .where(LoanRepayment.coop_id == coop_id, LoanRepayment.state == "booked")
        .group_by(LoanRepayment.loan_id, LoanRepayment.currency)
    )
    most = {(f"in_transit:{rail_of(one)}", currency): int(minor) for one, currency, minor in session.execute(statement)}
    found = books.balances(session, ledger.book_of(session, coop_id), prefix="in_transit:loan:")
    standing = {(one.code, one.money.currency): one.money.minor for one in found}
    return {key: min(max(standing.get(key, 0), 0), minor) for key, minor in most.items()}
