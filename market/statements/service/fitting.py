"""Which statements of a file belong to which account of the co-op, and whether they lie within the days of its books."""

from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel.words import say
from market.ledger import queries as books
from market.ledger import service as ledger
from market.statements.models import MoneyAccount
from market.statements.rules.accounts import Kept, accounts_named, same_account
from market.statements.rules.shapes import Statement
from market.statements.service.preparing import Prepared

OTHER_ACCOUNT, OUTSIDE = "statements.other_account", "statements.outside_the_books"
UNKNOWN, UNCLEAR, MORE = "account_unknown", "account_unclear", "accounts_more"
LEFT_OUT = frozenset({UNKNOWN, UNCLEAR, MORE})
"""Findings about a file's statements that were imported into no account."""

MOST_NAMED = 20
"""So many accounts that statements were left out of are named; of more, their number."""


@dataclass(frozen=True, slots=True)
class Share:
    """What a file has for one account. `refusal` is why that cannot be imported, with its stable code."""

    account: MoneyAccount
    prepared: Prepared
    refusal: tuple[str, str | None] | None


def divide(session: Session, chosen: MoneyAccount, prepared: Prepared) -> tuple[list[Share], list[dict[str, Any]]]:
    """Return what of a file belongs to which account of the chosen one's co-op, and findings on what belongs to none of them.

    The chosen account comes first. A file that has nothing for it is refused as a whole: the choice was a mistake.
    """
    if prepared.refusal:
        return [Share(chosen, prepared, (prepared.refusal, prepared.code))], []
    rows = {row.id: row for row in session.scalars(select(MoneyAccount).where(MoneyAccount.coop_id == chosen.coop_id))}
    others = [_kept(row) for row in rows.values() if row is not chosen]
    named = {_name(chosen, each) for each in prepared.statements}
    owners = {name: accounts_named(*name, _kept(chosen), others) for name in named}
    mine: dict[UUID, list[Statement]] = {chosen.id: []}
    left: Counter[tuple[str, str]] = Counter()
    for statement in prepared.statements:
        name = _name(chosen, statement)
        if len(owners[name]) == 1:
            mine.setdefault(owners[name][0], []).append(statement)
        else:
            left[name] += 1
    if prepared.statements and not mine[chosen.id]:
        return [Share(chosen, prepared, (_of_others(chosen, prepared), OTHER_ACCOUNT))], []
    parts = [(rows[account_id], prepared.only(statements)) for account_id, statements in mine.items()]
    unclear = {name for name in left if owners[name]}
    return [Share(account, part, _misfit(session, account, part)) for account, part in parts], _left_out(left, unclear)


def _kept(account: MoneyAccount) -> Kept:
    return Kept(account.id, account.iban, account.currency)


def _name(chosen: MoneyAccount, statement: Statement) -> tuple[str, str]:
    return statement.account, statement.kept_in or chosen.currency


def _of_others(chosen: MoneyAccount, prepared: Prepared) -> str:
    """Return why a file is nothing for the account that was chosen: another currency of it, or other accounts."""
    own = [each for each in prepared.statements if same_account(each.account, chosen.iban, chosen.currency)]
    if foreign := sorted({each.kept_in for each in own} - {chosen.currency}):
        return say("the file books %(foreign)s, the account is kept in %(currency)s", foreign=foreign, currency=chosen.currency)
    named = list(dict.fromkeys(each.account for each in prepared.statements))
    if len(named) == 1:
        return say(
            "the file is about the account %(account)s, not about %(iban)s; choose or register that account",
            account=named[0],
            iban=chosen.iban,
        )
    return say(
        "the file is about the accounts %(accounts)s, not about %(iban)s; choose or register one of them",
        accounts=named[:MOST_NAMED],
        iban=chosen.iban,
    )


def _misfit(session: Session, account: MoneyAccount, prepared: Prepared) -> tuple[str, str] | None:
    """Return why the statements of an account cannot be imported, and the refusal's stable code; None when they fit."""
    for statement in prepared.statements:
        if foreign := sorted(set(statement.booked) - {account.currency}):
            reason = say(
                "the file books %(foreign)s, the account is kept in %(currency)s", foreign=foreign, currency=account.currency
            )
            return reason, OTHER_ACCOUNT
    if prepared.booked and prepared.days is not None:
        first, last = books.days_of(session, ledger.book_of(session, account.coop_id))
        for day in prepared.days:
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


def _left_out(left: Counter[tuple[str, str]], unclear: set[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return what is said of statements that were imported into no account, an account at a time."""
    found = []
    for (account, currency), count in list(left.items())[:MOST_NAMED]:
        facts = {"account": account[:60], "currency": currency, "count": count}
        if (account, currency) in unclear:
            words = say(
                "This file also has statements of an account %(account)s in %(currency)s, and that number fits several of your"
                " accounts. They were left out: %(count)s. To import them, upload this file again at the account that they"
                " belong to; what is imported already is recognised and stays as it is.",
                **facts,
            )
            found.append(_finding(UNCLEAR, words))
            continue
        words = say(
            "This file also has statements of the account %(account)s in %(currency)s, which is not registered here. They were"
            " left out: %(count)s. To import them, register the account under Bank accounts and upload this file again there;"
            " what is imported already is recognised and stays as it is.",
            **facts,
        )
        found.append(_finding(UNKNOWN, words))
    if len(left) > MOST_NAMED:
        more = len(left) - MOST_NAMED
        words = say("Statements of further accounts were left out, too. Number of these accounts: %(count)s.", count=more)
        found.append(_finding(MORE, words))
    return found


def _finding(code: str, words: str) -> dict[str, Any]:
    """Return a finding about no statement of the account's own, which holds nothing back."""
    return {"code": code, "text": words, "hold": False, "statement": ""}
