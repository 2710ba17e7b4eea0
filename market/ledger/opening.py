"""Opening balances: what the former books hand over, once, seen by two persons (E01).

A file is CSV with the heads `account,currency,amount`, amounts in major units on the side on which the account grows, below
zero where it stands on the other side. `opening` is the counterpart of every row and must end at the books handed over.
"""

import csv
import io
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from market.kernel.errors import Conflict, Forbidden, Invalid
from market.kernel.money import Money
from market.kernel.words import say
from market.ledger import service
from market.ledger.errors import KeyUsedDifferently, UnknownAccount
from market.ledger.rules import DEBIT, Entry, Leg, kind_of

HEADS = ("account", "currency", "amount")
MOST_ROWS = 10_000


class OpeningRefused(Invalid):
    """The file is not a list of balances; `row` says where."""

    code = "ledger.opening_refused"


class OpenedAlready(Conflict):
    """The book has its opening balances."""

    code = "ledger.opened_already"


class OpeningNeedsTwo(Forbidden):
    """The same person would say it twice."""

    code = "ledger.opening_needs_two"


@dataclass(frozen=True, slots=True)
class OpeningRow:
    """One balance that is handed over."""

    code: str
    money: Money


def read(text: str) -> list[OpeningRow]:
    """Return the rows of a file. Raises OpeningRefused for other heads, an unknown account, or what is no amount."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    if tuple(reader.fieldnames or ()) != HEADS:
        raise OpeningRefused(say("The heads must be %(heads)s.", heads=", ".join(HEADS)), row=1)
    rows: list[OpeningRow] = []
    for number, cells in enumerate(reader, 2):
        code = (cells["account"] or "").strip()
        try:
            kind_of(code)
            money = Money.parse(cells["amount"] or "", (cells["currency"] or "").strip())
        except (UnknownAccount, ValueError) as problem:
            raise OpeningRefused(
                say("Row %(row)s cannot be read: %(problem)s", row=number, problem=str(problem)), row=number
            ) from None
        if code == "opening" or any((row.code, row.money.currency) == (code, money.currency) for row in rows):
            raise OpeningRefused(say("Row %(row)s names an account twice, or the counterpart.", row=number), row=number)
        if money:
            rows.append(OpeningRow(code, money))
    if not 0 < len(rows) <= MOST_ROWS:
        raise OpeningRefused(say("Between 1 and %(most)s balances can be handed over.", most=MOST_ROWS), row=1)
    return rows


def opening_legs(rows: list[OpeningRow]) -> tuple[Leg, ...]:
    """E01: each balance against `opening`."""
    made = []
    for row in rows:
        grows_by_debit = (kind_of(row.code).side == DEBIT) == (row.money.minor > 0)
        amount = Money(abs(row.money.minor), row.money.currency)
        made.append(Leg(row.code, "opening", amount) if grows_by_debit else Leg("opening", row.code, amount))
    return tuple(made)


def open_books(session: Session, book_id: int, rows: list[OpeningRow], *, on: date, by: str, seen_by: str) -> int:
    """Post the opening balances of a book and return the transaction's id; the same balances again return the same.

    Raises OpeningNeedsTwo when one person says it twice, OpenedAlready when the book was opened with other figures.
    """
    if by == seen_by:
        raise OpeningNeedsTwo("Opening balances need two persons: one who enters them and one who has seen the former books.")
    key = f"opening:{book_id}"
    entry = Entry(book_id, "opening", key, on, by, opening_legs(rows), note={"seen_by": seen_by})
    try:
        (posted,) = service.post(session, [entry])
    except KeyUsedDifferently as refusal:
        raise OpenedAlready("This book was opened before, with other figures. Correct single accounts instead.") from refusal
    return posted
