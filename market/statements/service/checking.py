"""What does not add up between a file and what its account has: each finding is shown, and some wait for a person."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel.money import Money
from market.kernel.words import say
from market.ledger import service as ledger
from market.statements.models import MoneyAccount, Statement
from market.statements.rules import shapes
from market.statements.rules.sums import check_chain
from market.statements.service.accounts import in_our_books
from market.statements.service.preparing import Prepared


def findings(session: Session, account: MoneyAccount, prepared: Prepared) -> list[dict[str, Any]]:
    """Return what a person should know of the statements of `prepared` before they are imported into their account."""
    last = last_statement(session, account)
    previous = shapes.Balance(last.closing_minor, account.currency, None) if last and last.closing_minor is not None else None
    found: list[dict[str, Any]] = []
    first = last is None
    for statement in prepared.statements:
        if statement.interim:
            found += _told(statement, statement.findings)
        elif not is_known(session, account, statement):
            own = statement.findings + check_chain(statement, previous)
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


def is_known(session: Session, account: MoneyAccount, statement: shapes.Statement) -> bool:
    """Return whether the account has a statement of this number, opening and closing: that is this one (money.md 7.1)."""
    return session.execute(
        select(Statement.id).where(
            Statement.money_account_id == account.id,
            Statement.number == statement.number,
            Statement.opening_minor.is_not_distinct_from(statement.opening.minor if statement.opening else None),
            Statement.closing_minor.is_not_distinct_from(statement.closing.minor if statement.closing else None),
        )
    ).scalar_one_or_none() is not None  # fmt: skip
