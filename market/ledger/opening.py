"""Opening balances: what the former books hand over, once, seen by two persons (E01).

A file is CSV with the heads `account,currency,amount`, amounts in major units on the side on which the account grows, below
zero where it stands on the other side. `opening` is the counterpart of every row and must end at the books handed over.
"""

import csv
import io
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from market.kernel.errors import Conflict, Forbidden, Invalid
from market.kernel.money import Money
from market.kernel.words import say
from market.ledger import service
from market.ledger.errors import KeyUsedDifferently, UnknownAccount
from market.ledger.rules import DEBIT, MOST_MINOR, Entry, Leg, kind_of

HEADS = ("account", "currency", "amount")
EXAMPLE = "account,currency,amount\nbank:1,EUR,50000.00\npayable:17,EUR,120.50\nreserve,EUR,49879.50"
"""What such a file looks like."""
MOST_ROWS = 10_000
MOST_BYTES = 300_000
"""What a page or a call takes, about as many rows: a preview carries the file in its form."""


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
    """One balance that is handed over; `subject` is the fact that it becomes, where one is kept of it."""

    code: str
    money: Money
    subject: UUID | None = None


@dataclass(frozen=True, slots=True)
class ScannedRow:
    """A row of a file by its number, as it was read; `problem` says why it cannot be taken over."""

    number: int
    code: str
    amount: str
    money: Money | None
    problem: str | None


def scan(body: str, *, corrects: bool = False) -> list[ScannedRow]:
    """Return every row of a file with what is wrong with it. Raises OpeningRefused when the file as a whole is no list.

    What `corrects` balances may say of all of them that they are nothing.
    """
    reader = csv.DictReader(io.StringIO(body.removeprefix("\ufeff")))
    if tuple(reader.fieldnames or ()) != HEADS:
        raise OpeningRefused(say("The heads must be %(heads)s.", heads=", ".join(HEADS)), row=1)
    rows: list[ScannedRow] = []
    seen: set[tuple[str, str]] = set()
    for number, cells in enumerate(reader, 2):
        code, amount, currency = ((cells[head] or "").strip() for head in ("account", "amount", "currency"))
        money, problem = None, None
        try:
            kind_of(code)
            money = Money.parse(amount, currency)
        except (UnknownAccount, ValueError) as refused:
            problem = say("Row %(row)s cannot be read: %(problem)s", row=number, problem=str(refused))
        if money is not None and abs(money.minor) > MOST_MINOR:
            problem = say("Row %(row)s is more than the books can hold.", row=number)
        if code == "opening" or (code, currency) in seen:
            problem = problem or say("Row %(row)s names an account twice, or the counterpart.", row=number)
        seen.add((code, currency))
        rows.append(ScannedRow(number, code, f"{amount} {currency}", money, problem))
    if not 0 < sum(1 for row in rows if row.problem or row.money or (corrects and row.money is not None)) <= MOST_ROWS:
        raise OpeningRefused(say("Between 1 and %(most)s balances can be handed over.", most=MOST_ROWS), row=1)
    return rows


def read(body: str) -> list[OpeningRow]:
    """Return the rows of a file. Raises OpeningRefused for other heads, an unknown account, or what is no amount."""
    rows = scan(body)
    for row in rows:
        if row.problem is not None:
            raise OpeningRefused(row.problem, row=row.number)
    return [OpeningRow(row.code, row.money) for row in rows if row.money]


def handed_over(session: Session, book_id: int) -> dict[tuple[str, str], tuple[Money, date]]:
    """Return by account and currency what the former books handed over, with what was corrected since, and the first day."""
    rows = session.execute(
        text(
            """
            SELECT a.code, p.currency, min(t.effective_on) AS first_on,
                   a.side * sum(CASE WHEN p.debit_id = a.id THEN p.amount_minor ELSE -p.amount_minor END)::bigint AS minor
            FROM ledger_transaction t JOIN ledger_posting p ON p.book_id = t.book_id AND p.transaction_id = t.id
            JOIN ledger_account a ON a.book_id = p.book_id AND a.id IN (p.debit_id, p.credit_id)
            WHERE t.book_id = :book AND t.kind IN ('opening', 'opening_corrected') AND a.code <> 'opening'
            GROUP BY a.code, a.side, p.currency"""
        ),
        {"book": book_id},
    )
    return {(row.code, row.currency): (Money(row.minor, row.currency), row.first_on) for row in rows}


def correct_opening(session: Session, book_id: int, key: str, rows: list[OpeningRow], *, on: date, by: str, seen_by: str) -> int:
    """Post by how much balances were handed over wrongly, each against `opening`; return the transaction's id.

    `on` is the day of the handing over; where it is shut, the first open day takes it, with the true one in the note.
    """
    entry = Entry(book_id, "opening_corrected", key, on, by, opening_legs(rows), note={"seen_by": seen_by})
    (posted,) = service.post(session, [entry], late=True)
    return posted


def opening_legs(rows: list[OpeningRow]) -> tuple[Leg, ...]:
    """E01: each balance against `opening`."""
    made = []
    for row in rows:
        grows_by_debit = (kind_of(row.code).side == DEBIT) == (row.money.minor > 0)
        amount = Money(abs(row.money.minor), row.money.currency)
        debit, credit = (row.code, "opening") if grows_by_debit else ("opening", row.code)
        made.append(Leg(debit, credit, amount, row.subject))
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
