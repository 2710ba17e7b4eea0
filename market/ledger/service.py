"""The one door to the books: `post`. Everything that moves money calls it last in its unit of work."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID
from weakref import WeakKeyDictionary

from psycopg.errors import Error as DatabaseError
from sqlalchemy import BigInteger, Engine, Text, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from market.kernel.errors import DomainError
from market.ledger.errors import KeyUsedDifferently, LimitExceeded, NoBook, NotAMirror, PeriodClosed
from market.ledger.models import LedgerAccount, LedgerBook, LedgerPeriod
from market.ledger.rules import Entry, kind_of

_CLOSE = text("SELECT ledger_close(:book, :last, :by, :at)")
_POST = text("SELECT ledger_post(CAST(:entries AS jsonb))")
# Per database: (book, code, currency) -> account id. Accounts never change; one made in an unfinished transaction is not
# kept here.
_known: WeakKeyDictionary[Engine, dict[tuple[int, str, str], int]] = WeakKeyDictionary()
_REFUSALS: dict[str, tuple[type[DomainError], str]] = {
    "FM001": (KeyUsedDifferently, "This fact is in the books already, with other figures. Correct it by a reversal."),
    "FM002": (PeriodClosed, "No open period of the books covers that day. Book it on the first open day."),
    "FM003": (NotAMirror, "A reversal must mirror its original exactly, and only once."),
    "FM004": (LimitExceeded, "There is not enough on the account for this."),
}


def ensure_book(session: Session, *, coop_id: UUID | None, base_currency: str, opens_on: date = date(2020, 1, 1)) -> int:
    """Return the co-op's book, making it with one open period for each year from `opens_on` for thirty years."""
    found = session.execute(select(LedgerBook.id).where(LedgerBook.coop_id.is_not_distinct_from(coop_id))).scalar_one_or_none()
    if found is not None:
        return found
    session.execute(
        insert(LedgerBook).values(coop_id=coop_id, base_currency=base_currency).on_conflict_do_nothing(index_elements=["coop_id"])
    )
    book_id = session.execute(select(LedgerBook.id).where(LedgerBook.coop_id.is_not_distinct_from(coop_id))).scalar_one()
    years = [
        {"book_id": book_id, "starts_on": date(year, 1, 1), "ends_on": date(year, 12, 31)}
        for year in range(opens_on.year, opens_on.year + 30)
    ]
    session.execute(insert(LedgerPeriod).on_conflict_do_nothing(), years)
    return book_id


def book_of(session: Session, coop_id: UUID | None) -> int:
    """Return the id of a co-op's book. Raises NoBook when it has none in this scope."""
    found = session.execute(select(LedgerBook.id).where(LedgerBook.coop_id.is_not_distinct_from(coop_id))).scalar_one_or_none()
    if found is None:
        raise NoBook("This co-op has no books yet. An administrator opens them with the co-op.")
    return found


def books_of(session: Session, coop_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Return the books of several co-ops in one statement. Raises NoBook when one has none."""
    wanted = set(coop_ids)
    rows = session.execute(select(LedgerBook.coop_id, LedgerBook.id).where(LedgerBook.coop_id.in_(wanted)))
    found = {coop_id: book_id for coop_id, book_id in rows if coop_id is not None}
    if found.keys() != wanted:
        raise NoBook("A co-op has no books yet. An administrator opens them with the co-op.")
    return found


def post(session: Session, entries: Sequence[Entry], *, late: bool = False) -> list[int]:
    """Book `entries` together, all or none, and return their transaction ids in order.

    Repeating an entry with the same content returns the old id. Locks the touched balance rows in id order, hot ones last,
    so it must be the last lock that the unit of work takes. Accounts are made from the chart on first use. `late` books a
    fact that became known after its period was closed on the first open day, the true day in the note: for facts that
    nobody can be asked about, guarded by a state of their own. Raises KeyUsedDifferently, PeriodClosed, NotAMirror,
    LimitExceeded, UnknownAccount.
    """
    if not entries:
        return []
    session.flush()  # what the postings are about must be visible to the deferred checks
    if late:
        entries = _on_open_days(session, entries)
    accounts = _accounts(session, entries)
    payload = [
        {
            "book": entry.book_id,
            "kind": entry.kind,
            "key": entry.key,
            "on": entry.on.isoformat(),
            "actor": entry.actor,
            "reverses": entry.reverses,
            "note": entry.note,
            "legs": [
                [
                    accounts[entry.book_id, leg.debit, leg.money.currency],
                    accounts[entry.book_id, leg.credit, leg.money.currency],
                    leg.money.currency,
                    leg.money.minor,
                    str(leg.subject) if leg.subject else None,
                ]
                for leg in entry.legs
            ],
        }
        for entry in entries
    ]
    try:
        ids: list[int] = session.execute(_POST, {"entries": json.dumps(payload)}).scalar_one()
    except DBAPIError as error:
        raise _refusal(error) from error
    return ids


def _on_open_days(session: Session, entries: Sequence[Entry]) -> list[Entry]:
    """Move entries of closed days to the day after them (money.md 1.4)."""
    statement = select(LedgerPeriod.book_id, func.max(LedgerPeriod.ends_on)).where(
        LedgerPeriod.book_id.in_({entry.book_id for entry in entries}), LedgerPeriod.state != "open"
    )
    closed = {book_id: last for book_id, last in session.execute(statement.group_by(LedgerPeriod.book_id))}
    return [
        replace(entry, on=last + timedelta(days=1), note=(entry.note or {}) | {"happened_on": entry.on.isoformat()})
        if (last := closed.get(entry.book_id)) is not None and entry.on <= last
        else entry
        for entry in entries
    ]


def close_days(session: Session, book_id: int, *, through: date, actor: str, now: datetime) -> None:
    """Close the book up to and including a day: nothing posts there any more. Waits for postings in flight.

    Raises PeriodClosed when the day lies in no open period.
    """
    session.flush()
    try:
        session.execute(_CLOSE, {"book": book_id, "last": through, "by": actor, "at": now})
    except DBAPIError as error:
        raise _refusal(error) from error


def _refusal(error: DBAPIError) -> Exception:
    cause = error.orig
    if isinstance(cause, DatabaseError) and cause.sqlstate in _REFUSALS:
        refusal, sentence = _REFUSALS[cause.sqlstate]
        return refusal(sentence, cause=(cause.diag.message_primary or ""))
    return error


def _accounts(session: Session, entries: Sequence[Entry]) -> dict[tuple[int, str, str], int]:
    wanted = {
        (entry.book_id, code, leg.money.currency) for entry in entries for leg in entry.legs for code in (leg.debit, leg.credit)
    }
    known = _known.setdefault(session.get_bind().engine, {})
    missing = sorted(wanted - known.keys())
    if not missing:
        return known
    fresh: set[tuple[int, str, str]] = session.info.setdefault("ledger_fresh_accounts", set())
    found = _find(session, missing)
    if absent := [key for key in missing if key not in found]:
        fresh.update(absent)
        session.execute(insert(LedgerAccount).on_conflict_do_nothing(), [_new_account(key) for key in absent])
        found |= _find(session, absent)
    known.update({key: account_id for key, account_id in found.items() if key not in fresh})
    return known | found


def _find(session: Session, keys: Sequence[tuple[int, str, str]]) -> dict[tuple[int, str, str], int]:
    # One array each: a large payout run names more accounts than a statement may have parameters.
    books, codes = sorted({key[0] for key in keys}), sorted({key[1] for key in keys})
    rows = session.execute(
        select(LedgerAccount.book_id, LedgerAccount.code, LedgerAccount.currency, LedgerAccount.id).where(
            LedgerAccount.book_id == func.any(literal(books, ARRAY(BigInteger))),
            LedgerAccount.code == func.any(literal(codes, ARRAY(Text))),
        )
    )
    return {(book_id, code, currency): account_id for book_id, code, currency, account_id in rows}


def _new_account(key: tuple[int, str, str]) -> dict[str, object]:
    book_id, code, currency = key
    kind = kind_of(code)
    return {
        "book_id": book_id,
        "code": code,
        "currency": currency,
        "side": kind.side,
        "floor_minor": kind.floor,
        "slots": kind.slots,
    }
