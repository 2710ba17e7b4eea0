"""What lies on a bank account: by its statements, and by our books."""

from datetime import date

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from market.kernel.money import Money
from market.statements.models import MoneyAccount, Statement, StatementLine
from market.statements.service.accounts import in_our_books


def mirror_and_closing(session: Session, account: MoneyAccount, book_id: int) -> tuple[Money, Money] | None:
    """Return what our books say lies on the account, the premium's share included, and the last closing balance.

    None while there is no statement with a balance.
    """
    closing = session.execute(
        select(Statement.closing_minor)
        .where(Statement.money_account_id == account.id, Statement.closing_minor.is_not(None))
        .order_by(Statement.to_on.desc(), Statement.position.desc())
        .limit(1)
    ).scalar_one_or_none()
    if closing is None:
        return None
    return in_our_books(session, account, book_id), Money(closing, account.currency)


def bank_had(session: Session, account: MoneyAccount, on: date) -> Money | None:
    """Return what lay on an account at the end of a day by its statements; None where none of them has a closing balance.

    Counted on from the last closing balance up to that day, or back from the first one after it: a statement may go on past
    the day, and lines count on the day on which the bank booked them.
    """
    order = Statement.to_on, Statement.position
    closings = select(*order, Statement.closing_minor).where(
        Statement.money_account_id == account.id, Statement.closing_minor.is_not(None)
    )
    before = closings.where(Statement.to_on <= on).order_by(*(column.desc() for column in order)).limit(1)
    after = closings.where(Statement.to_on > on).order_by(*order).limit(1)
    known = session.execute(before).one_or_none() or session.execute(after).one_or_none()
    if known is None:
        return None
    moved = (
        select(func.coalesce(func.sum(StatementLine.amount_minor), 0))
        .join(Statement, Statement.id == StatementLine.statement_id)
        .where(StatementLine.money_account_id == account.id)
    )
    in_a_later_one = tuple_(*order) > tuple_(known.to_on, known.position)
    since = session.scalar(moved.where(in_a_later_one, StatementLine.booked_on <= on))
    beyond = session.scalar(moved.where(~in_a_later_one, StatementLine.booked_on > on))
    return Money(int(known.closing_minor + since - beyond), account.currency)
