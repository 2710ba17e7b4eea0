"""One payout: what it pays, every attempt, and what a person decides about it."""

from collections.abc import Callable
from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from market.console.acting import carry_out
from market.console.payouts.base import blueprint
from market.http.asking import asked
from market.http.auth import access, current_actor
from market.http.clock import now, today
from market.http.db import unit_of_work
from market.http.entry import Entry
from market.http.i18n import show_money
from market.payables import queries as payables
from market.payouts import queries, service
from market.payouts.queries import reversals
from market.producers import queries as producers
from market.reports.queries import desks
from market.statements import queries as statements


@blueprint.get("/payouts/one/<uuid:payout_id>")
@access("staff")
def payout(payout_id: UUID) -> ResponseReturnValue:
    """Show one payout: what it pays, every attempt, and what can be done about it."""
    return _payout_page(payout_id, {}, {})


def _payout_page(payout_id: UUID, form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    with unit_of_work() as session:
        found = queries.payout(session, payout_id)
        pays = payables.by_ids(session, [payable_id for payable_id, _minor in queries.items(session, found.id)])
        attempts = queries.attempts(session, found.id)
        run_row = queries.run(session, found.run_id)
        zone = producers.coop(session, found.coop_id).time_zone
        bags = [each for each in queries.bags_of_run(session, found.run_id) if each.is_open] if found.rail == "cash" else []
        cheque = queries.cheque_of(session, found.id)
        lines = statements.lines_of_payout(session, found.id)
        receipt_number = queries.receipt_number(session, found.id)
        asked_back = reversals.reversals(session, found.id)
        most_back = reversals.can_be_asked_back(session, found.id) if found.rail == "stripe" else None
        history = desks.history(session, "payout", payout_id)
    page = render_template(
        "console/payouts/payout.html",
        payout=found,
        run=run_row,
        pays=pays,
        attempts=attempts,
        history=history,
        bags=bags,
        cheque=cheque,
        lines=lines,
        receipt_number=receipt_number,
        asked_back=asked_back,
        most_back=most_back,
        form=form,
        errors=errors,
        today=today(zone),
        me=current_actor().label,
    )
    return page, 422 if errors else 200


def payout_again(payout_id: UUID, entry: Entry) -> ResponseReturnValue:
    """Show a payout again with what was typed and what is wrong with it."""
    return _payout_page(payout_id, dict(request.form), entry.errors)


@blueprint.post("/payouts/one/<uuid:payout_id>/ask-back")
@access("approver")
def ask_back(payout_id: UUID) -> ResponseReturnValue:
    """Ask a part of a card transfer back that the payee owes."""
    entry = Entry(request.form)
    with unit_of_work() as session:
        currency = queries.payout(session, payout_id).money.currency
    money, reason = entry.amount("amount", currency), entry.text("reason")

    def command(session: Session) -> tuple[str, str]:
        assert money is not None
        service.ask_back(session, actor=current_actor(), payout_id=payout_id, money=money, reason=reason, now=now())
        return _("Asked back. The card processor's statement books it."), url_for("console_payouts.payout", payout_id=payout_id)

    return carry_out(entry, command, again=lambda: payout_again(payout_id, entry), otherwise="amount")


@blueprint.post("/payouts/one/<uuid:payout_id>/cancel")
@access("staff")
def cancel(payout_id: UUID) -> ResponseReturnValue:
    """Cancel a payout that nobody has tried yet."""
    return with_reason(payout_id, service.cancel_payout, _("Cancelled. What it pays is open again."))


@blueprint.post("/payouts/one/<uuid:payout_id>/refused")
@access("approver")
def refused(payout_id: UUID) -> ResponseReturnValue:
    """Note the bank's definite no."""
    reason = request.form.get("reason", "").strip()
    if reason and (question := _asked(payout_id, reason, frees=True)):
        return question
    return with_reason(payout_id, service.fail, _("Noted. What it pays is open again."))


@blueprint.post("/payouts/one/<uuid:payout_id>/decide")
@access("approver")
def decide(payout_id: UUID) -> ResponseReturnValue:
    """Decide about a payout whose rail cannot say."""
    entry = Entry(request.form)
    happened = entry.choice("happened", ("yes", "no"))
    evidence = entry.text("evidence", limit=500)
    if not entry.errors and (question := _asked(payout_id, evidence, frees=happened == "no")):
        return question

    def command(session: Session) -> tuple[str, str]:
        service.decide_unknown(
            session, payout_id=payout_id, happened=happened == "yes", evidence=evidence, actor=current_actor(), now=now()
        )
        return _("Decided, and kept with your words."), url_for("console_payouts.payout", payout_id=payout_id)

    return carry_out(entry, command, again=lambda: payout_again(payout_id, entry), otherwise="evidence")


def _asked(payout_id: UUID, words: str, *, frees: bool) -> ResponseReturnValue | None:
    """Ask once more before a payout is given its end: money that moved after all would be paid twice."""
    if frees:
        consequence = _("What it pays is owed again and goes into the next run. If this money moved after all, it is paid twice.")
    else:
        consequence = _("It counts as sent and waits for its line on a statement. What it pays is not owed any more.")
    return sure(payout_id, words, consequence)


def sure(payout_id: UUID, words: str, consequence: str) -> ResponseReturnValue | None:
    """Ask once more about a payout, saying what follows."""
    with unit_of_work() as session:
        found = queries.payout(session, payout_id)
    return asked(
        _("Payout %(number)s: are you sure?", number=found.number),
        [
            (_("Payee"), found.holder),
            (_("Amount"), show_money(found.money)),
            (_("What you say"), words),
        ],
        consequence,
        _("Yes, it is so"),
        again=lambda: _payout_page(payout_id, dict(request.form), {}),
    )


def with_reason(payout_id: UUID, step: Callable[..., None], message: str) -> ResponseReturnValue:
    """Carry a step out that needs a reason in words, and say it; without one the payout is shown again."""
    entry = Entry(request.form)
    reason = entry.text("reason")

    def command(session: Session) -> tuple[str, str]:
        step(session, payout_id=payout_id, reason=reason, actor=current_actor(), now=now())
        return message, url_for("console_payouts.payout", payout_id=payout_id)

    return carry_out(entry, command, again=lambda: payout_again(payout_id, entry), otherwise="reason")
