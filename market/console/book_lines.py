"""The lines of the books as a list: what moved, between which accounts, by which fact; of one account where one is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.accounts import queries as people
from market.console import account_words, lists
from market.console.earning_lists import DAYS
from market.console.lists import Column, Desk, Filter
from market.http.auth import access, current_coop
from market.http.db import unit_of_work
from market.ledger import queries as ledger
from market.ledger.service import book_of
from market.reports.queries import desks
from market.reports.queries import lists as rows
from market.reports.queries.lists import Line

blueprint = Blueprint("console_book_lines", __name__, url_prefix="/console/books/lines")


def _pane(session: Session, key: str) -> dict[str, Any]:
    source = desks.postings(lists.viewer(session))
    record = rows.one(session, source, key)
    if record is None:
        return {}
    fact = rows.page(session, source, {"fact": str(record.transaction_id)}, sorting="oldest").items
    names = people.names_of_staff(session, (record.actor,), coop_id=current_coop())
    return {"record": record, "fact": fact, "who": names.get(record.actor, "")}


def _columns(known: Mapping[str, str]) -> tuple[Column, ...]:
    """The columns; `known` names members and bank accounts behind the codes of accounts."""
    return (
        Column("effective_on", _l("Day"), "day"),
        Column("kind", _l("What"), "link", make=lambda row: account_words.fact(row.kind).words or row.kind),
        Column("debit", _l("Debit"), make=lambda row: account_words.account(row.debit, known).words or row.debit),
        Column("credit", _l("Credit"), make=lambda row: account_words.account(row.credit, known).words or row.credit),
        Column("amount_minor", _l("Amount"), "money"),
        Column("debit_code", _l("Code of the debit"), make=lambda row: row.debit, aside=True),
        Column("credit_code", _l("Code of the credit"), make=lambda row: row.credit, aside=True),
        Column("idem_key", _l("Fact"), aside=True),
        Column("booked_at", _l("Booked"), "instant", aside=True),
    )


DESK = Desk(
    name="book_lines",
    title=_l("Lines of the books"),
    endpoint="console_book_lines.index",
    source=desks.postings,
    columns=_columns({}),
    filters=(
        Filter("account", _l("Account")),
        Filter("kind", _l("What"), "choice", tuple(account_words.FACTS.items())),
        Filter("q", _l("Fact")),
        Filter("amount", _l("Amount"), "amount"),
        *DAYS,
    ),
    sortings=(("newest", _l("last booked first")), ("oldest", _l("first booked first"))),
    pane=_pane,
    key=str,
    lead=_l("Each line moves an amount from the account of the credit to the account of the debit. Lines are only ever added."),
    empty=_l("Nothing was booked yet."),
)


def _of_account(desk: Desk, code: str, known: Mapping[str, str]) -> Desk:
    """Return the desk as a statement of one account: what it is against, debit, credit, and the balance after each line."""

    def other(row: Line) -> str:
        against = row.credit if row.debit == code else row.debit
        return account_words.account(against, known).words or against

    def balances(session: Session, lines: Sequence[Line]) -> dict[str, Any]:
        return {"balances": desks.balances_after(session, lists.viewer(session), code, lines)}

    columns = (
        *desk.columns[:2],
        Column("other", _l("Against"), make=other),
        Column("debited", _l("Debit"), "money", make=lambda row: row.amount_minor if row.debit == code else None),
        Column("credited", _l("Credit"), "money", make=lambda row: row.amount_minor if row.credit == code else None),
        Column("balance", _l("Balance after"), "number", make=lambda row: None),
    )
    return replace(desk, columns=columns, beside=balances)


@blueprint.get("")
@access("staff")
def index() -> ResponseReturnValue:
    """List the lines of the books, the last booked first; of one account they are its statement."""
    with unit_of_work() as session:
        known = account_words.names(session, current_coop())
        codes = sorted({one.code for one in ledger.balances(session, book_of(session, current_coop()))})
    named = [(code, account_words.account(code, known).words or code) for code in codes]
    choice = Filter("account", _l("Account"), "choice", sorted(named, key=lambda each: str(each[1])))
    desk = replace(DESK, columns=_columns(known), filters=(choice, *DESK.filters[1:]))
    code = request.args.get("account", "")
    if code in codes and not request.args.get("format"):
        desk = _of_account(desk, code, known)
    return lists.show(desk, "console/book_lines.html", of=lambda code: account_words.account(code, known))
