"""Who is expected to pay, and from which account: what makes a transfer without a reference certain (money.md 8.1, rule 3).

The account is the one from which all earlier transfers of the same buyer came; a buyer who paid from two has none.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.orders import queries as orders
from market.payments import queries as payments
from market.statements.match_models import StatementMatch
from market.statements.models import MoneyAccount, StatementLine


@dataclass(frozen=True, slots=True)
class Payer:
    """A buyer's name, and the account they always pay from; empty when that is not known."""

    name: str = ""
    account: str = ""


def payers_of(session: Session, account: MoneyAccount, awaited: Sequence[payments.PaymentView]) -> dict[UUID, Payer]:
    """Return for awaited payments of orders who pays them, by payment."""
    subjects = {view.id: view.subject_id for view in awaited if view.subject_kind == "order"}
    buyers = orders.buyers_of(session, list(subjects.values()))
    accounts = _accounts(session, account, {each.buyer_id for each in buyers.values() if each.buyer_id})
    return {
        payment_id: Payer(buyers[order_id].name, accounts.get(buyers[order_id].buyer_id, ""))
        for payment_id, order_id in subjects.items()
        if order_id in buyers
    }


def _accounts(session: Session, account: MoneyAccount, buyer_ids: set[UUID]) -> dict[UUID | None, str]:
    earlier = orders.paid_by_transfer(session, sorted(buyer_ids))
    buyer_of = {
        payment_id: earlier[order_id] for payment_id, order_id in payments.ids_of_subjects(session, list(earlier)).items()
    }
    seen: dict[UUID, set[str]] = defaultdict(set)
    rows = session.execute(
        select(StatementMatch.target_id, StatementLine.counterparty_account)
        .join(StatementLine, StatementLine.id == StatementMatch.line_id)
        .where(
            StatementMatch.target_kind == "payment",
            StatementMatch.target_id.in_(list(buyer_of)),
            StatementMatch.undone_at.is_(None),
            StatementLine.money_account_id == account.id,
            StatementLine.counterparty_account != "",
        )
    )
    for payment_id, number in rows:
        if payment_id is not None:
            seen[buyer_of[payment_id]].add(number)
    return {buyer_id: next(iter(numbers)) for buyer_id, numbers in seen.items() if len(numbers) == 1}
