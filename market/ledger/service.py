"""The one door to the books: `post`. Everything that moves money calls it last in its unit of work."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from psycopg.errors import Error as DatabaseError
from sqlalchemy import (
    BigInteger,
    Date,
    Engine,
    Select,
    Subquery,
    Text,
    TextClause,
    case,
    cast,
    false,
    func,
    literal,
    null,
    select,
    text,
    update,
)  # fmt: skip
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from market.kernel import direct
from market.kernel.errors import DomainError
from market.kernel.words import N_
from market.ledger import queries
from market.ledger.errors import KeyUsedDifferently, LimitExceeded, NoBook, NotAMirror, NotTheLastDays, PeriodClosed
from market.ledger.models import LedgerAccount, LedgerBook, LedgerMove, LedgerPeriod
from market.ledger.rules import Entry, kind_of

_CLOSING = text("SELECT ledger_closing(:book, CAST(:last AS date))")
_CLOSE = text("SELECT ledger_close(:book, :last, :by, :at)")
_REOPEN = text("SELECT ledger_reopen(:book, CAST(:first AS date), :last)")
_POST = text(
    "SELECT ledger_post(CAST(:books AS bigint[]), CAST(:kinds AS text[]), CAST(:keys AS text[]), CAST(:days AS date[]),"
    " CAST(:actors AS text[]), CAST(:reverses AS bigint[]), CAST(CAST(:notes AS text[]) AS jsonb[]), CAST(:counts AS int[]),"
    " CAST(:debits AS bigint[]), CAST(:credits AS bigint[]), CAST(:currencies AS text[]), CAST(:amounts AS bigint[]),"
    " CAST(:subjects AS uuid[]))"
)
_MANY = 500
# A plan made while the tables were small could look at each row of one for each of many entries: plan again for many.
_PLAN_AGAIN = text("DISCARD PLANS")
# Per database: (book, code, currency) -> account id. Accounts never change; one made in an unfinished transaction is not
# kept here.
_known: WeakKeyDictionary[Engine, dict[tuple[int, str, str], int]] = WeakKeyDictionary()
_REFUSALS: dict[str, tuple[type[DomainError], str]] = {
    "FM001": (KeyUsedDifferently, N_("This fact is in the books already, with other figures. Correct it by a reversal.")),
    "FM002": (PeriodClosed, N_("No open period of the books covers that day. Book it on the first open day.")),
    "FM003": (NotAMirror, N_("A reversal must mirror its original exactly, and only once.")),
    "FM004": (LimitExceeded, N_("There is not enough on the account for this.")),
    "FM005": (NotTheLastDays, N_("Only the last closed days can be opened again, and none while others are being closed.")),
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
    if len(entries) > _MANY:
        session.execute(_PLAN_AGAIN)
    columns = _entry_columns(entries) | _leg_columns(entries, accounts)
    try:
        ids: list[int] = session.execute(_POST, columns).scalar_one()
    except DBAPIError as error:
        raise _refusal(error) from error
    return ids


def post_selected(
    session: Session,
    *,
    book_id: int,
    kind: str,
    actor: str,
    moves: Select[*tuple[Any, ...]],
    on: date | None = None,
    late: bool = False,
) -> int:
    """Book what `moves` selects without bringing it here, all or none, and return the number of transactions.

    For many like facts. `moves` gives a row a posting: key, n (its place in the transaction), debit, credit (codes of the chart),
    currency, amount_minor, subject, and its day (on_day) unless all are of the day `on`; rows of one key are one transaction.
    The laws, locks and refusals are those of `post`, and so is `late`; accounts are made on first use (`moves` is asked again).
    """
    session.flush()
    last = queries.shut_days(session, [book_id])[book_id].held if late else None
    statement = _post_set(book_id, kind, actor, moves.subquery("moves"), on, last)
    try:
        entries, *absent = session.execute(statement).one()
        if absent[0]:
            _open_accounts(session, sorted((book_id, code, currency) for code, currency in zip(*absent, strict=True)))
            entries, *absent = session.execute(statement).one()
    except DBAPIError as error:
        raise _refusal(error) from error
    if absent[0]:
        raise RuntimeError(f"accounts {absent} were made and are absent")
    return int(entries)


def _open_accounts(session: Session, keys: Sequence[tuple[int, str, str]]) -> None:
    """Make accounts of the chart that are not there yet; they count as known when the transaction has ended."""
    fresh: set[tuple[int, str, str]] = session.info.setdefault("ledger_fresh_accounts", set())
    fresh.update(keys)
    session.execute(insert(LedgerAccount).on_conflict_do_nothing(), [_new_account(key) for key in keys])


def _post_set(
    book_id: int, kind: str, actor: str, moves: Subquery, on: date | None, held: date | None
) -> Select[*tuple[Any, ...]]:
    """Return the statement that hands the moves to the database function: the entries booked, or the accounts that are absent."""
    *move, day = (*moves.c, literal(on, Date)) if on else moves.c
    late = (day <= literal(held, Date)) if held else false()
    first_open = literal(held + timedelta(days=1), Date) if held else null()
    columns = (*move, case((late, first_open), else_=day), case((late, day)))
    given = select(func.array_agg(cast(func.row(*columns), LedgerMove()))).scalar_subquery()
    posted = func.ledger_post_set(book_id, kind, actor, given)
    return select(posted.table_valued("entries", "absent_codes", "absent_currencies"))


def _entry_columns(entries: Sequence[Entry]) -> dict[str, Any]:
    return {
        "books": direct.array(entry.book_id for entry in entries),
        "kinds": [entry.kind for entry in entries],
        "keys": [entry.key for entry in entries],
        "days": direct.array(entry.on for entry in entries),
        "actors": [entry.actor for entry in entries],
        "reverses": direct.array(entry.reverses for entry in entries),
        "notes": [None if entry.note is None else json.dumps(entry.note) for entry in entries],
        "counts": direct.array(len(entry.legs) for entry in entries),
    }


def _leg_columns(entries: Sequence[Entry], accounts: Mapping[tuple[int, str, str], int]) -> dict[str, Any]:
    moves = [(entry.book_id, leg) for entry in entries for leg in entry.legs]
    return {
        "debits": direct.array(accounts[book_id, leg.debit, leg.money.currency] for book_id, leg in moves),
        "credits": direct.array(accounts[book_id, leg.credit, leg.money.currency] for book_id, leg in moves),
        "currencies": [leg.money.currency for _, leg in moves],
        "amounts": direct.array(leg.money.minor for _, leg in moves),
        "subjects": direct.array(leg.subject for _, leg in moves),
    }


def _on_open_days(session: Session, entries: Sequence[Entry]) -> list[Entry]:
    """Move entries of days that are closed or being closed to the day after them (money.md 1.4)."""
    shut = queries.shut_days(session, {entry.book_id for entry in entries})
    return [
        replace(entry, on=last + timedelta(days=1), note=(entry.note or {}) | {"happened_on": entry.on.isoformat()})
        if (last := shut[entry.book_id].held) is not None and entry.on <= last
        else entry
        for entry in entries
    ]


def closing_days(session: Session, book_id: int, *, through: date | None) -> None:
    """Let the days up to and including `through` wait for their close, so that nothing posts there, and open all later ones.

    None opens all that are not closed. Waits for postings in flight. Raises PeriodClosed when the day is closed already.
    """
    _change_days(session, _CLOSING, {"book": book_id, "last": through})


def close_days(session: Session, book_id: int, *, through: date, actor: str, now: datetime) -> None:
    """Close the book up to and including a day: nothing posts there any more. Waits for postings in flight.

    Raises PeriodClosed when the day is closed already.
    """
    _change_days(session, _CLOSE, {"book": book_id, "last": through, "by": actor, "at": now})


def reopen_days(session: Session, book_id: int, *, since: date | None, through: date) -> None:
    """Open the closed days from `since` to `through` again, or all up to `through`. Waits for postings in flight.

    Raises NotTheLastDays when later days are closed, or when any are being closed.
    """
    _change_days(session, _REOPEN, {"book": book_id, "first": since, "last": through})


def _change_days(session: Session, statement: TextClause, given: dict[str, Any]) -> None:
    session.flush()
    try:
        session.execute(statement, given)
    except DBAPIError as error:
        raise _refusal(error) from error


def set_limits(session: Session, book_id: int, code: str, currency: str, *, floor: int | None, ceiling: int | None) -> None:
    """Let an account fall to `floor` and rise to `ceiling`, in minor units, making it if it is new; waits for postings in flight.

    Only on accounts of one slot. A balance beyond a new limit stays, and may only come nearer.
    """
    row = _new_account((book_id, code, currency))
    session.execute(insert(LedgerAccount).on_conflict_do_nothing(), [row])
    own = (LedgerAccount.book_id == book_id, LedgerAccount.code == code, LedgerAccount.currency == currency)
    session.execute(update(LedgerAccount).where(*own).values(floor_minor=floor, ceiling_minor=ceiling))


def _refusal(error: DBAPIError) -> Exception:
    cause = error.orig
    if not isinstance(cause, DatabaseError):
        return error
    state = "FM003" if cause.diag.constraint_name == "ledger_transaction_book_id_reverses_id_key" else cause.sqlstate
    if state in _REFUSALS:
        refusal, sentence = _REFUSALS[state]
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
        _open_accounts(session, absent)
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
