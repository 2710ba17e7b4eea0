"""Bank accounts with their running figures, and the closes of periods."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from market.kernel.money import Money, total
from market.ledger import queries as books
from market.ledger import service as ledger
from market.ledger.queries import Finding
from market.statements.errors import AccountNotFound
from market.statements.models import MoneyAccount, PeriodClose, PeriodReopening, Statement, StatementLine
from market.statements.queries.lines import STATES
from market.statements.service.closing import CloseNotFound
from market.statements.service.standing import mirror_and_closing


@dataclass(frozen=True, slots=True)
class AccountView:
    """A bank account of a co-op."""

    id: UUID
    coop_id: UUID
    name: str
    iban: str
    currency: str
    mirror: str
    suspense: str


@dataclass(frozen=True, slots=True)
class Figures:
    """What must agree: our mirror and the bank's closing; what must be worked off: suspense and money in transit."""

    mirror: Money
    closing: Money | None
    closing_on: date | None
    suspense: Money
    in_transit: Money
    difference: Money | None
    open_lines: int


@dataclass(frozen=True, slots=True)
class ReopeningView:
    """That a closed period shall be opened again: `state` is proposed, opened, declined or withdrawn."""

    reason: str
    state: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class CloseView:
    """A close of a period: prepared, taken back, closed, or opened again since; `reopening` is what was said last of that."""

    id: UUID
    starts_on: date
    ends_on: date
    state: str
    items: Sequence[dict[str, Any]]
    trial_balance: Sequence[dict[str, Any]]
    prepared_by: str
    prepared_at: datetime
    closed_by: str | None
    closed_at: datetime | None
    reopening: ReopeningView | None


def accounts(session: Session, *, coop_id: UUID) -> list[AccountView]:
    """Return the co-op's bank accounts, the first one first."""
    rows = session.execute(
        select(MoneyAccount).where(MoneyAccount.coop_id == coop_id).order_by(MoneyAccount.mirror, MoneyAccount.id)
    )
    return [_account(row) for row in rows.scalars()]


def account(session: Session, account_id: UUID) -> AccountView:
    """Return one bank account. Raises AccountNotFound outside this scope."""
    row = session.get(MoneyAccount, account_id)
    if row is None:
        raise AccountNotFound("There is no such bank account here. Choose one from the list.")
    return _account(row)


def figures(session: Session, account_id: UUID) -> Figures:
    """Return the running figures of an account."""
    row = session.get(MoneyAccount, account_id)
    if row is None:
        raise AccountNotFound("There is no such bank account here. Choose one from the list.")
    book_id = ledger.book_of(session, row.coop_id)
    both = mirror_and_closing(session, row, book_id)
    mirror = both[0] if both else books.balance(session, book_id, row.mirror, row.currency)
    closing_on, open_lines = session.execute(
        select(
            select(func.max(Statement.to_on)).where(Statement.money_account_id == row.id).scalar_subquery(),
            select(func.count())
            .where(StatementLine.money_account_id == row.id, StatementLine.state.in_(STATES["open"]))
            .scalar_subquery(),
        )
    ).one()
    return Figures(
        mirror=mirror,
        closing=both[1] if both else None,
        closing_on=closing_on,
        suspense=books.balance(session, book_id, row.suspense, row.currency),
        in_transit=total(
            [books.balance(session, book_id, f"in_transit:{rail}", row.currency) for rail in row.rails], row.currency
        ),
        difference=both[0] - both[1] if both else None,
        open_lines=open_lines,
    )


def check(session: Session) -> list[Finding]:
    """Return where statements and books disagree: open lines and `suspense:*`, the mirror and the last closing balance (1.6)."""
    findings: list[Finding] = []
    rest = func.sum((func.abs(StatementLine.amount_minor) - StatementLine.matched_minor) * func.sign(StatementLine.amount_minor))
    per_account = select(StatementLine.money_account_id, rest).group_by(StatementLine.money_account_id)
    left: dict[UUID, int] = {account_id: int(minor) for account_id, minor in session.execute(per_account)}
    for account in session.scalars(select(MoneyAccount).order_by(MoneyAccount.id)):
        book_id = ledger.book_of(session, account.coop_id)
        place = f"book {book_id} {account.suspense} {account.currency}"
        suspense = books.balance(session, book_id, account.suspense, account.currency).minor
        lines = -left.get(account.id, 0)  # money that came in stands on the other side until it is explained
        if suspense != lines:
            findings.append(Finding("suspense = open lines", place, f"lines say {lines}, books {suspense}"))
        both = mirror_and_closing(session, account, book_id)
        if both is not None and both[0] != both[1]:
            detail = f"the bank says {both[1].text}, books {both[0].text}"
            findings.append(Finding("mirror = last statement", f"book {book_id} {account.mirror}", detail))
    return findings


def closes(session: Session, *, coop_id: UUID) -> list[CloseView]:
    """Return the closes of a co-op's periods, newest first."""
    newest = PeriodClose.ends_on.desc(), PeriodClose.prepared_at.desc(), PeriodClose.id
    rows = session.scalars(select(PeriodClose).where(PeriodClose.coop_id == coop_id).order_by(*newest)).all()
    return _closes(session, rows)


def close(session: Session, close_id: UUID) -> CloseView:
    """Return one close. Raises CloseNotFound outside this scope."""
    row = session.get(PeriodClose, close_id)
    if row is None:
        raise CloseNotFound("There is no such close here.")
    return _closes(session, [row])[0]


def next_close(session: Session, coop_id: UUID, *, on: date) -> date:
    """Return the day up to which to offer the next close: the end of last month, or yesterday where that is closed already."""
    closed = books.shut_days(session, [book := ledger.book_of(session, coop_id)])[book].closed
    last_month = on.replace(day=1) - timedelta(days=1)
    return last_month if closed is None or closed < last_month else on - timedelta(days=1)


def _account(row: MoneyAccount) -> AccountView:
    return AccountView(row.id, row.coop_id, row.name, row.iban, row.currency, row.mirror, row.suspense)


def _closes(session: Session, rows: Sequence[PeriodClose]) -> list[CloseView]:
    asked = select(PeriodReopening).where(PeriodReopening.close_id.in_([row.id for row in rows]))
    said = {each.close_id: each for each in session.scalars(asked.order_by(PeriodReopening.proposed_at, PeriodReopening.id))}
    return [_close(row, said.get(row.id)) for row in rows]


def _close(row: PeriodClose, said: PeriodReopening | None) -> CloseView:
    reopening = None
    if said is not None:
        reopening = ReopeningView(said.reason, said.state, said.proposed_by, said.proposed_at, said.decided_by, said.decided_at)
    return CloseView(
        row.id, row.starts_on, row.ends_on, row.state, row.items, row.trial_balance, row.prepared_by, row.prepared_at,
        row.closed_by, row.closed_at, reopening,
    )  # fmt: skip
