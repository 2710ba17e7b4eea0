"""Staff pages of cash and cheques: bags of a run with the list to sign, and cheques from issue to cash or void."""

from functools import partial
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.console import lists, words
from market.console.acting import carry_out
from market.console.lists import Column, Desk, Filter
from market.console.payouts.payout import payout_again, sure
from market.http.asking import asked
from market.http.auth import access, current_actor
from market.http.clock import now, today
from market.http.db import unit_of_work
from market.http.entry import Entry
from market.http.i18n import show_money
from market.kernel.money import EXPONENTS, Money
from market.payouts import queries, service
from market.producers import queries as producers
from market.reports.queries import desks

blueprint = Blueprint("console_cash", __name__, url_prefix="/console")
CHEQUES = Desk(
    name="cheques",
    title=_l("Cheques"),
    endpoint="console_cash.cheques",
    source=desks.cheques,
    columns=(
        Column("number", _l("Number"), "link"),
        Column("payee", _l("Payee")),
        Column("issued_on", _l("Made out on"), "day"),
        Column("state", _l("State"), "state", words.CHEQUES),
        Column("amount_minor", _l("Amount"), "money"),
    ),
    filters=(
        Filter("q", _l("Number or payee")),
        Filter("state", _l("State"), "choice", words.options(words.CHEQUES)),
        Filter("amount", _l("Amount"), "amount"),
        Filter("from", _l("From"), "day"),
        Filter("to", _l("To"), "day"),
    ),
    sortings=(("newest", _l("newest first")), ("largest", _l("largest amount first"))),
    empty=_l("A payout by cheque gets its number on its own page."),
)


@blueprint.get("/payouts/<uuid:run_id>/cash")
@access("staff")
def run(run_id: UUID) -> ResponseReturnValue:
    """Show the cash of a run: bags with what is in them, and the list that payees sign."""
    return _page(run_id, {}, {})


def _page(run_id: UUID, form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    with unit_of_work() as session:
        found = queries.run(session, run_id)
        bags = queries.bags_of_run(session, run_id)
        lines = queries.cash_list(session, run_id)
        coop = producers.coop(session, found.coop_id)
        holds = service.cash_box_holds(session, coop_id=coop.id)
    page = render_template(
        "console/payouts/cash.html",
        run=found,
        bags=bags,
        lines=lines,
        holds=holds,
        coop=coop,
        currencies=[(each, each) for each in sorted({line.money.currency for line in lines})],
        form=form,
        errors=errors,
        today=today(coop.time_zone),
    )
    return page, 422 if errors else 200


@blueprint.post("/payouts/<uuid:run_id>/cash")
@access("staff")
def issue_bag(run_id: UUID) -> ResponseReturnValue:
    """Hand a bag to a field officer."""
    entry = Entry(request.form)
    officer, on = entry.text("officer", limit=120), entry.day("on")
    money = _money(entry, "amount", entry.text("currency", limit=3))

    def command(session: Session) -> tuple[str, str]:
        assert money is not None
        assert on is not None
        service.issue_bag(session, actor=current_actor(), run_id=run_id, officer=officer, money=money, on=on, now=now())
        return _("Handed out and booked."), url_for("console_cash.run", run_id=run_id)

    return carry_out(entry, command, again=lambda: _page(run_id, dict(request.form), entry.errors), otherwise="amount")


@blueprint.post("/payouts/<uuid:run_id>/cash/<uuid:bag_id>/close")
@access("staff")
def close_bag(run_id: UUID, bag_id: UUID) -> ResponseReturnValue:
    """Count what came back."""
    entry = Entry(request.form)
    on, explanation = entry.day("on"), entry.text("explanation", required=False, limit=500)
    returned = _money(entry, "returned", entry.text("currency", limit=3), zero=True)
    if returned is not None and not entry.errors:
        facts = [(_("Brought back"), show_money(returned)), *_missing(run_id, bag_id, returned)]
        facts.append((_("What is known about what is missing"), explanation or "–"))
        words = _("A bag is counted once; from then on nothing is paid from it, and what is missing is owed by the officer.")
        again = partial(_page, run_id, dict(request.form), {})
        if question := asked(_("Is the bag counted?"), facts, words, _("Yes, it is counted"), again=again):
            return question

    def command(session: Session) -> tuple[str, str]:
        assert returned is not None
        assert on is not None
        missing = service.close_bag(
            session, actor=current_actor(), bag_id=bag_id, returned=returned, on=on, explanation=explanation, now=now()
        )
        said = (
            _("Counted. %(missing)s is missing and stands as owed by the officer.", missing=show_money(missing))
            if missing
            else _("Counted: everything is there.")
        )
        return said, url_for("console_cash.run", run_id=run_id)

    return carry_out(entry, command, again=lambda: _page(run_id, dict(request.form), entry.errors), otherwise="returned")


def _missing(run_id: UUID, bag_id: UUID, returned: Money) -> list[tuple[str, str]]:
    """Return what must be in a bag and what is missing from it, as facts of the question."""
    with unit_of_work() as session:
        bags = [each for each in queries.bags_of_run(session, run_id) if each.id == bag_id]
    return [
        fact
        for bag in bags
        if bag.left.currency == returned.currency
        for fact in (
            (_("Must be in it"), show_money(bag.left)),
            (_("Missing"), show_money(Money(max(bag.left.minor - returned.minor, 0), returned.currency))),
        )
    ]


@blueprint.get("/cheques")
@access("staff")
def cheques() -> ResponseReturnValue:
    """List the cheques, newest first."""
    return lists.show(CHEQUES, "console/payouts/cheques.html")


@blueprint.post("/payouts/one/<uuid:payout_id>/cheque")
@access("staff")
def issue_cheque(payout_id: UUID) -> ResponseReturnValue:
    """Write down the cheque of a payout."""
    entry = Entry(request.form)
    number, on = entry.text("number", limit=30), entry.day("on")

    def command(session: Session) -> tuple[str, str]:
        assert on is not None
        service.issue_cheque(session, actor=current_actor(), payout_id=payout_id, number=number, on=on, now=now())
        return _("Written down. The bank's statement shows when it is cashed."), _payout(payout_id)

    return carry_out(entry, command, again=lambda: payout_again(payout_id, entry), otherwise="number")


@blueprint.post("/payouts/one/<uuid:payout_id>/cheque/void")
@access("approver")
def void_cheque(payout_id: UUID) -> ResponseReturnValue:
    """Void a cheque that nobody cashed."""
    entry = Entry(request.form)
    reason = entry.text("reason")
    consequence = _(
        "What it pays is owed again and goes into the next run. If somebody cashes this cheque after all, it is paid twice."
    )
    if not entry.errors and (question := sure(payout_id, reason, consequence)):
        return question

    def command(session: Session) -> tuple[str, str]:
        service.void_cheque(session, actor=current_actor(), payout_id=payout_id, reason=reason, now=now())
        return _("Voided. What it pays is open again."), _payout(payout_id)

    return carry_out(entry, command, again=lambda: payout_again(payout_id, entry), otherwise="reason")


def _payout(payout_id: UUID) -> str:
    return url_for("console_payouts.payout", payout_id=payout_id)


def _money(entry: Entry, name: str, currency: str, *, zero: bool = False) -> Money | None:
    if currency not in EXPONENTS:
        entry.errors["currency"] = _("Please choose one of the list.")
        return None
    return entry.amount(name, currency, zero=zero)
