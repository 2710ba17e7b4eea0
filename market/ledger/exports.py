"""The books in the words of other double-entry programs (money.md 1.7).

Each posting becomes two lines. The file ends with a balance assertion per account taken from our own cache, so a foreign
checker proves that the cache equals the history, and finds a deleted, changed or doubled posting.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from sqlalchemy.orm import Session

from market.kernel.money import Money
from market.kernel.sheets import safe
from market.ledger import queries
from market.ledger.queries import PostingLine
from market.ledger.rules import CHART, DEBIT

FORMATS = ("beancount", "hledger", "csv")
_INCOME = {"fee_income", "goods_sales", "cost_recovered", "fx_result", "rounding"}
_EXPENSES = {
    "purchases", "payment_cost", "bank_charges", "dispute_cost", "dispute_loss", "refund_cost", "interest_cost", "write_off",
}  # fmt: skip
_EQUITY = {"opening", "surplus", "reserve"}
_CSV_HEAD = (
    "book", "transaction", "n", "effective_on", "booked_at", "kind", "key", "debit", "credit", "currency", "amount_minor",
    "amount", "subject", "reverses",
)  # fmt: skip


def account_name(book_id: int, code: str) -> str:
    """Return an account as beancount and hledger accept it: `Assets:Book1:Card-clearing`."""
    head = code.partition(":")[0]
    if head in _INCOME:
        root = "Income"
    elif head in _EXPENSES:
        root = "Expenses"
    elif head in _EQUITY:
        root = "Equity"
    else:
        root = "Assets" if CHART[head].side == DEBIT else "Liabilities"
    parts = [part.replace("_", "-") for part in code.split(":")]
    return ":".join([root, f"Book{book_id}", *(part[:1].upper() + part[1:] for part in parts)])


def export(session: Session, form: str, *, book_ids: Iterable[int], since: date | None, until: date | None) -> Iterator[str]:
    """Yield the export of books, line by line; `form` is one of FORMATS. Assertions stand only in a full history."""
    write = {"beancount": _beancount, "hledger": _hledger, "csv": _csv}[form]
    if form == "csv":
        yield _csv_line(_CSV_HEAD)
    for book_id in book_ids:
        yield from write(session, book_id, since, until)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")


def _amount(money: Money) -> str:
    return f"{money.decimal:f} {money.currency}"


def _transactions(lines: Iterator[PostingLine]) -> Iterator[list[PostingLine]]:
    batch: list[PostingLine] = []
    for line in lines:
        if batch and line.transaction_id != batch[0].transaction_id:
            yield batch
            batch = []
        batch.append(line)
    if batch:
        yield batch


def _beancount(session: Session, book_id: int, since: date | None, until: date | None) -> Iterator[str]:
    found = queries.balances(session, book_id)
    names: dict[str, set[str]] = {}
    for row in found:
        names.setdefault(account_name(book_id, row.code), set()).add(row.money.currency)
    for name, currencies in sorted(names.items()):
        yield f"1970-01-01 open {name} {','.join(sorted(currencies))}\n"
    last = date(1970, 1, 2)
    for batch in _transactions(queries.postings(session, book_id, since=since, until=until)):
        first = batch[0]
        last = max(last, first.effective_on)
        yield f'\n{first.effective_on} * "{_quoted(first.kind)}" "{_quoted(first.key)}"\n'
        yield f'  transaction: "{book_id}/{first.transaction_id}"\n'
        for line in batch:
            yield f"  {account_name(book_id, line.debit)}  {_amount(line.money)}\n"
            yield f"  {account_name(book_id, line.credit)}  {_amount(-line.money)}\n"
    if since is None and until is None:
        yield "\n"
        for row in found:
            value = _as_debit(row.code, row.money)
            # The default tolerance would let one minor unit pass.
            amount = f"{value.decimal:f} ~ {Money.zero(value.currency).decimal:f} {value.currency}"
            yield f"{last + timedelta(days=1)} balance {account_name(book_id, row.code)}  {amount}\n"


def _hledger(session: Session, book_id: int, since: date | None, until: date | None) -> Iterator[str]:
    last = date(1970, 1, 2)
    for batch in _transactions(queries.postings(session, book_id, since=since, until=until)):
        first = batch[0]
        last = max(last, first.effective_on)
        yield f"{first.effective_on} * ({book_id}/{first.transaction_id}) {first.kind} | {first.key.replace(';', ',')}\n"
        for line in batch:
            yield f"    {account_name(book_id, line.debit)}  {_amount(line.money)}\n"
            yield f"    {account_name(book_id, line.credit)}  {_amount(-line.money)}\n"
        yield "\n"
    if since is None and until is None:
        yield f"{last + timedelta(days=1)} * balances by the cache\n"
        for row in queries.balances(session, book_id):
            zero = _amount(Money.zero(row.money.currency))
            yield f"    {account_name(book_id, row.code)}  {zero} = {_amount(_as_debit(row.code, row.money))}\n"
        yield "\n"


def _as_debit(code: str, money: Money) -> Money:
    """Return a balance as debits minus credits, as foreign programs count."""
    return money if CHART[code.partition(":")[0]].side == DEBIT else -money


def _csv(session: Session, book_id: int, since: date | None, until: date | None) -> Iterator[str]:
    for line in queries.postings(session, book_id, since=since, until=until):
        yield _csv_line(
            (
                line.book_id,
                line.transaction_id,
                line.n,
                line.effective_on,
                line.booked_at.isoformat(),
                line.kind,
                line.key,
                line.debit,
                line.credit,
                line.money.currency,
                line.money.minor,
                f"{line.money.decimal:f}",
                line.subject or "",
                line.reverses_id or "",
            )
        )


def _csv_line(values: Iterable[object]) -> str:
    cells = [safe(value) for value in values]
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
