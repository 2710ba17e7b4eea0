"""Staff pages of payouts: what is owed, runs under four eyes, bank files, cash receipts, and what went wrong."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from market.accounts import queries as people
from market.console.acting import act, asked, carry_out
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now, today
from market.http.db import unit_of_work
from market.http.downloads import download
from market.http.entry import Entry
from market.http.i18n import show_money
from market.kernel.money import Money
from market.payables import queries as payables
from market.payouts import queries, service
from market.payouts.queries import reversals
from market.payouts.rules.cash import Receipt, Signed
from market.producers import queries as producers
from market.reports.queries import desks

blueprint = Blueprint("console_payouts", __name__, url_prefix="/console")
SHOWN = 50


@blueprint.get("/payouts")
@access("staff")
def overview() -> ResponseReturnValue:
    """Show what is owed, what waits too long, the form for a run with its preview, and the runs."""
    return _overview({}, {})


def _overview(form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    entry = Entry(request.args)
    due_by = entry.day("due_by", required=False)
    with unit_of_work() as session:
        coop = producers.coop(session, current_coop())
        owed = payables.totals_by_payee(session, coop.id)
        page = queries.runs(session, coop_id=coop.id, cursor=request.args.get("cursor"))
        stages = queries.stages(session, page.items, coop_id=coop.id)
        stops = queries.stops(session, coop_id=coop.id)
        alarms = queries.alarms(session, now=now(), coop_id=coop.id)
        plan = service.preview_run(session, coop_id=coop.id, due_by=due_by) if due_by else None
        names = _names(session, [row.payee_id for row in owed[:SHOWN]], [row.payee_id for row in plan.skipped] if plan else [])
    day = today(coop.time_zone)
    # The day that is offered is the first on which something can be paid: today's preview may well be empty.
    first = max([day, min((row.due_on for row in owed if row.open.minor > 0), default=day)])
    facts = {
        "owed": owed[:SHOWN],
        "more": max(len(owed) - SHOWN, 0),
        "totals": _sums(owed),
        "names": names,
        "alarms": alarms,
        "stops": stops,
    }
    answer = render_template(
        "console/payouts/overview.html",
        page=page,
        stages=stages,
        preview=_preview(plan),
        due_by=due_by or first,
        today=day,
        form=form,
        errors=errors or entry.errors,
        **facts,
    )
    return answer, 422 if errors else 200


@blueprint.post("/payouts")
@access("preparer")
def plan() -> ResponseReturnValue:
    """Prepare a run of everything due by a day."""
    entry = Entry(request.form)
    due_by = entry.day("due_by")

    def command(session: Session) -> tuple[str, str]:
        assert due_by is not None
        run = service.plan_run(session, actor=current_actor(), coop_id=current_coop(), due_by=due_by, now=now())
        return _("Run %(number)s is prepared. Another person has to approve it.", number=run.number), url_for(
            "console_payouts.run", run_id=run.id
        )

    return carry_out(entry, command, again=lambda: _overview(dict(request.form), entry.errors), otherwise="due_by")


@blueprint.post("/payouts/stops/lift")
@access("approver")
def lift() -> ResponseReturnValue:
    """Take up paying again, with what was compared."""
    entry = Entry(request.form)
    why = entry.text("why")

    def command(session: Session) -> tuple[str, str]:
        service.lift(session, actor=current_actor(), coop_id=current_coop(), why=why, now=now())
        return _("Payouts go out again."), url_for("console_payouts.overview")

    return carry_out(entry, command, again=lambda: _overview(dict(request.form), entry.errors), otherwise="why")


@blueprint.get("/payouts/<uuid:run_id>")
@access("staff")
def run(run_id: UUID) -> ResponseReturnValue:
    """Show a run: totals, who is left out, states, files, payouts."""
    with unit_of_work() as session:
        found = queries.run(session, run_id)
        page = queries.payouts_of_run(session, found.id, state=request.args.get("state"), cursor=request.args.get("cursor"))
        states = queries.states_of_run(session, found.id)
        stage = queries.stages(session, [found], coop_id=found.coop_id)[found.id]
        files = queries.files_of_run(session, found.id)
        names = _names(session, [row.payee_id for row in found.skipped], [row.payee_id for row in page.items])
    return render_template(
        "console/payouts/run.html",
        run=found,
        stage=stage,
        page=page,
        states=states,
        files=files,
        names=names,
        me=current_actor().label,
    )


@blueprint.get("/payouts/<uuid:run_id>/approve")
@access("approver")
def check(run_id: UUID) -> ResponseReturnValue:
    """Show what an approval sets going, before it is given: sums per rail and currency, who prepared it, what stays final."""
    with unit_of_work() as session:
        found = queries.run(session, run_id)
        names = people.names_of_staff(session, [found.checked_by or found.prepared_by], coop_id=found.coop_id)
    if found.state != "draft":
        return redirect(url_for("console_payouts.run", run_id=run_id), 303)
    preparer = names.get(found.checked_by or found.prepared_by, "")
    return render_template("console/payouts/approve.html", run=found, preparer=preparer, me=current_actor().label)


@blueprint.post("/payouts/<uuid:run_id>/approve")
@access("approver")
def approve(run_id: UUID) -> ResponseReturnValue:
    """Approve the list that the page showed."""
    shown = request.form.get("list_sha256", "")
    return act(
        lambda session: service.approve_run(session, actor=current_actor(), run_id=run_id, list_sha256=shown, now=now()),
        _("Approved. The money is on its way."),
        url_for("console_payouts.run", run_id=run_id),
    )


@blueprint.post("/payouts/<uuid:run_id>/checked")
@access("staff")
def checked(run_id: UUID) -> ResponseReturnValue:
    """Answer for a run that the clock drafted, as the first of two people."""
    shown = request.form.get("list_sha256", "")
    return act(
        lambda session: service.check_run(session, actor=current_actor(), run_id=run_id, list_sha256=shown, now=now()),
        _("Checked. Another person has to approve it."),
        url_for("console_payouts.run", run_id=run_id),
    )


@blueprint.post("/payouts/<uuid:run_id>/discard")
@access("staff")
def discard(run_id: UUID) -> ResponseReturnValue:
    """Throw a draft away."""
    return act(
        lambda session: service.discard_run(session, actor=current_actor(), run_id=run_id, now=now()),
        _("Discarded. Everything in it is open again."),
        url_for("console_payouts.overview"),
    )


@blueprint.get("/payouts/files/<uuid:file_id>")
@access("staff")
def file(file_id: UUID) -> ResponseReturnValue:
    """Download a bank file as it was written."""
    with unit_of_work() as session:
        found, body = queries.file_body(session, file_id)
    return download(body, name=found.name, content_type="application/xml")


@blueprint.post("/payouts/files/<uuid:file_id>/submitted")
@access("staff")
def submitted(file_id: UUID) -> ResponseReturnValue:
    """Note that the file was given to the bank."""
    with unit_of_work() as session:
        run_id = queries.file_body(session, file_id)[0].run_id
    return act(
        lambda session: service.mark_submitted(session, actor=current_actor(), file_id=file_id, now=now()),
        _("Noted. The bank's statement will settle these payouts."),
        url_for("console_payouts.run", run_id=run_id),
    )


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
    return _with_reason(payout_id, service.take_back_receipt, _("Taken back. What it paid is owed again."))


@blueprint.post("/payouts/one/<uuid:payout_id>/cancel")
@access("staff")
def cancel(payout_id: UUID) -> ResponseReturnValue:
    """Cancel a payout that nobody has tried yet."""
    return _with_reason(payout_id, service.cancel_payout, _("Cancelled. What it pays is open again."))


@blueprint.post("/payouts/one/<uuid:payout_id>/refused")
@access("approver")
def refused(payout_id: UUID) -> ResponseReturnValue:
    """Note the bank's definite no."""
    reason = request.form.get("reason", "").strip()
    if reason and (question := _asked(payout_id, reason, frees=True)):
        return question
    return _with_reason(payout_id, service.fail, _("Noted. What it pays is open again."))


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
        service.fill_cash_box(session, actor=current_actor(), coop_id=current_coop(), money=money, on=on, slip=slip, now=now())
        return _("Booked into the box."), url_for("console_payouts.cash_box")

    return carry_out(entry, command, again=lambda: _cash_box(dict(request.form), entry.errors), otherwise="slip")


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


def _with_reason(payout_id: UUID, step: Callable[..., None], message: str) -> ResponseReturnValue:
    entry = Entry(request.form)
    reason = entry.text("reason")

    def command(session: Session) -> tuple[str, str]:
        step(session, payout_id=payout_id, reason=reason, actor=current_actor(), now=now())
        return message, url_for("console_payouts.payout", payout_id=payout_id)

    return carry_out(entry, command, again=lambda: payout_again(payout_id, entry), otherwise="reason")


def _names(session: Session, *ids: Iterable[UUID]) -> dict[UUID, str]:
    wanted = {one for some in ids for one in some}
    return {key: row.name for key, row in producers.producers_by_id(session, wanted).items()}


def _sums(owed: list[payables.OwedTotal]) -> list[dict[str, Any]]:
    sums: dict[str, list[int]] = {}
    for row in owed:
        line = sums.setdefault(row.open.currency, [0, 0])
        line[0] += row.open.minor
        line[1] += row.on_its_way.minor
    return [
        {"currency": currency, "open": Money(one, currency), "on_its_way": Money(way, currency)}
        for currency, (one, way) in sorted(sums.items())
    ]


def _preview(plan: service.Preview | None) -> dict[str, Any] | None:
    return None if plan is None else {"totals": plan.totals, "skipped": plan.skipped[:SHOWN]}
