"""Opening balances: a file of the former books, read row by row, proposed by one person and booked by another (E01)."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.console import account_words, acting, lists
from market.console.lists import Column, Desk, Filter
from market.console.words import options
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now, today
from market.http.db import unit_of_work
from market.http.downloads import download
from market.http.entry import Entry
from market.http.i18n import told
from market.kernel.errors import DomainError
from market.kernel.money import EXPONENTS, Money
from market.kernel.text import SHORTEST_REASON
from market.ledger import opening as books
from market.producers import queries as producers
from market.reports.queries import desks
from market.reports.queries import treasury as sources
from market.treasury import queries, service

blueprint = Blueprint("console_opening", __name__, url_prefix="/console/books/opening")
SHOWN = 500
STATES: lists.Words = {
    "proposed": (_l("proposed"), "warn"),
    "booked": (_l("booked"), "good"),
    "declined": (_l("declined"), ""),
    "withdrawn": (_l("withdrawn"), ""),
}


def _pane(session: Session, opening_id: UUID) -> dict[str, Any]:
    found = queries.opening(session, opening_id)
    return {
        "opening": found,
        "name": account_words.handed_over(found.name),
        "history": desks.history(session, "opening_balance", opening_id),
        **_read(session, found.body, corrects=found.corrects),
    }


DESK = Desk(
    name="openings",
    title=_l("Opening balances"),
    endpoint="console_opening.index",
    source=sources.openings,
    columns=(
        Column("name", _l("File"), "link", make=lambda row: account_words.handed_over(row.name)),
        Column("source", _l("Former books")),
        Column("on_day", _l("Day"), "day"),
        Column("balances", _l("Balances"), "number"),
        Column("proposed_at", _l("Proposed"), "instant"),
        Column("state", _l("State"), "state", STATES),
    ),
    filters=(Filter("state", _l("State"), "choice", options(STATES)),),
    pane=_pane,
    empty=_l("No former books were handed over yet."),
)


@blueprint.get("")
@access("staff")
def index() -> ResponseReturnValue:
    """Show what was handed over, and one file with its rows beside the list."""
    return _page({name: request.args.get(name, "") for name in ("on", "source")}, {})


@blueprint.post("/preview")
@access("preparer")
def preview() -> ResponseReturnValue:
    """Read a file and show every row with what becomes of it; nothing is kept yet."""
    entry = Entry(request.form)
    entry.day("on")
    entry.text("source")
    given = request.files.get("file")
    data = given.read(books.MOST_BYTES + 1) if given else b""
    try:
        body = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        entry.errors["file"] = _("The file is not in UTF-8. Save it as CSV UTF-8 and choose it again.")
        body = ""
    if "file" not in entry.errors and not 0 < len(data) <= books.MOST_BYTES:
        entry.errors["file"] = _("Please choose a CSV file of at most 300 kB.")
    typed = dict(request.form)
    if entry.errors:
        return _page(typed, entry.errors)
    name = (given.filename or "")[:120] if given else ""
    try:
        with unit_of_work() as session:
            found = _read(session, body)
    except DomainError as refusal:
        return _page(typed, {"file": told(refusal.detail)})
    page = render_template("console/treasury/opening_preview.html", form=typed, name=name, body=body, shown=SHOWN, **found)
    return (page, 422) if found["problems"] else page


@blueprint.post("")
@access("preparer")
def propose() -> ResponseReturnValue:
    """Propose what the preview showed."""
    entry = Entry(request.form)
    on, source = entry.day("on"), entry.text("source")
    name, body = request.form.get("name", "")[:120], request.form.get("body", "").replace("\r\n", "\n")

    def run(session: Session) -> tuple[str, str]:
        assert on is not None
        said = {"on": on, "source": source, "name": name, "body": body}
        made = service.propose_opening(session, actor=current_actor(), coop_id=current_coop(), now=now(), **said)  # type: ignore[arg-type]
        return _("Proposed. Another person compares them with the former books and books them."), _open(made)

    return acting.carry_out(entry, run, again=lambda: _page(dict(request.form), entry.errors), otherwise="file")


@blueprint.post("/corrections")
@access("preparer")
def propose_correction() -> ResponseReturnValue:
    """Propose what one balance should have been when it was handed over."""
    entry = Entry(request.form)
    currency = entry.choice("currency", EXPONENTS)
    code, reason = entry.text("account"), entry.text("reason")
    amount = entry.amount("amount", currency, below=True) if currency in EXPONENTS else None

    def run(session: Session) -> tuple[str, str]:
        assert amount is not None
        who = {"actor": current_actor(), "coop_id": current_coop(), "now": now()}
        made = service.propose_opening_correction(session, code=code, money=amount, reason=reason, **who)  # type: ignore[arg-type]
        return _("Proposed. Another person compares it with the former books and books it."), _open(made)

    return acting.carry_out(entry, run, again=lambda: _page(dict(request.form), entry.errors), otherwise="account")


@blueprint.post("/<uuid:opening_id>")
@access("approver")
def decide(opening_id: UUID) -> ResponseReturnValue:
    """Open the books with the balances, or decline them."""
    agreed = acting.agreed()
    return acting.act(
        lambda session: service.decide_opening(session, actor=current_actor(), opening_id=opening_id, agreed=agreed, now=now()),
        _("Booked. The balances stand in the books.") if agreed else _("Declined."),
        _open(opening_id),
    )


@blueprint.post("/<uuid:opening_id>/withdrawal")
@access("preparer")
def withdraw(opening_id: UUID) -> ResponseReturnValue:
    """Withdraw one's own proposal."""
    return acting.act(
        lambda session: service.withdraw_opening(session, actor=current_actor(), opening_id=opening_id, now=now()),
        _("Withdrawn."),
        _open(opening_id),
    )


@blueprint.get("/<uuid:opening_id>/file")
@access("staff")
def file(opening_id: UUID) -> ResponseReturnValue:
    """Return the file as it was handed in."""
    with unit_of_work() as session:
        found = queries.opening(session, opening_id)
    return download(found.body.encode(), name=found.name or "opening.csv", content_type="text/csv; charset=utf-8")


def _read(session: Session, body: str, *, corrects: bool = False) -> dict[str, Any]:
    """Return the rows of a file in words, those with a problem first, and what goes to the counterpart."""
    lines = service.opening_lines(session, current_coop(), body, corrects=corrects)
    known = account_words.names(session, current_coop())
    problems = sum(1 for line in lines if line.problem)
    ordered = sorted(lines, key=lambda line: line.problem is None)
    rows = [(line, account_words.account(line.code, known), told(line.problem) if line.problem else "") for line in ordered]
    return {"rows": rows[:SHOWN], "all": len(rows), "problems": problems, "sides": [] if problems or corrects else _sides(lines)}


def _sides(lines: Sequence[service.OpeningLine]) -> list[tuple[Money, Money, Money]]:
    """Return by currency what is debited, what is credited, and what is left for the counterpart."""
    rows = [books.OpeningRow(line.code, line.money) for line in lines if line.money]
    found: dict[str, tuple[Money, Money]] = {}
    for leg in books.opening_legs(rows):
        debit, credit = found.get(leg.money.currency, (Money.zero(leg.money.currency), Money.zero(leg.money.currency)))
        found[leg.money.currency] = (debit, credit + leg.money) if leg.debit == "opening" else (debit + leg.money, credit)
    return [(debit, credit, debit - credit) for _currency, (debit, credit) in sorted(found.items())]


def _open(opening_id: UUID) -> str:
    return url_for("console_opening.index", open=opening_id)


def _page(form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    with unit_of_work() as session:
        coop = producers.coop(session, current_coop())
        fresh, correctable = service.may_be_proposed(session, coop.id)
    given = {"form": form, "errors": errors, "actor": current_actor(), "shown": SHOWN, "today": today(coop.time_zone)}
    given |= {"currency": coop.currency, "fresh": fresh, "correctable": correctable, "shortest": SHORTEST_REASON}
    page = lists.show(DESK, "console/treasury/opening.html", example=books.EXAMPLE, **given)
    return lists.answered(page, errors)
