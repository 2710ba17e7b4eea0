"""What does not add up between a file and what its account has: each finding is shown, and some wait for a person."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.statements.models import MoneyAccount, Statement
from market.statements.rules import shapes
from market.statements.rules.sums import check_chain
from market.statements.service.preparing import Prepared


def findings(session: Session, account: MoneyAccount, prepared: Prepared) -> list[dict[str, Any]]:
    """Return what a person should know of the statements of `prepared` before they are imported into their account."""
    last = last_statement(session, account)
    previous = shapes.Balance(last.closing_minor, account.currency, None) if last and last.closing_minor is not None else None
    found: list[dict[str, Any]] = []
    for statement in prepared.statements:
        if statement.interim:
            found += _told(statement, statement.findings)
        elif not is_known(session, account, statement):
            found += _told(statement, statement.findings + check_chain(statement, previous))
            previous = statement.closing or previous
    return found


def _told(statement: shapes.Statement, found: list[shapes.Finding]) -> list[dict[str, Any]]:
    return [asdict(each) | {"statement": statement.number} for each in found]


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
