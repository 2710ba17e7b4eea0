"""Staff pages of what members earn and owe beside sales: weigh slips, advances, holds, corrections, shares of a result."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from market.console import acting, lists
from market.console.earning_lists import DESKS
from market.earnings import queries, service
from market.http.asking import asked
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now, today
from market.http.db import unit_of_work
from market.http.entry import Entry
from market.http.i18n import show_money
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.payouts import service as payouts
from market.producers import queries as producers

blueprint = Blueprint("console_earnings", __name__, url_prefix="/console/earnings")
Rows = Callable[[Session, UUID], Any]


@blueprint.get("/slips")
@access("staff")
def slips() -> ResponseReturnValue:
    """Show weigh slips, newest first, and the form for one."""
    return _page("slips", {"tare": "0", "rejected": "0", "deduction": "0", "unit": "kg"})


@blueprint.post("/slips")
@access("staff")
def enter_slip() -> ResponseReturnValue:
    """Price a delivery: it is owed from today on."""
    entry = Entry(request.form)
    facts = {
        "producer_id": entry.ident("producer_id"),
        "slip": entry.text("slip", limit=40),
        "delivered_on": entry.day("delivered_on"),
        "gross": entry.decimal("gross"),
        "tare": entry.decimal("tare", zero=True),
        "rejected": entry.decimal("rejected", zero=True),
        "unit": entry.text("unit", limit=12),
        "unit_price": entry.decimal("unit_price"),
        "deduction": entry.decimal("deduction", zero=True),
        "floor_price": entry.decimal("floor_price", required=False),
        "pool": entry.text("pool", limit=40),
    }

    def act(session: Session) -> None:
        coop = producers.coop(session, current_coop())
        day = today(coop.time_zone)
        service.price_delivery(session, actor=current_actor(), currency=coop.currency, due_on=day, now=now(), **facts)  # type: ignore[arg-type]

    return _carry_out(entry, act, _("Entered. It is owed from today on."), "slips", "slip")


@blueprint.get("/advances")
@access("staff")
def advances() -> ResponseReturnValue:
    """Show advances with what is left of them, and the form for one."""
    return _page("advances", {"cap_percent": "50", "priority": "1"})


@blueprint.post("/advances")
@access("preparer")
def propose_advance() -> ResponseReturnValue:
    """Propose an advance; somebody else grants it."""
    entry = Entry(request.form)
    member, amount, reason = entry.ident("producer_id"), entry.amount("amount", _currency()), entry.text("reason")
    cap, priority = entry.decimal("cap_percent", zero=True), entry.choice("priority", [str(n) for n in range(1, 10)])

    def act(session: Session) -> None:
        assert member is not None
        assert amount is not None
        assert cap is not None
        service.propose_advance(
            session,
            actor=current_actor(),
            producer_id=member,
            money=amount,
            reason=reason,
            cap_percent=cap,
            priority=int(priority),
            now=now(),
        )

    return _carry_out(entry, act, _("Proposed. Another person grants it."), "advances", "amount")


@blueprint.post("/advances/<uuid:advance_id>")
@access("approver")
def decide_advance(advance_id: UUID) -> ResponseReturnValue:
    """Grant or decline a proposed advance."""
    agreed = acting.agreed()
    sure = (_("Grant this advance?"), _("Yes, grant it"))
    if agreed and (question := _asked("advances", queries.advances, advance_id, *sure)):
        return question
    return _act(
        lambda session: service.decide_advance(session, actor=current_actor(), advance_id=advance_id, granted=agreed, now=now()),
        _("Granted. The next payout run pays it.") if agreed else _("Declined."),
        "advances",
    )


@blueprint.get("/holds")
@access("staff")
def holds() -> ResponseReturnValue:
    """Show what is held back from members, and the form for a hold."""
    return _page("holds", {})


@blueprint.post("/holds")
@access("preparer")
def hold() -> ResponseReturnValue:
    """Hold part of what a member is owed until a day; the member is told."""
    entry = Entry(request.form)
    member, amount, ends_on = entry.ident("producer_id"), entry.amount("amount", _currency()), entry.day("ends_on")
    reason, appeal = entry.text("reason"), entry.text("appeal")

    def act(session: Session) -> None:
        assert member is not None
        assert amount is not None
        assert ends_on is not None
        service.hold(
            session,
            actor=current_actor(),
            producer_id=member,
            money=amount,
            reason=reason,
            appeal=appeal,
            ends_on=ends_on,
            source_kind="staff",
            source_id=new_id(),
            now=now(),
        )

    return _carry_out(entry, act, _("Held back. The member is told why and how to appeal."), "holds", "amount")


@blueprint.post("/holds/<uuid:hold_id>/end")
@access("staff")
def end_hold(hold_id: UUID) -> ResponseReturnValue:
    """End a hold before its day."""
    return _act(
        lambda session: service.end_hold(session, actor=current_actor(), hold_id=hold_id, now=now()),
        _("Ended. The money can be paid."),
        "holds",
    )


@blueprint.get("/corrections")
@access("staff")
def corrections() -> ResponseReturnValue:
    """Show corrections of what members are owed, and the form for one."""
    return _page("corrections", {"direction": "more"})


@blueprint.post("/corrections")
@access("preparer")
def propose_correction() -> ResponseReturnValue:
    """Propose that a member is owed more or less."""
    entry = Entry(request.form)
    member, amount, reason = entry.ident("producer_id"), entry.amount("amount", _currency()), entry.text("reason")
    direction = entry.choice("direction", ("more", "less"))

    def act(session: Session) -> None:
        assert member is not None
        assert amount is not None
        service.propose_correction(
            session,
            actor=current_actor(),
            producer_id=member,
            money=amount if direction == "more" else -amount,
            reason=reason,
            now=now(),
        )

    return _carry_out(entry, act, _("Proposed. Another person books it."), "corrections", "amount")


@blueprint.post("/corrections/<uuid:correction_id>")
@access("approver")
def decide_correction(correction_id: UUID) -> ResponseReturnValue:
    """Book or decline a proposed correction."""
    agreed = acting.agreed()
    if agreed and (
        question := _asked("corrections", queries.corrections, correction_id, _("Book this correction?"), _("Yes, book it"))
    ):
        return question
    return _act(
        lambda session: service.decide_correction(
            session, actor=current_actor(), correction_id=correction_id, agreed=agreed, now=now()
        ),
        _("Booked.") if agreed else _("Declined."),
        "corrections",
    )


@blueprint.post("/offsets")
@access("preparer")
def offset() -> ResponseReturnValue:
    """Set off what a member bought of the co-op against what the member is owed."""
    entry = Entry(request.form)
    member, sale = entry.ident("offset_member"), _once(entry)
    amount, what = entry.amount("offset_amount", _currency()), entry.text("offset_what")

    def act(session: Session) -> None:
        assert member is not None
        assert amount is not None
        assert sale is not None
        service.offset(session, actor=current_actor(), producer_id=member, money=amount, sale=sale, what=what, now=now())

    return _carry_out(entry, act, _("Set off. The next payout is less by it."), "corrections", "offset_amount")


@blueprint.post("/claims")
@access("approver")
def give_up_claim() -> ResponseReturnValue:
    """Give up what somebody owes the co-op."""
    entry = Entry(request.form)
    code, amount = entry.text("code", limit=120), entry.amount("claim_amount", _currency())
    reason, key = entry.text("claim_reason"), _once(entry)
    if amount and not entry.errors and (question := _claim_asked(code, amount, reason)):
        return question

    def act(session: Session) -> None:
        assert amount is not None
        assert key is not None
        facts = {"coop_id": current_coop(), "code": code, "money": amount, "reason": reason, "key": key}
        payouts.give_up_claim(session, actor=current_actor(), now=now(), **facts)  # type: ignore[arg-type]

    return _carry_out(entry, act, _("Given up."), "corrections", "claim_amount")


def _claim_asked(code: str, amount: Money, reason: str) -> ResponseReturnValue | None:
    """Ask once more before a claim is given up, with the name of who owes it and what is owed."""
    with unit_of_work() as session:
        owed = {one.code: one.money for one in payouts.claims(session, current_coop())}.get(code)
        who = code.removeprefix("claim:")
        names = {str(one.id): one.name for one in producers.producers_of(session, coop_id=current_coop())}
    facts = [(_("Owed by"), names.get(who, who)), (_("Amount"), show_money(amount)), (_("Reason"), reason)]
    if owed is not None:
        facts.insert(1, (_("Owed"), show_money(owed)))
    return asked(
        _("Give this up?"),
        facts,
        _("The co-op bears it from now on, and nobody owes it any more. This cannot be taken back."),
        _("Yes, give it up"),
        again=lambda: _page("corrections", dict(request.form)),
    )


def _once(entry: Entry) -> UUID | None:
    """Return what names one filling-in of a form, so that it counts once however often it is sent."""
    try:
        return UUID(entry.text("once", limit=36))
    except ValueError:
        return new_id()


@blueprint.get("/shares")
@access("staff")
def shares() -> ResponseReturnValue:
    """Show second payments and patronage refunds, and the form for one."""
    return _page("shares", {"kind": "second_payment", "cash_percent": "100"})


@blueprint.post("/shares")
@access("preparer")
def propose_shares() -> ResponseReturnValue:
    """Propose what a body decided to share out among those who delivered."""
    entry = Entry(request.form)
    kind = entry.choice("kind", ("second_payment", "patronage"))
    name, pool, minutes = entry.text("name", limit=80), entry.text("pool", limit=40), entry.text("minutes")
    first, last = entry.day("starts_on"), entry.day("ends_on")
    amount, cash = entry.amount("amount", _currency()), entry.decimal("cash_percent", zero=True)

    def act(session: Session) -> None:
        assert first is not None
        assert last is not None
        assert amount is not None
        assert cash is not None
        service.propose_distribution(
            session,
            actor=current_actor(),
            coop_id=current_coop(),
            kind=kind,
            pool=pool,
            name=name,
            starts_on=first,
            ends_on=last,
            money=amount,
            minutes=minutes,
            cash_percent=cash,
            now=now(),
        )

    return _carry_out(entry, act, _("Proposed. Another person books it."), "shares", "amount")


@blueprint.post("/shares/<uuid:distribution_id>")
@access("approver")
def decide_shares(distribution_id: UUID) -> ResponseReturnValue:
    """Book or decline a proposed distribution."""
    agreed = acting.agreed()
    sure = (_("Share this out?"), _("Yes, book it"))
    if agreed and (question := _asked("shares", queries.distributions, distribution_id, *sure)):
        return question
    return _act(
        lambda session: service.decide_distribution(
            session, actor=current_actor(), distribution_id=distribution_id, agreed=agreed, now=now()
        ),
        _("Booked. Everybody's part is owed.") if agreed else _("Declined."),
        "shares",
    )


def _currency() -> str:
    """Return the currency of the co-op's books."""
    with unit_of_work() as session:
        return producers.coop(session, current_coop()).currency


def _page(name: str, form: dict[str, str], errors: dict[str, str] | None = None) -> ResponseReturnValue:
    with unit_of_work() as session:
        coop = producers.coop(session, current_coop())
        members = producers.producers_of(session, coop_id=coop.id)
        owing = payouts.claims(session, coop.id) if name == "corrections" else []
    page = lists.show(
        DESKS[name],
        f"console/earnings/{name}.html",
        members=[(member.id, member.name) for member in members],
        owing=owing,
        once=new_id(),
        coop=coop,
        today=today(coop.time_zone),
        form=form,
        errors=errors or {},
        actor=current_actor(),
    )
    return lists.answered(page, errors or {})


def _carry_out(entry: Entry, command: Callable[[Session], None], message: str, name: str, otherwise: str) -> ResponseReturnValue:
    """Run a command from the form of the page `name`."""

    def run(session: Session) -> tuple[str, str]:
        command(session)
        return message, url_for(f"console_earnings.{name}")

    return acting.carry_out(entry, run, again=lambda: _page(name, dict(request.form), entry.errors), otherwise=otherwise)


def _act(command: Callable[[Session], None], message: str, name: str) -> ResponseReturnValue:
    return acting.act(command, message, url_for(f"console_earnings.{name}"))


def _asked(name: str, rows: Rows, row_id: UUID, question: str, button: str) -> ResponseReturnValue | None:
    """Ask once more before a proposal is booked: what the next run pays out does not come back by itself."""
    with unit_of_work() as session:
        row = next((each for each in rows(session, current_coop()) if each.id == row_id), None)
        if row is None or row.state != "proposed":
            return None
        facts = [(_("Amount"), show_money(row.money))]
        if hasattr(row, "producer_id"):
            facts += [(_("Member"), producers.producer(session, row.producer_id).name), (_("Reason"), row.reason)]
        else:
            facts += [(_("Name"), row.name), (_("Decided by the body, with the minutes"), row.minutes)]
    consequence = _("It is booked at once and changes what the next payout run pays. Only another proposal can put it right.")
    return asked(question, facts, consequence, button, again=lambda: _page(name, {}))
