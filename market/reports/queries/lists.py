"""Lists for staff: any SELECT with named columns, filtered, sorted, in keyset pages, with totals.

A `Source` says what a list is made of; this module reads it the same way for every desk, so a new list is a SELECT and a few
conditions. Values come from an address: a condition raises ValueError for one that it cannot read.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import dropwhile, islice
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, Select, func, literal, literal_column, or_, select, tuple_
from sqlalchemy.orm import Session

from market.kernel import paging
from market.kernel.clock import day_in
from market.kernel.money import Money
from market.kernel.paging import Page

PAGE, BATCH = 50, 1_000
MOST = 10_000
"""Totals are exact up to this many rows; beyond, a list says `more than`, and a report counts them."""

SIMPLE: Any = literal_column("'simple'::regconfig")
"""Words as they are written, as the indexes over names have them."""

Listed = Select[*tuple[Any, ...]]
Line = Row[*tuple[Any, ...]]
Condition = Callable[[str], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Viewer:
    """For whom a list is read and when: the co-op, its currency and zone, the person."""

    coop_id: UUID
    currency: str
    zone: str
    account_id: UUID | None = None
    now: datetime | None = None

    @property
    def today(self) -> date:
        """Return the day it is at the co-op: what is due there is not overdue because it is tomorrow elsewhere."""
        assert self.now is not None
        return day_in(self.now, self.zone)

    def begin_of(self, text: str) -> datetime:
        """Return the first instant of a day as people of the co-op count it. Raises ValueError."""
        return datetime.combine(date.fromisoformat(text), time(), ZoneInfo(self.zone))

    def minor(self, text: str) -> int:
        """Return an amount in minor units of the co-op's currency. Raises ValueError."""
        return Money.written(text, self.currency).minor


@dataclass(frozen=True, slots=True)
class Sorting:
    """An order of rows: columns that are never null, the last one unique, each with how a cursor's text is read."""

    keys: tuple[tuple[Any, Callable[[str], Any]], ...]
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """What a list is made of. `amount` and `currency` are what totals sum up; the first sorting is the usual one.

    `keyed`: the last key of each sorting is a column of a table that has an index for it; not so where everything is computed.
    `values` are those of the statement's parameters, where it is made once for everybody.
    """

    statement: Listed
    sortings: Mapping[str, Sorting]
    filters: Mapping[str, Condition] = field(default_factory=dict)
    amount: Any = None
    currency: Any = None
    keyed: bool = True
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Computed:
    """A list that is computed at once and read row by row, such as a report: never held, never counted.

    Rows have an `id`, by which a page goes on; each filter makes of a text of the address what says whether a row is wanted.
    """

    rows: Callable[[Session], Iterable[Any]]
    filters: Mapping[str, Callable[[str], Callable[[Any], bool]]] = field(default_factory=dict)

    def page(self, session: Session, chosen: Mapping[str, str], cursor: str | None, *, limit: int = PAGE) -> Page[Any]:
        """Return a page of rows; one after a row that is gone begins the list again. Raises BadCursor."""
        wanted = [self.filters[name](text) for name, text in chosen.items()]
        after = paging.decode(cursor, 1)[0] if cursor else ""
        found = self._after(session, wanted, after, limit + 1) or self._after(session, wanted, "", limit + 1)
        more = len(found) > limit
        return Page(found[:limit], paging.encode([found[limit - 1].id]) if more else None)

    def _after(self, session: Session, wanted: Sequence[Callable[[Any], bool]], after: str, count: int) -> list[Any]:
        rows: Iterator[Any] = (row for row in self.rows(session) if all(fits(row) for fits in wanted))
        if after:
            rows = islice(dropwhile(lambda row: row.id != after, rows), 1, None)
        return list(islice(rows, count))


@dataclass(frozen=True, slots=True)
class Totals:
    """How many rows a list has and their sums; `more` when it has more than were counted."""

    count: int
    more: bool
    sums: Sequence[Money]


def page(
    session: Session,
    source: Source,
    chosen: Mapping[str, str],
    *,
    sorting: str = "",
    cursor: str | None = None,
    limit: int = PAGE,
) -> Page[Line]:
    """Return a page of rows. Raises BadCursor, and ValueError for a value that a filter cannot read."""
    order = source.sortings.get(sorting) or next(iter(source.sortings.values()))
    columns = [column for column, _ in order.keys]
    places = [column.desc() if order.descending else column for column in columns]
    labels = [column.label(f"key_{n}") for n, column in enumerate(columns)]
    wanted = _filtered(source, chosen)
    if cursor:
        last = paging.read(cursor, *(kind for _, kind in order.keys))
        keys, seen = tuple_(*columns), tuple_(*(literal(value) for value in last))
        wanted = wanted.where(keys < seen if order.descending else keys > seen)
    statement = wanted.add_columns(*labels).order_by(*places).limit(limit + 1)
    if source.keyed:
        # Which rows first, from the index alone; names and counts are fetched for these and no others.
        page_keys = wanted.with_only_columns(columns[-1].label("key")).order_by(*places).limit(limit + 1).subquery("page_keys")
        statement = source.statement.add_columns(*labels).where(columns[-1].in_(select(page_keys.c.key))).order_by(*places)
    rows = session.execute(statement, source.values).all()
    if len(rows) <= limit:
        return Page(rows, None)
    last_row = rows[limit - 1]
    return Page(rows[:limit], paging.encode([_plain(getattr(last_row, f"key_{n}")) for n in range(len(columns))]))


def one(session: Session, source: Source, row_id: Any) -> Line | None:
    """Return the row with an id, whatever is chosen; None when the list has none."""
    named = source.statement.selected_columns["id"] == row_id
    return session.execute(source.statement.where(named), source.values).one_or_none()


def totals(session: Session, source: Source, chosen: Mapping[str, str], *, most: int = MOST) -> Totals:
    """Return count and sums per currency of what is chosen, looking at `most` rows at most."""
    if source.amount is None:
        some = _filtered(source, chosen).order_by(None).limit(most + 1).subquery()
        count = session.scalar(select(func.count()).select_from(some), source.values) or 0
        return Totals(min(count, most), count > most, ())
    columns = (source.amount.label("minor"), source.currency.label("currency"))
    some = _filtered(source, chosen).with_only_columns(*columns).order_by(None).limit(most + 1).subquery()
    rows = session.execute(
        select(some.c.currency, func.count(), func.sum(some.c.minor)).group_by(some.c.currency).order_by(some.c.currency),
        source.values,
    ).all()
    count = sum(int(number) for _, number, _ in rows)
    sums = [Money(int(minor), currency) for currency, _, minor in rows if currency and minor is not None]
    return Totals(min(count, most), count > most, () if count > most else sums)


def batches(
    open_session: Callable[[], Any], make: Callable[[], Source], chosen: Mapping[str, str], sorting: str = ""
) -> Iterator[Sequence[Line]]:
    """Yield all rows in batches, each read in a unit of work of its own: a long download holds no transaction open."""
    cursor: str | None = None
    while True:
        with open_session() as session:
            found = page(session, make(), chosen, sorting=sorting, cursor=cursor, limit=BATCH)
        yield found.items
        cursor = found.next_cursor
        if cursor is None:
            return


def words(text: str) -> str:
    """Return a search (for `to_tsquery`) that each word of `text` begins a word. Raises ValueError for a text without words."""
    found = ["".join(sign for sign in word if sign.isalnum() or sign in "@.-_") for word in text.split()]
    parts = [f"'{word}':*" for word in found if any(sign.isalnum() for sign in word)]
    if not parts:
        raise ValueError(text)
    return " & ".join(parts)


def contains(column: Any, text: str) -> ColumnElement[bool]:
    """Return the condition that the column contains `text`, for lists that a co-op's own rows keep short."""
    found: ColumnElement[bool] = func.strpos(func.lower(column), text.strip().lower()) > 0
    return found


def search_of(*columns: Any) -> Condition:
    """Return the condition that one of the columns contains the text."""
    return lambda text: or_(*(contains(column, text) for column in columns))


def one_of(column: Any, allowed: Sequence[str]) -> Condition:
    """Return the condition that the column has a value; only those in `allowed` can be read."""

    def condition(text: str) -> ColumnElement[bool]:
        if text not in allowed:
            raise ValueError(text)
        found: ColumnElement[bool] = column == text
        return found

    return condition


def one_named(conditions: Mapping[str, ColumnElement[bool]]) -> Condition:
    """Return the condition that an address names; only those given can be read."""

    def condition(text: str) -> ColumnElement[bool]:
        if text not in conditions:
            raise ValueError(text)
        return conditions[text]

    return condition


def by_day(column: Any, *, descending: bool = True, kind: Callable[[str], Any] = datetime.fromisoformat, unique: Any) -> Sorting:
    """Return the sorting by an instant or day, ties by a unique id."""
    return Sorting(((column, kind), (unique, UUID)), descending)


def by_amount(column: Any, *, unique: Any) -> Sorting:
    """Return the sorting by an amount, the largest first, ties by a unique id."""
    return Sorting(((column, int), (unique, UUID)), descending=True)


def between_days(viewer: Viewer, column: Any) -> dict[str, Condition]:
    """Return the filters `from` and `to` over an instant: whole days of the co-op's zone, both included."""
    return {
        "from": lambda text: column >= viewer.begin_of(text),
        "to": lambda text: column < viewer.begin_of(date.fromordinal(date.fromisoformat(text).toordinal() + 1).isoformat()),
    }


def between_dates(column: Any) -> dict[str, Condition]:
    """Return the filters `from` and `to` over a day, both included."""
    return {"from": lambda text: column >= date.fromisoformat(text), "to": lambda text: column <= date.fromisoformat(text)}


def _filtered(source: Source, chosen: Mapping[str, str]) -> Listed:
    statement = source.statement
    for name, condition in source.filters.items():
        if value := chosen.get(name, "").strip():
            statement = statement.where(condition(value))
    return statement


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
