"""Reports of one book for any days: trial balance, statement of an account, general ledger (money.md 1.4).

Days are business days (`effective_on`); a fact that became known after its period was closed stands on the day on which it
was booked. Rows are read by a server-side cursor, so a report of any length holds a thousand rows in memory.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from market.kernel.money import Money


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One account over the days: what it stood at before, what was debited and credited, what it stands at after.

    `opening` and `closing` count on the side on which the account grows.
    """

    code: str
    opening: Money
    debits: Money
    credits: Money
    closing: Money


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One side of a posting on one account, with the balance after it."""

    code: str
    on: date
    booked_at: datetime
    transaction_id: int
    kind: str
    key: str
    other: str
    debit: Money
    credit: Money
    balance: Money
    subject: UUID | None


# Back from what each account stands at now, so that only what moved since the first day is read.
_TRIAL = """
SELECT a.code, a.currency, a.side, now.net - coalesce(m.net, 0) AS before, coalesce(m.debits, 0) AS debits,
       coalesce(m.credits, 0) AS credits
FROM ledger_account a
JOIN (SELECT account_id, sum(debits_minor - credits_minor)::bigint AS net FROM ledger_balance WHERE book_id = :book
      GROUP BY account_id) now ON now.account_id = a.id
LEFT JOIN (
  SELECT x.id, sum(x.d - x.c)::bigint AS net, coalesce(sum(x.d) FILTER (WHERE x.on_day <= :until), 0)::bigint AS debits,
         coalesce(sum(x.c) FILTER (WHERE x.on_day <= :until), 0)::bigint AS credits
  FROM (
    SELECT CASE s.side WHEN 1 THEN p.debit_id ELSE p.credit_id END AS id, t.effective_on AS on_day,
           CASE s.side WHEN 1 THEN p.amount_minor ELSE 0 END AS d, CASE s.side WHEN 1 THEN 0 ELSE p.amount_minor END AS c
    FROM ledger_transaction t JOIN ledger_posting p ON p.book_id = t.book_id AND p.transaction_id = t.id
    CROSS JOIN (VALUES (1), (-1)) s (side)
    WHERE t.book_id = :book AND t.effective_on >= :since) x
  GROUP BY x.id) m ON m.id = a.id
WHERE a.book_id = :book ORDER BY a.code, a.currency"""
_LINES = """
SELECT a.code, a.currency, a.side, t.effective_on, t.booked_at, t.id, t.kind, t.idem_key, o.code AS other,
       x.d AS debit, x.c AS credit, x.subject,
       (a.side * sum(x.d - x.c) OVER (PARTITION BY a.id ORDER BY t.effective_on, t.id, x.n, x.c))::bigint AS balance
FROM ledger_account a
JOIN LATERAL (
  SELECT p.transaction_id, p.n, p.amount_minor AS d, 0::bigint AS c, p.credit_id AS other, p.subject
  FROM ledger_posting p WHERE p.book_id = a.book_id AND p.debit_id = a.id
  UNION ALL
  SELECT p.transaction_id, p.n, 0, p.amount_minor, p.debit_id, p.subject
  FROM ledger_posting p WHERE p.book_id = a.book_id AND p.credit_id = a.id) x ON true
JOIN ledger_transaction t ON t.book_id = a.book_id AND t.id = x.transaction_id AND t.effective_on <= :until
JOIN ledger_account o ON o.book_id = a.book_id AND o.id = x.other
WHERE a.book_id = :book {account}"""
_SHOWN = "SELECT * FROM ({lines}) l WHERE effective_on >= :since ORDER BY code, currency, effective_on, id"


def trial_balance(session: Session, book_id: int, *, since: date, until: date) -> list[TrialRow]:
    """Return every account that moved up to `until`, by code and currency; debits equal credits per currency."""
    found = []
    for row in session.execute(text(_TRIAL), {"book": book_id, "since": since, "until": until}):
        if row.before or row.debits or row.credits:
            money = [
                Money(minor, row.currency)
                for minor in (row.side * row.before, row.debits, row.credits, row.side * (row.before + row.debits - row.credits))
            ]
            found.append(TrialRow(row.code, *money))
    return found


def account_statement(session: Session, book_id: int, code: str, *, since: date, until: date) -> Iterator[LedgerRow]:
    """Yield what moved on one account, in the order of days, with the balance after each line."""
    statement = _SHOWN.format(lines=_LINES.format(account="AND a.code = :code"))
    return _rows(session, statement, {"book": book_id, "code": code, "since": since, "until": until})


def general_ledger(session: Session, book_id: int, *, since: date, until: date) -> Iterator[LedgerRow]:
    """Yield what moved on every account, account by account."""
    statement = _SHOWN.format(lines=_LINES.format(account=""))
    return _rows(session, statement, {"book": book_id, "since": since, "until": until})


def _rows(session: Session, statement: str, values: dict[str, object]) -> Iterator[LedgerRow]:
    for row in session.execute(text(statement), values, execution_options={"yield_per": 1000}):
        yield LedgerRow(
            row.code,
            row.effective_on,
            row.booked_at,
            row.id,
            row.kind,
            row.idem_key,
            row.other,
            Money(row.debit, row.currency),
            Money(row.credit, row.currency),
            Money(row.balance, row.currency),
            row.subject,
        )


@dataclass(frozen=True, slots=True)
class QuarterRow:
    """What moved in one quarter between an account and all accounts whose code begins with `other`; `count` facts.

    A correction is none of them: it says anew what a sale came to.
    """

    code: str
    quarter: int
    other: str
    debit: Money
    credit: Money
    count: int


_QUARTERS = """
SELECT a.code, a.currency, extract(quarter FROM t.effective_on)::int AS quarter, split_part(o.code, ':', 1) AS other,
       sum(x.d)::bigint AS debit, sum(x.c)::bigint AS credit,
       count(DISTINCT coalesce(x.subject::text, t.id::text)) FILTER (WHERE t.kind <> 'correction') AS facts
FROM ledger_account a
JOIN LATERAL (
  SELECT p.transaction_id, p.amount_minor AS d, 0::bigint AS c, p.credit_id AS other, p.subject
  FROM ledger_posting p WHERE p.book_id = a.book_id AND p.debit_id = a.id
  UNION ALL
  SELECT p.transaction_id, 0, p.amount_minor, p.debit_id, p.subject
  FROM ledger_posting p WHERE p.book_id = a.book_id AND p.credit_id = a.id) x ON true
JOIN ledger_transaction t ON t.book_id = a.book_id AND t.id = x.transaction_id AND t.effective_on BETWEEN :since AND :until
JOIN ledger_account o ON o.book_id = a.book_id AND o.id = x.other
WHERE a.book_id = :book AND a.code LIKE ANY(:codes)
GROUP BY a.code, a.currency, quarter, 4 ORDER BY split_part(a.code, ':', 2), a.currency, a.code, quarter, 4"""


def by_quarter(session: Session, book_id: int, codes: Sequence[str], *, year: int) -> Iterator[QuarterRow]:
    """Yield what moved on accounts whose codes fit (patterns of LIKE) in a year, by owner, currency and account."""
    values = {"book": book_id, "codes": list(codes), "since": date(year, 1, 1), "until": date(year, 12, 31)}
    for row in session.execute(text(_QUARTERS), values, execution_options={"yield_per": 1000}):
        debit, credit = Money(row.debit, row.currency), Money(row.credit, row.currency)
        yield QuarterRow(row.code, row.quarter, row.other, debit, credit, row.facts)
