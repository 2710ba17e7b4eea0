"""The pattern of the staff's lists: one `Desk` and one template make a page (docs/desks.md).

The address holds everything: filters, order, place in the list, the record that is open beside it. The same address with
`format=csv` or `format=xlsx` gives the whole list as a file, read in batches and never held in memory.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from flask import current_app, make_response, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from market.desks import queries as kept
from market.http.auth import current_actor
from market.http.clock import now
from market.http.db import session_for, unit_of_work
from market.http.downloads import streamed_csv
from market.http.forms import no_amount
from market.http.i18n import show_day, told
from market.kernel import direct
from market.kernel.money import Money
from market.kernel.paging import Page
from market.kernel.sheets import write_workbook
from market.producers import queries as producers
from market.reports.queries import desks, lists
from market.reports.queries.lists import Computed, Line, Source, Totals, Viewer

Words = Mapping[str, tuple[Any, str]]
"""Code of a state -> its words and the kind of its badge."""

NOWHERE = UUID(int=0)
"""Instead of a co-op, for administrators of the site: lists that are no co-op's."""

_RESERVED = {"cursor", "open", "last", "format", "sort", "lang"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: which value of the row, its heading, and how it is shown.

    Kinds: text, link (opens the record), number, money (`<key>` is minor units of the row's `currency`), price (per unit),
    day, instant, state (with `words`). `make` computes the value where no column of the row holds it. One that stands `aside`
    is shown of the open record and in files, and leaves the table its room.
    """

    key: str
    label: Any
    kind: str = "text"
    words: Words = field(default_factory=dict)
    make: Callable[[Line], Any] | None = None
    aside: bool = False

    def of(self, row: Line) -> Any:
        """Return the column's value in a row."""
        return self.make(row) if self.make else getattr(row, self.key)


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter: its name in the address, its label; kinds text, day, amount, or choice among `options` (code, words)."""

    name: str
    label: Any
    kind: str = "text"
    options: Sequence[tuple[str, Any]] = ()
    default: str = ""

    def words(self, value: str) -> Any:
        """Return a value of the address as people read it."""
        if self.kind == "day":
            return show_day(date.fromisoformat(value))
        return dict(self.options).get(value, value)


@dataclass(frozen=True, slots=True)
class Desk:
    """A list of the staff. `name` is the key of its saved views and the name of its files.

    `pane` reads what the open record needs. Without it, `kind` of a record (as the audit names it) shows all columns of the
    open one with its history. `source` gives a Source, or the Computed of a report, of which the view makes files itself.
    `beside` reads what a page says of its rows that no column of theirs holds, such as the balance after each.
    """

    name: str
    title: Any
    endpoint: str
    source: Callable[[Viewer], Any]
    columns: Sequence[Column]
    filters: Sequence[Filter] = ()
    sortings: Sequence[tuple[str, Any]] = ()
    pane: Callable[[Session, Any], Mapping[str, Any]] | None = None
    beside: Callable[[Session, Sequence[Line]], Mapping[str, Any]] | None = None
    kind: str = ""
    key: Callable[[str], Any] = UUID
    lead: Any = ""
    empty: Any = ""
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Sheet:
    """A desk as it is shown now."""

    desk: Desk
    rows: Sequence[Line]
    next_cursor: str | None
    totals: Totals | None
    chosen: Mapping[str, str]
    errors: Mapping[str, str]
    views: Sequence[kept.View]
    opened: str

    def url(self, **changes: Any) -> str:
        """Return this address with other arguments; None takes one away. A change of the list starts it again."""
        kept_back = {} if changes.keys() <= {"open", "last"} else {"cursor": None, "open": None}
        values = {**_place(self.desk), **request.args.to_dict(), **kept_back, **changes}
        return _address(self.desk, {name: value for name, value in values.items() if value not in (None, "")})

    def view_url(self, view: kept.View) -> str:
        """Return the address of a saved view."""
        return _address(self.desk, {**_place(self.desk), **dict(parse_qsl(view.query))})

    @property
    def query(self) -> str:
        """The part of the address that a saved view keeps."""
        return urlencode({name: value for name, value in request.args.items() if value and name not in _RESERVED - {"sort"}})

    def shows(self, view: kept.View) -> bool:
        """Whether a saved view is what is shown."""
        return dict(parse_qsl(view.query)) == dict(parse_qsl(self.query))

    def after(self, row_id: Any) -> Any:
        """Return the id of the row below one, None at the end of the page."""
        ids = [row.id for row in self.rows]
        place = ids.index(row_id) + 1 if row_id in ids else 0
        return next((each for each in ids[place:] if each != row_id), None)

    @property
    def columns(self) -> Sequence[Column]:
        """The columns that are shown: beside an open record what names a row, its amount and its state are enough."""
        if not self.opened:
            return [column for column in self.desk.columns if not column.aside]
        amounts = [column for column in self.desk.columns if column.kind in ("money", "price")]
        shown = {column.key for column in (*amounts[:1], *(each for each in self.desk.columns if each.kind in ("link", "state")))}
        return [column for column in self.desk.columns if column.key in shown]

    @property
    def active(self) -> list[tuple[Filter, Any]]:
        """The filters that narrow the list, each with its value in words; a list's usual ones are not named."""
        found = [(each, self.chosen.get(each.name, "")) for each in self.desk.filters]
        return [(each, each.words(value)) for each, value in found if value and value != each.default]

    @property
    def first(self) -> bool:
        """Whether this is the first page."""
        return not request.args.get("cursor")


def _place(desk: Desk) -> dict[str, Any]:
    """Return the arguments in the path of this request that the desk's address has too: a form may stand at another."""
    (rule, *_others) = current_app.url_map.iter_rules(desk.endpoint)
    return {name: value for name, value in (request.view_args or {}).items() if name in rule.arguments}


def _address(desk: Desk, values: Mapping[str, Any]) -> str:
    """Return an address of the desk; names that `url_for` keeps for itself are not the list's."""
    return url_for(desk.endpoint, **{name: value for name, value in values.items() if not name.startswith("_")})


def viewer(session: Session) -> Viewer:
    """Return for whom lists are read in this request; its statements are planned for what is asked."""
    direct.plan_each(session)
    if (here := current_actor().coop_id) is None:
        return Viewer(NOWHERE, "EUR", "UTC", current_actor().account_id, now())
    coop = producers.coop(session, here)
    return Viewer(coop.id, coop.currency, coop.time_zone, current_actor().account_id, now())


def _views(session: Session, desk: Desk) -> Sequence[kept.View]:
    actor = current_actor()
    return kept.views(session, account_id=actor.account_id, coop_id=actor.coop_id, desk=desk.name) if actor.account_id else []


def show(desk: Desk, template: str = "console/list.html", opened: Any = None, **more: Any) -> ResponseReturnValue:
    """Answer with the desk's page, or with its file when the address asks for one. `more` goes to the template.

    `opened` names the record beside the list where the address does not, after a form that was refused.
    """
    wanted = request.args.get("format", "")
    if wanted in ("csv", "xlsx"):
        return _file(desk, wanted)
    opened = str(opened or request.args.get("open", ""))
    with unit_of_work() as session:
        source = desk.source(viewer(session))
        chosen, errors = _chosen(desk, source)
        found, totals = _read(session, desk, source, chosen)
        views = _views(session, desk)
        facts = _open(session, desk, source, opened) if _readable(desk, opened) else {}
        noted = desk.beside(session, found.items) if desk.beside and found.items else {}
    sheet = Sheet(desk, found.items, found.next_cursor, totals, chosen, errors, views, opened if facts else "")
    return render_template(template, sheet=sheet, **facts, **noted, **more)


def _read(session: Session, desk: Desk, source: Source | Computed, chosen: Mapping[str, str]) -> tuple[Page[Line], Totals | None]:
    cursor = request.args.get("cursor")
    if isinstance(source, Computed):
        return source.page(session, chosen, cursor), None
    found = lists.page(session, source, chosen, sorting=request.args.get("sort", ""), cursor=cursor)
    return found, lists.totals(session, source, chosen) if desk.counted else None


def _open(session: Session, desk: Desk, source: Source | Computed, opened: str) -> Mapping[str, Any]:
    key = desk.key(opened)
    if desk.pane:
        return desk.pane(session, key)
    record = lists.one(session, source, key) if desk.kind and isinstance(source, Source) else None
    return {"record": record, "history": desks.history(session, desk.kind, key)} if record else {}


def _readable(desk: Desk, opened: str) -> bool:
    try:
        return bool(opened) and desk.key(opened) is not None
    except ValueError:
        return False


def _chosen(desk: Desk, source: Source | Computed) -> tuple[dict[str, str], dict[str, str]]:
    """Return the values of the filters that can be read, and a sentence for each that cannot."""
    chosen: dict[str, str] = {}
    errors: dict[str, str] = {}
    for each in desk.filters:
        value = request.args.get(each.name, each.default).strip()[:200]
        if not value:
            continue
        try:
            source.filters[each.name](value)
            chosen[each.name] = value
        except ValueError as refusal:
            errors[each.name] = {
                "day": _("Please enter a day, such as 2026-11-25."),
                "amount": told(no_amount(refusal)),
                "choice": _("Please choose one of the list."),
            }.get(each.kind, _("This cannot be searched for. Try a word or a number."))
    days = {each.name for each in desk.filters if each.kind == "day"}
    if {"from", "to"} <= days & chosen.keys() and date.fromisoformat(chosen["to"]) < date.fromisoformat(chosen["from"]):
        errors["to"] = _("The last day lies before the first.")
        del chosen["to"]
    return chosen, errors


def _file(desk: Desk, wanted: str) -> ResponseReturnValue:
    with unit_of_work() as session:
        who = viewer(session)
    chosen, _errors = _chosen(desk, desk.source(who))
    batches = lists.batches(session_for(who.coop_id), lambda: desk.source(who), chosen, request.args.get("sort", ""))
    rows = (cells(desk, row) for batch in batches for row in batch)
    return file(desk.name, wanted, headings(desk), rows)


def file(name: str, wanted: str, headings: Sequence[str], rows: Iterator[Sequence[Any]]) -> ResponseReturnValue:
    """Answer with rows as a CSV file that streams, or as a workbook."""
    if wanted == "xlsx":
        return workbook(f"{name}.xlsx", headings, rows)
    return streamed_csv(f"{name}.csv", headings, rows)


def answered(page: ResponseReturnValue, errors: Mapping[str, str]) -> ResponseReturnValue:
    """Return a desk as the answer to a form: with faults it is no success."""
    answer = make_response(page)
    answer.status_code = 422 if errors else answer.status_code
    return answer


def headings(desk: Desk) -> list[str]:
    """Return the headings of a desk's file: its columns, and last the currency of its amounts where no column says it."""
    return [str(column.label) for column in desk.columns] + ([_("Currency")] if _says_no_currency(desk) else [])


def cells(desk: Desk, row: Line) -> list[Any]:
    """Return a row of a desk's file, as `headings` names it."""
    return [plain(column, row) for column in desk.columns] + ([row.currency or ""] if _says_no_currency(desk) else [])


def _says_no_currency(desk: Desk) -> bool:
    kinds = {column.kind for column in desk.columns}
    return bool(kinds & {"money", "price"}) and "currency" not in {column.key for column in desk.columns}


def plain(column: Column, row: Line) -> Any:
    """Return a value as a program wants it: amounts as decimals, days in ISO form, states in words."""
    value = column.of(row)
    if value is None:
        return ""
    if column.kind == "money":
        return Money(int(value), row.currency).decimal
    if column.words:
        return str(column.words[value][0]) if value in column.words else str(value)
    if isinstance(value, dict):
        return "; ".join(f"{name}: {each}" for name, each in value.items())
    return value


def workbook(name: str, headings: Sequence[str], rows: Iterator[Sequence[Any]]) -> ResponseReturnValue:
    """Answer with an XLSX file, written to disk on the way."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it when it has been sent
    write_workbook(file, headings, rows)
    file.seek(0)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    answer = send_file(file, mimetype=kind, as_attachment=True, download_name=name, conditional=False)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
