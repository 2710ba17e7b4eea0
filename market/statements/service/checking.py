"""What does not add up between a file and what its account has: each finding is shown, and some wait for a person."""

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import Session

from market.kernel.money import Money
from market.kernel.words import say
from market.ledger import service as ledger
from market.statements.models import MoneyAccount, Statement, StatementLine
from market.statements.rules import shapes
from market.statements.rules.sums import check_chain
from market.statements.service.accounts import in_our_books
from market.statements.service.preparing import Prepared

FARTHEST_EAST = timedelta(hours=14)
"""Somewhere it is another day already by so much."""

AHEAD = timedelta(days=31)
"""No bank tells so long before of a day: such a day is a mistyped year."""


def findings(session: Session, account: MoneyAccount, prepared: Prepared, *, came_at: datetime) -> list[dict[str, Any]]:
    """Return what a person should know of the statements of `prepared`, staged, before they are imported into their account."""
    last = last_statement(session, account)
    previous = shapes.Balance(last.closing_minor, account.currency, None) if last and last.closing_minor is not None else None
    found: list[dict[str, Any]] = []
    first = last is None
    for statement in prepared.statements:
        if statement.interim:
            found += _told(statement, statement.findings)
        elif not is_known(session, account, statement, ends_on(statement, prepared, came_at)):
            own = statement.findings + check_chain(statement, previous)
            own += _check_days(session, account, statement, prepared, previous, came_at)
            if first:
                ours = in_our_books(session, account, ledger.book_of(session, account.coop_id))
                own, first = own + _check_opening(statement, ours), False
            found += _told(statement, own)
            previous = statement.closing or previous
    return found


def _told(statement: shapes.Statement, found: list[shapes.Finding]) -> list[dict[str, Any]]:
    return [asdict(each) | {"statement": statement.number} for each in found]


def _check_opening(statement: shapes.Statement, ours: Money) -> list[shapes.Finding]:
    """Return a finding when an account's first statement does not open with `ours`, what the books say lies on the account.

    It holds nothing back: the statement may be right and the books wrong. A format without opening balances is taken back from
    its closing one.
    """
    opening = statement.opening.minor if statement.opening else None
    if opening is None and statement.closing and statement.format in shapes.WITHOUT_OPENING and len(statement.currencies) == 1:
        opening = statement.closing.minor - statement.booked_minor
    if opening is None or statement.kept_in != ours.currency or opening == ours.minor:
        return []
    text = say(
        "Before the first line of this statement the bank had %(theirs)s on the account, and our books have %(ours)s. If earlier"
        " statements are missing, import them too; if the opening balance was not handed over yet, do it under Books, Opening"
        " balances. What stays different has to be explained when the period is closed.",
        theirs=Money(opening, ours.currency),
        ours=ours,
    )
    return [shapes.Finding("opening_differs", text, False)]


def last_statement(session: Session, account: MoneyAccount) -> Statement | None:
    """Return the statement that a new one of the account continues."""
    return session.execute(
        select(Statement)
        .where(Statement.money_account_id == account.id)
        .order_by(Statement.to_on.desc(), Statement.position.desc())
        .limit(1)
    ).scalar_one_or_none()


def is_known(session: Session, account: MoneyAccount, statement: shapes.Statement, ends: date) -> bool:
    """Return whether the account has a statement of this number, opening and closing up to the same day: that is this one.

    Banks number anew each year, and an account that is emptied every day has the same balances always (money.md 7.1).
    """
    numbers = statement.number, dated(statement.number, ends)
    same = select(_same_balances(account, statement).where(Statement.number.in_(numbers), Statement.to_on == ends).exists())
    return session.scalar(same) is True


def number_for(session: Session, account: MoneyAccount, statement: shapes.Statement, ends: date) -> str:
    """Return the number under which a statement is kept: with its last day where one of other days has number and balances."""
    taken = session.scalar(select(_same_balances(account, statement).where(Statement.number == statement.number).exists()))
    return dated(statement.number, ends) if taken else statement.number


def dated(number: str, ends: date) -> str:
    """Return a statement's number with its last day."""
    return f"{number} {ends}"


def _same_balances(account: MoneyAccount, statement: shapes.Statement) -> Select[UUID]:
    return select(Statement.id).where(
        Statement.money_account_id == account.id,
        Statement.opening_minor.is_not_distinct_from(statement.opening.minor if statement.opening else None),
        Statement.closing_minor.is_not_distinct_from(statement.closing.minor if statement.closing else None),
    )


def ends_on(statement: shapes.Statement, prepared: Prepared, came_at: datetime) -> date:
    """Return the last day of which a statement tells: that of its lines or its closing balance, or the last one it is about.

    What it is about may go on past the day on which it came: so much the bank was asked for, and it cannot know it yet. Then
    the day of the closing balance tells, where it has one.
    """
    closed, latest = statement.closing and statement.closing.on, (came_at.astimezone(UTC) + FARTHEST_EAST).date()
    about = statement.to_on
    if about is not None and about > latest:
        about = None if closed else latest
    days = [day for day in (about, closed, prepared.last_days.get(statement.index)) if day]
    return max(days) if days else came_at.date()


def fits_twice(session: Session, account: MoneyAccount, first: date | None) -> bool:
    """Return whether the account's lines from a day on come to nothing: a statement that begins there opens after them as before.

    Where it opens as the last one closed it may follow them, or be about the same days again.
    """
    if first is None:
        return False
    known = select(func.count(), func.coalesce(func.sum(StatementLine.amount_minor), 0)).where(
        StatementLine.money_account_id == account.id, StatementLine.booked_on >= first, StatementLine.amount_minor != 0
    )
    count, minor = session.execute(known).one()
    return bool(count) and not minor


def overlaps(session: Session, account: MoneyAccount, prepared: Prepared) -> bool:
    """Return whether the account has lines of the days of a file, or of later ones."""
    if prepared.days is None:
        return False
    first, _ = prepared.days
    lines = select(StatementLine.id).where(StatementLine.money_account_id == account.id, StatementLine.booked_on >= first)
    return session.scalar(select(lines.exists())) is True


def _check_days(
    session: Session,
    account: MoneyAccount,
    statement: shapes.Statement,
    prepared: Prepared,
    previous: shapes.Balance | None,
    came_at: datetime,
) -> list[shapes.Finding]:
    """Return findings on a statement of days that are to come, or that the account has lines of."""
    found = []
    if (ends := ends_on(statement, prepared, came_at)) > came_at.date() + AHEAD:
        found.append(shapes.Finding("day_to_come", f"it goes up to {ends}, which is to come", True))
    first = prepared.first_days.get(statement.index)
    continues = previous is not None and statement.opening is not None and statement.opening.minor == previous.minor
    again = continues and fits_twice(session, account, first)
    if again:
        found.append(shapes.Finding("days_known", f"there are lines from {first} on already, and they come to nothing", True))
    if (again or not continues) and overlaps(session, account, prepared.only([statement])):
        last = prepared.last_days[statement.index]
        values = {"account": account.id, "statement": statement.index, "first": first, "last": last}
        if alike := session.execute(_LINES_ALIKE, values).scalar_one():
            text_ = (
                f"{alike} of its {statement.lines} entries are here already by day and amount, under another identifier or text"
            )
            found.append(shapes.Finding("lines_alike", text_, True))
    return found


_LINES_ALIKE = text(
    """
    WITH known AS (
      SELECT booked_on, amount_minor, identity FROM statement_line
      WHERE money_account_id = :account AND booked_on BETWEEN :first AND :last AND amount_minor <> 0),
    counted AS (SELECT booked_on, amount_minor, count(*) AS lines FROM known GROUP BY 1, 2),
    came AS (
      SELECT i.booked_on, i.amount_minor, count(*) FILTER (WHERE k.identity IS NULL) AS fresh, count(k.identity) AS again
      FROM incoming i LEFT JOIN (SELECT DISTINCT identity FROM known) k USING (identity)
      WHERE i.statement = :statement GROUP BY 1, 2)
    SELECT coalesce(sum(least(c.fresh, greatest(n.lines - c.again, 0))), 0)::int
    FROM came c JOIN counted n USING (booked_on, amount_minor)"""
)
"""How many lines of a staged statement are new by identity, while as many of that day and amount are not in it by theirs."""
