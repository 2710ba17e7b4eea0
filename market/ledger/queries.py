"""What the books say: balances, subjects, statements of account, and the proof that they agree with themselves."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from market.kernel.money import Money
from market.ledger.models import LedgerPeriod, LedgerTransaction
from market.ledger.rules import Leg

_BALANCES = """
SELECT a.code, a.currency, a.side * sum(b.debits_minor - b.credits_minor)::bigint AS minor
FROM ledger_account a JOIN ledger_balance b ON b.book_id = a.book_id AND b.account_id = a.id
WHERE a.book_id = :book {more} GROUP BY a.code, a.currency, a.side ORDER BY a.code, a.currency"""


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """An account's balance on the side on which it grows."""

    code: str
    money: Money


@dataclass(frozen=True, slots=True)
class ShutDays:
    """How far a book is shut, None where no day is.

    `closed` is the last day that two persons have closed: what a new period begins after. `held` is the last day on which
    nothing posts, because it is closed or being closed: what a fact that comes late is booked after.
    """

    closed: date | None = None
    held: date | None = None


@dataclass(frozen=True, slots=True)
class PostingLine:
    """One posting with its transaction, as exports and statements of account show it."""

    book_id: int
    transaction_id: int
    n: int
    effective_on: date
    booked_at: datetime
    kind: str
    key: str
    debit: str
    credit: str
    money: Money
    subject: UUID | None
    reverses_id: int | None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in the books that cannot be: which law, where, what was found."""

    law: str
    place: str
    detail: str


def balance(session: Session, book_id: int, code: str, currency: str) -> Money:
    """Return the balance of one account; nothing when it was never used."""
    rows = session.execute(
        text(_BALANCES.format(more="AND a.code = :code AND a.currency = :currency")),
        {"book": book_id, "code": code, "currency": currency},
    ).all()
    return Money(rows[0].minor, currency) if rows else Money.zero(currency)


def balances(session: Session, book_id: int, *, prefix: str = "") -> list[AccountBalance]:
    """Return all balances of a book whose account code begins with `prefix`, by code and currency."""
    rows = session.execute(text(_BALANCES.format(more="AND starts_with(a.code, :prefix)")), {"book": book_id, "prefix": prefix})
    return [AccountBalance(row.code, Money(row.minor, row.currency)) for row in rows]


def subject_balance(session: Session, book_id: int, prefix: str, subject: UUID) -> list[AccountBalance]:
    """Return what accounts beginning with `prefix` hold for one subject: "held of this order is zero" is this query."""
    rows = session.execute(
        text(
            """
            SELECT a.code, p.currency,
                   a.side * sum(CASE WHEN p.debit_id = a.id THEN p.amount_minor ELSE -p.amount_minor END)::bigint AS minor
            FROM ledger_posting p JOIN ledger_account a ON a.book_id = p.book_id AND a.id IN (p.debit_id, p.credit_id)
            WHERE p.book_id = :book AND p.subject = :subject AND starts_with(a.code, :prefix)
            GROUP BY a.code, p.currency, a.side ORDER BY a.code"""
        ),
        {"book": book_id, "subject": subject, "prefix": prefix},
    )
    return [AccountBalance(row.code, Money(row.minor, row.currency)) for row in rows]


def balances_by_subject(session: Session, book_id: int, prefix: str) -> dict[tuple[str, str, UUID | None], int]:
    """Return what is not zero on accounts beginning with `prefix`, by code, currency and subject: one pass for a check."""
    rows = session.execute(
        text(
            """
            SELECT a.code, p.currency, p.subject,
                   a.side * sum(CASE WHEN p.debit_id = a.id THEN p.amount_minor ELSE -p.amount_minor END)::bigint AS minor
            FROM ledger_account a JOIN ledger_posting p ON p.book_id = a.book_id AND a.id IN (p.debit_id, p.credit_id)
            WHERE a.book_id = :book AND starts_with(a.code, :prefix)
            GROUP BY a.code, a.side, p.currency, p.subject
            HAVING sum(CASE WHEN p.debit_id = a.id THEN p.amount_minor ELSE -p.amount_minor END) <> 0"""
        ),
        {"book": book_id, "prefix": prefix},
    )
    return {(row.code, row.currency, row.subject): row.minor for row in rows}


def books(session: Session) -> Sequence[tuple[int, UUID | None]]:
    """Return the books in this scope as (id, co-op)."""
    rows = session.execute(text("SELECT id, coop_id FROM ledger_book ORDER BY id")).all()
    return [(row.id, row.coop_id) for row in rows]


def days_of(session: Session, book_id: int) -> tuple[date, date]:
    """Return the first and the last day that a book has periods for, open or closed."""
    days = select(func.min(LedgerPeriod.starts_on), func.max(LedgerPeriod.ends_on)).where(LedgerPeriod.book_id == book_id)
    first, last = session.execute(days).one()
    return first, last


def shut_days(session: Session, book_ids: Iterable[int]) -> dict[int, ShutDays]:
    """Return how far each of the books is shut."""
    wanted = set(book_ids)
    closed = func.max(LedgerPeriod.ends_on).filter(LedgerPeriod.state == "closed")
    statement = select(LedgerPeriod.book_id, closed, func.max(LedgerPeriod.ends_on))
    statement = statement.where(LedgerPeriod.book_id.in_(wanted), LedgerPeriod.state != "open").group_by(LedgerPeriod.book_id)
    return dict.fromkeys(wanted, ShutDays()) | {book: ShutDays(*days) for book, *days in session.execute(statement)}


def postings(session: Session, book_id: int, *, since: date | None = None, until: date | None = None) -> Iterator[PostingLine]:
    """Yield the postings of a book in the order of booking, streamed, without holding them in memory."""
    result = session.execute(
        text(
            """
            SELECT p.book_id, p.transaction_id, p.n, t.effective_on, t.booked_at, t.kind, t.idem_key, d.code AS debit,
                   c.code AS credit, p.amount_minor, p.currency, p.subject, t.reverses_id
            FROM ledger_posting p
            JOIN ledger_transaction t ON t.book_id = p.book_id AND t.id = p.transaction_id
            JOIN ledger_account d ON d.book_id = p.book_id AND d.id = p.debit_id
            JOIN ledger_account c ON c.book_id = p.book_id AND c.id = p.credit_id
            WHERE p.book_id = :book AND (CAST(:since AS date) IS NULL OR t.effective_on >= :since)
              AND (CAST(:until AS date) IS NULL OR t.effective_on <= :until)
            ORDER BY p.transaction_id, p.n"""
        ),
        {"book": book_id, "since": since, "until": until},
        execution_options={"yield_per": 1000},
    )
    for row in result:
        yield PostingLine(
            row.book_id,
            row.transaction_id,
            row.n,
            row.effective_on,
            row.booked_at,
            row.kind,
            row.idem_key,
            row.debit,
            row.credit,
            Money(row.amount_minor, row.currency),
            row.subject,
            row.reverses_id,
        )


def transaction_id(session: Session, book_id: int, key: str) -> int:
    """Return the id of the transaction that booked the fact `key`. Raises NoResultFound when none did."""
    statement = select(LedgerTransaction.id).where(LedgerTransaction.book_id == book_id, LedgerTransaction.idem_key == key)
    return session.execute(statement).scalar_one()


@dataclass(frozen=True, slots=True)
class Booked:
    """A transaction and its business day."""

    id: int
    on: date


def booked(session: Session, book_id: int, key: str) -> Booked | None:
    """Return what booked the fact `key`; None when nothing did, such as for an amount of nothing."""
    statement = select(LedgerTransaction.id, LedgerTransaction.effective_on).where(
        LedgerTransaction.book_id == book_id, LedgerTransaction.idem_key == key
    )
    row = session.execute(statement).one_or_none()
    return None if row is None else Booked(row.id, row.effective_on)


def legs_of(session: Session, book_id: int, transaction_id: int) -> tuple[Leg, ...]:
    """Return the postings of one transaction in order, for its reversal."""
    rows = session.execute(
        text(
            """
            SELECT d.code AS debit, c.code AS credit, p.amount_minor, p.currency, p.subject FROM ledger_posting p
            JOIN ledger_account d ON d.book_id = p.book_id AND d.id = p.debit_id
            JOIN ledger_account c ON c.book_id = p.book_id AND c.id = p.credit_id
            WHERE p.book_id = :book AND p.transaction_id = :transaction ORDER BY p.n"""
        ),
        {"book": book_id, "transaction": transaction_id},
    )
    return tuple(Leg(row.debit, row.credit, Money(row.amount_minor, row.currency), row.subject) for row in rows)


def differences(session: Session, book_id: int, *, law: str, prefix: str, rows: Mapping[tuple[str, str], int]) -> list[Finding]:
    """Return where accounts beginning with `prefix` do not stand at what rows elsewhere say, by code and currency."""
    posted = {(one.code, one.money.currency): one.money.minor for one in balances(session, book_id, prefix=prefix)}
    return [
        Finding(law, f"book {book_id} {code} {currency}", f"rows say {said}, books {booked}")
        for code, currency in sorted(rows.keys() | posted.keys())
        if (said := rows.get((code, currency), 0)) != (booked := posted.get((code, currency), 0))
    ]


_FOLD = """
SELECT a.book_id, a.code, a.currency, a.side, a.floor_minor, a.ceiling_minor,
       coalesce(f.debits, 0)::bigint AS debits, coalesce(f.credits, 0)::bigint AS credits,
       coalesce(b.debits, 0)::bigint AS cached_debits, coalesce(b.credits, 0)::bigint AS cached_credits
FROM ledger_account a
LEFT JOIN (SELECT book_id, id, sum(d) AS debits, sum(c) AS credits FROM (
             SELECT book_id, debit_id AS id, amount_minor AS d, 0 AS c FROM ledger_posting
             UNION ALL SELECT book_id, credit_id, 0, amount_minor FROM ledger_posting) x GROUP BY book_id, id) f
  ON f.book_id = a.book_id AND f.id = a.id
LEFT JOIN (SELECT book_id, account_id, sum(debits_minor) AS debits, sum(credits_minor) AS credits
           FROM ledger_balance GROUP BY book_id, account_id) b ON b.book_id = a.book_id AND b.account_id = a.id
ORDER BY a.book_id, a.code, a.currency"""
_HASHES = """
SELECT t.book_id, t.id, t.idem_key FROM ledger_transaction t
WHERE t.content_hash <> sha256(ledger_content(t.book_id, t.kind, t.idem_key, t.effective_on, t.reverses_id,
  (SELECT jsonb_agg(jsonb_build_array(p.debit_id, p.credit_id, p.currency, p.amount_minor, p.subject) ORDER BY p.n)
   FROM ledger_posting p WHERE p.book_id = t.book_id AND p.transaction_id = t.id)))"""
_EMPTY = """
SELECT t.book_id, t.id, t.idem_key FROM ledger_transaction t
WHERE NOT EXISTS (SELECT FROM ledger_posting p WHERE p.book_id = t.book_id AND p.transaction_id = t.id)"""
_PREMIUM = """
SELECT a.book_id, a.currency, sum(CASE WHEN a.code = 'premium_bank' THEN 1 ELSE -1 END
         * a.side * (b.debits_minor - b.credits_minor))::bigint AS gap
FROM ledger_account a JOIN ledger_balance b ON b.book_id = a.book_id AND b.account_id = a.id
WHERE a.code IN ('premium_bank', 'fund_available', 'premium_in_transit') OR starts_with(a.code, 'fund_committed:')
GROUP BY a.book_id, a.currency"""


def check(session: Session) -> list[Finding]:
    """Recompute every balance in this scope and prove the laws that the ledger alone can (money.md 1.6).

    Cache = fold of the postings; debits = credits per book and currency; limits; no empty transaction; each content hash
    fits its postings; premium bank = premium funds (F-1). Returns what does not hold, nothing when all does.
    """
    findings: list[Finding] = []
    sums: dict[tuple[int, str], int] = {}
    for row in session.execute(text(_FOLD)):
        place = f"book {row.book_id} {row.code} {row.currency}"
        if (row.debits, row.credits) != (row.cached_debits, row.cached_credits):
            detail = f"cached {row.cached_debits}/{row.cached_credits}, postings say {row.debits}/{row.credits}"
            findings.append(Finding("balance = fold of postings", place, detail))
        now = row.side * (row.debits - row.credits)
        if (row.floor_minor is not None and now < row.floor_minor) or (row.ceiling_minor is not None and now > row.ceiling_minor):
            findings.append(Finding("account limits", place, f"{now} outside {row.floor_minor} to {row.ceiling_minor}"))
        sums[row.book_id, row.currency] = sums.get((row.book_id, row.currency), 0) + row.cached_debits - row.cached_credits
    findings += [
        Finding("debits = credits", f"book {book} {currency}", f"off by {gap}") for (book, currency), gap in sums.items() if gap
    ]
    for law, statement in (("no empty transaction", _EMPTY), ("content hash fits the postings", _HASHES)):
        findings += [
            Finding(law, f"book {row.book_id}", f"transaction {row.id} {row.idem_key}")
            for row in session.execute(text(statement))
        ]
    findings += [
        Finding("premium bank = premium funds (F-1)", f"book {row.book_id} {row.currency}", f"off by {row.gap}")
        for row in session.execute(text(_PREMIUM))
        if row.gap
    ]
    return findings
