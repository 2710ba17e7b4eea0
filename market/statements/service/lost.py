"""Debits under our own references that pay what we know nothing of, or what is owed again: the next run would pay it twice."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from market.kernel.references import Kind
from market.kernel.words import say
from market.payouts import service as payouts
from market.statements.rules.references import references_of_kind
from market.statements.service.accounts import account_of

_NAMED = text(
    """
SELECT ref, max(minor) FROM (
  SELECT unnest(creditor_refs) AS ref, -amount_minor AS minor FROM statement_line
  WHERE money_account_id = :account AND state IN ('new', 'suggested') AND amount_minor < 0
  UNION ALL SELECT unnest(part.creditor_refs), abs(coalesce(part.amount_minor, line.amount_minor))
  FROM statement_line_part part JOIN statement_line line ON line.id = part.line_id
  WHERE line.money_account_id = :account AND line.state IN ('new', 'suggested') AND line.amount_minor < 0) AS named
GROUP BY ref
"""
)


def stop_on_unknown_payouts(session: Session, *, money_account_id: UUID, now: datetime) -> list[str]:
    """Stop paying where open debits of an account carry references of payouts that are unknown, or owed again; return them.

    That is how a restore from a backup is found out: what was paid since stands on the statement and in no table.
    """
    account = account_of(session, money_account_id)
    minors = {ref: int(minor) for ref, minor in session.execute(_NAMED, {"account": account.id})}
    debits = {ref: minors[ref] for ref in references_of_kind(minors, Kind.PAYOUT)}
    found_in = say("the statement of %(name)s", name=account.name)
    return payouts.stop_for_unknown(session, coop_id=account.coop_id, debits=debits, found_in=found_in, now=now)
