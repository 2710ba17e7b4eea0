"""Debits under our own references that we know nothing of: the bank paid what our tables have forgotten."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from market.kernel.references import Kind
from market.payouts import service as payouts
from market.statements.rules.references import references_of_kind
from market.statements.service.accounts import account_of

_NAMED = text(
    """
SELECT DISTINCT ref FROM (
  SELECT unnest(creditor_refs) AS ref FROM statement_line
  WHERE money_account_id = :account AND state = 'new' AND amount_minor < 0
  UNION ALL SELECT unnest(part.creditor_refs) FROM statement_line_part part JOIN statement_line line ON line.id = part.line_id
  WHERE line.money_account_id = :account AND line.state = 'new' AND line.amount_minor < 0) AS named
"""
)


def stop_on_unknown_payouts(session: Session, *, money_account_id: UUID, now: datetime) -> list[str]:
    """Stop paying where open debits of an account carry payout references that no payout has; return the references.

    That is how a restore from a backup is found out: what was paid since stands on the statement and in no table.
    """
    account = account_of(session, money_account_id)
    named = references_of_kind(session.scalars(_NAMED, {"account": account.id}), Kind.PAYOUT)
    found_in = f"the statement of {account.name}"
    return payouts.stop_for_unknown(session, coop_id=account.coop_id, references=named, found_in=found_in, now=now)
