"""What a test reads back."""

from sqlalchemy import select

from market.kernel.outbox import OutboxRow
from market.ledger import queries as books
from market.ledger import service as ledger


def balances(session, coop) -> dict[str, int]:
    """The accounts of a co-op that are not zero."""
    return {row.code: row.money.minor for row in books.balances(session, ledger.book_of(session, coop.id)) if row.money}


def topics(session) -> list[str]:
    """What was announced, in order."""
    return list(session.scalars(select(OutboxRow.topic).order_by(OutboxRow.id)))
