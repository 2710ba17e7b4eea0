"""Cash: receipts of payouts, and the box that they are paid from."""

from uuid import UUID

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from market.console.acting import carry_out
from market.console.payouts.base import blueprint
from market.console.payouts.payout import payout_again, sure, with_reason
from market.http.asking import asked
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now, today
from market.http.db import unit_of_work
from market.http.entry import Entry
from market.http.i18n import show_money
from market.payouts import queries, service
from market.payouts.rules.cash import Receipt, Signed
from market.producers import queries as producers


@blueprint.post("/payouts/one/<uuid:payout_id>/receipt")
@access("staff")
def receipt(payout_id: UUID) -> ResponseReturnValue:
    """Record the signed receipt of a cash payout."""
    entry = Entry(request.form)
    with unit_of_work() as session:
        currency = queries.payout(session, payout_id).money.currency
    money = entry.amount("amount", currency)
    paid_on = entry.day("paid_on")
    texts = {name: entry.text(name, limit=120) for name in ("number", "cashier", "taken_by")}
    witness, mandate = (entry.text(name, required=False, limit=200) for name in ("witness", "mandate"))
    signed = entry.choice("signed", [kind.value for kind in Signed])
    with unit_of_work() as session:
        bags = [str(each.id) for each in queries.bags_of_run(session, queries.payout(session, payout_id).run_id) if each.is_open]
    bag = entry.choice("bag", ["", *bags], default="")

    def command(session: Session) -> tuple[str, str]:
        assert money is not None
        assert paid_on is not None
        made = Receipt(money=money, paid_on=paid_on, signed=Signed(signed), witness=witness, mandate=mandate, **texts)
        bag_id = UUID(bag) if bag else None
        service.record_receipt(session, actor=current_actor(), payout_id=payout_id, receipt=made, bag_id=bag_id, now=now())
        return _("The receipt is recorded; the payout is settled."), url_for("console_payouts.payout", payout_id=payout_id)

    return carry_out(entry, command, again=lambda: payout_again(payout_id, entry), otherwise="number")


@blueprint.post("/payouts/one/<uuid:payout_id>/receipt/back")
@access("approver")
def take_back_receipt(payout_id: UUID) -> ResponseReturnValue:
    """Take a receipt back that was recorded in error; somebody else recorded it."""
    reason = request.form.get("reason", "").strip()
    consequence = _(
        "The debt to the member is open again and goes into the next run; the money counts as lying in the box, or in the bag,"
        " that it was paid from. The member was told of the payment: tell them that it was an error. The number of the paper"
        " stays used."
    )
    if reason and (question := sure(payout_id, reason, consequence)):
        return question
    return with_reason(payout_id, service.take_back_receipt, _("Taken back. What it paid is owed again."))


@blueprint.get("/cash-box")
@access("staff")
def cash_box() -> ResponseReturnValue:
    """Show the cash box and the form for money taken from the bank."""
    return _cash_box({}, {})


def _cash_box(form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    with unit_of_work() as session:
        coop = producers.coop(session, current_coop())
        holds = service.cash_box_holds(session, coop_id=coop.id)
    page = render_template(
        "console/payouts/cash_box.html", holds=holds, coop=coop, form=form, errors=errors, today=today(coop.time_zone)
    )
    return page, 422 if errors else 200


@blueprint.post("/cash-box")
@access("staff")
def fill_cash_box() -> ResponseReturnValue:
    """Book money taken from the bank into the box."""
    entry = Entry(request.form)
    with unit_of_work() as session:
        currency = producers.coop(session, current_coop()).currency
    money, on, slip = entry.amount("amount", currency), entry.day("on"), entry.text("slip", limit=60)

    if money is not None and not entry.errors:
        question = asked(
            _("Was this money put into the box?"),
            [(_("Amount"), show_money(money)), (_("Number of the withdrawal slip"), slip)],
            _("It is booked from the bank into the box, and the bank's line is matched with it. A slip is booked once."),
            _("Yes, book it"),
            again=lambda: _cash_box(dict(request.form), {}),
        )
        if question:
            return question

    def command(session: Session) -> tuple[str, str]:
        assert money is not None
        assert on is not None
        fresh = service.fill_cash_box(
            session, actor=current_actor(), coop_id=current_coop(), money=money, on=on, slip=slip, now=now()
        )
        said = _("Booked into the box.") if fresh else _("This slip was booked before; nothing is booked a second time.")
        return said, url_for("console_payouts.cash_box")

    return carry_out(entry, command, again=lambda: _cash_box(dict(request.form), entry.errors), otherwise="slip")
