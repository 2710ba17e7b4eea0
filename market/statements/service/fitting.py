"""Whether a file that could be read belongs to the account that was chosen, and to days of the co-op's books."""

from sqlalchemy.orm import Session

from market.kernel.words import say
from market.ledger import queries as books
from market.ledger import service as ledger
from market.statements.models import MoneyAccount
from market.statements.rules.accounts import same_account
from market.statements.service.preparing import Prepared

OTHER_ACCOUNT, OUTSIDE = "statements.other_account", "statements.outside_the_books"


def misfit_of(session: Session, account: MoneyAccount, prepared: Prepared) -> tuple[str, str] | None:
    """Return why a file cannot be imported for an account, and the refusal's stable code; None when it fits."""
    for statement in prepared.statements:
        if not same_account(statement.account, account.iban, account.currency):
            reason = say(
                "the file is about the account %(account)s, not about %(iban)s; choose or register that account",
                account=statement.account,
                iban=account.iban,
            )
            return reason, OTHER_ACCOUNT
        if foreign := sorted(set(statement.booked) - {account.currency}):
            reason = say(
                "the file books %(foreign)s, the account is kept in %(currency)s", foreign=foreign, currency=account.currency
            )
            return reason, OTHER_ACCOUNT
    if prepared.booked and prepared.first_day is not None:
        first, last = books.days_of(session, ledger.book_of(session, account.coop_id))
        for day in (prepared.first_day, max(prepared.last_days.values())):
            if not first <= day <= last:
                reason = say(
                    "the file has a line of %(day)s, the books of the co-op have days from %(first)s to %(last)s:"
                    " what lay on the account before is its opening balance",
                    day=day,
                    first=first,
                    last=last,
                )
                return reason, OUTSIDE
    return None
