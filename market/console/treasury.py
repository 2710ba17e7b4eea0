"""The premium fund with its plan and payments, and conversions between currencies: proposed by one, decided by another."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.console import acting, lists
from market.console.lists import Column, Desk, Filter
from market.console.words import options
from market.http.auth import access, current_actor, current_coop
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.entry import Entry
from market.http.i18n import show_money, show_quantity
from market.kernel.money import Money
from market.producers import queries as producers
from market.reports.queries import desks
from market.reports.queries import treasury as sources
from market.treasury import queries, service

blueprint = Blueprint("console_treasury", __name__, url_prefix="/console/treasury")
ITEMS: lists.Words = {
    "proposed": (_l("proposed"), "warn"),
    "approved": (_l("approved"), "info"),
    "declined": (_l("declined"), ""),
    "closed": (_l("closed"), "good"),
}
CONVERSIONS: lists.Words = {
    "proposed": (_l("proposed"), "warn"),
    "booked": (_l("booked"), "info"),
    "declined": (_l("declined"), ""),
    "settled": (_l("settled"), "good"),
}


def _item_pane(session: Session, item_id: UUID) -> dict[str, Any]:
    return {"item": queries.item(session, item_id), "history": desks.history(session, "premium_item", item_id)}


def _conversion_pane(session: Session, conversion_id: UUID) -> dict[str, Any]:
    found = queries.conversion(session, conversion_id)
    payee = producers.producer(session, found.producer_id)
    return {"conversion": found, "payee": payee, "history": desks.history(session, "fx_conversion", conversion_id)}


FUND = Desk(
    name="premium-fund",
    title=_l("Premium fund"),
    endpoint="console_treasury.fund",
    source=sources.premium_items,
    columns=(
        Column("name", _l("What for"), "link"),
        Column("amount_minor", _l("Decided"), "money"),
        Column("spent_minor", _l("Paid or on its way"), "money"),
        Column("waiting", _l("Payments to decide"), "number"),
        Column("state", _l("State"), "state", ITEMS),
    ),
    filters=(
        Filter("q", _l("What for")),
        Filter("state", _l("State"), "choice", options(ITEMS)),
    ),
    pane=_item_pane,
    empty=_l("The members have decided nothing yet."),
)
FX = Desk(
    name="conversions",
    title=_l("Conversions"),
    endpoint="console_treasury.conversions",
    source=sources.conversions,
    columns=(
        Column("payee", _l("Payee"), "link"),
        Column("amount_minor", _l("Owed"), "money"),
        Column("rate", _l("Rate"), make=lambda row: show_quantity(row.rate)),
        Column("rate_on", _l("Day of the rate"), "day"),
        Column("agreed", _l("Becomes"), make=lambda row: show_money(Money(row.agreed_minor, row.agreed_currency))),
        Column("state", _l("State"), "state", CONVERSIONS),
    ),
    filters=(
        Filter("q", _l("Payee")),
        Filter("state", _l("State"), "choice", options(CONVERSIONS)),
    ),
    pane=_conversion_pane,
    empty=_l("No debt has changed its currency."),
)


@blueprint.get("/fund")
@access("staff")
def fund() -> ResponseReturnValue:
    """Show where the fund stands, the members' plan, and one item with its payments beside the list."""
    return _fund({}, {})


@blueprint.post("/fund")
@access("preparer")
def propose_item() -> ResponseReturnValue:
    """Propose what the members decided; an approver commits the fund to it."""
    entry = Entry(request.form)
    name, money, minutes = entry.text("name", limit=120), entry.amount("amount", _currency()), entry.text("minutes")

    def act(session: Session) -> UUID:
        assert money is not None
        shared = {"actor": current_actor(), "coop_id": current_coop(), "now": now()}
        return service.propose_item(session, name=name, money=money, minutes=minutes, **shared)  # type: ignore[arg-type]

    return _carry_out(entry, act, _("Proposed. Another person commits the fund to it."), "console_treasury.fund", _fund, "amount")


@blueprint.post("/fund/<uuid:item_id>")
@access("approver")
def decide_item(item_id: UUID) -> ResponseReturnValue:
    """Commit the fund to a proposed item or decline it."""
    agreed = acting.agreed()
    return acting.act(
        lambda session: service.decide_item(session, actor=current_actor(), item_id=item_id, agreed=agreed, now=now()),
        _("The fund is committed to it.") if agreed else _("Declined."),
        url_for("console_treasury.fund", open=item_id),
    )


@blueprint.post("/fund/<uuid:item_id>/close")
@access("approver")
def close_item(item_id: UUID) -> ResponseReturnValue:
    """Give back to the fund what an item did not need."""
    return acting.act(
        lambda session: service.close_item(session, actor=current_actor(), item_id=item_id, now=now()),
        _("Closed. What was left is available again."),
        url_for("console_treasury.fund", open=item_id),
    )


@blueprint.post("/fund/<uuid:item_id>/spendings")
@access("preparer")
def propose_spending(item_id: UUID) -> ResponseReturnValue:
    """Propose to pay something of an item, with the paper that proves it."""
    entry = Entry(request.form)
    with unit_of_work() as session:
        currency = queries.item(session, item_id).money.currency  # a foreign one is missing before its form is read
    money, payee, evidence = entry.amount("amount", currency), entry.text("payee", limit=120), entry.text("evidence")

    def act(session: Session) -> UUID:
        assert money is not None
        facts = {"item_id": item_id, "money": money, "payee": payee, "evidence": evidence}
        service.propose_spending(session, actor=current_actor(), now=now(), **facts)  # type: ignore[arg-type]
        return item_id

    def again(form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
        return _fund(form, errors, opened=item_id)

    return _carry_out(entry, act, _("Proposed. Another person books it."), "console_treasury.fund", again, "amount")


@blueprint.post("/spendings/<uuid:spending_id>")
@access("approver")
def decide_spending(spending_id: UUID) -> ResponseReturnValue:
    """Book a proposed payment of the fund or decline it."""
    agreed = acting.agreed()
    with unit_of_work() as session:
        item_id = queries.item_of(session, spending_id)
    return acting.act(
        lambda session: service.decide_spending(
            session, actor=current_actor(), spending_id=spending_id, agreed=agreed, now=now()
        ),
        _("Booked. Pay it from the bank now; its line on the statement ends it.") if agreed else _("Declined."),
        url_for("console_treasury.fund", open=item_id),
    )


@blueprint.get("/conversions")
@access("staff")
def conversions() -> ResponseReturnValue:
    """Show conversions with their evidence, and what stands between currencies."""
    return _conversions({}, {})


@blueprint.post("/conversions")
@access("preparer")
def propose_conversion() -> ResponseReturnValue:
    """Propose that a debt changes its currency at a rate that can be looked up."""
    entry = Entry(request.form)
    owed, rate, source = entry.amount("amount", _currency()), entry.decimal("rate"), entry.text("source")
    currency, rate_on, member = entry.text("currency", limit=3).upper(), entry.day("rate_on"), entry.ident("producer_id")

    def act(session: Session) -> UUID:
        assert owed is not None
        facts = {"producer_id": member, "owed": owed, "currency": currency, "rate": rate, "rate_on": rate_on, "source": source}
        return service.propose_conversion(session, actor=current_actor(), now=now(), **facts)  # type: ignore[arg-type]

    message = _("Proposed. Another person compares the rate and books it.")
    return _carry_out(entry, act, message, "console_treasury.conversions", _conversions, "amount")


@blueprint.post("/conversions/<uuid:conversion_id>")
@access("approver")
def decide_conversion(conversion_id: UUID) -> ResponseReturnValue:
    """Let a debt change its currency or decline it."""
    agreed = acting.agreed()
    shared = {"conversion_id": conversion_id, "agreed": agreed}
    return acting.act(
        lambda session: service.decide_conversion(session, actor=current_actor(), now=now(), **shared),  # type: ignore[arg-type]
        _("Booked. It is owed in the other currency now.") if agreed else _("Declined."),
        url_for("console_treasury.conversions", open=conversion_id),
    )


@blueprint.post("/conversions/<uuid:conversion_id>/settle")
@access("approver")
def settle_conversion(conversion_id: UUID) -> ResponseReturnValue:
    """End a conversion with what the bank took for it."""
    entry = Entry(request.form)
    with unit_of_work() as session:
        currency = queries.conversion(session, conversion_id).owed.currency  # a foreign one is missing before its form is read
    given = entry.amount("given", currency)

    def act(session: Session) -> UUID:
        assert given is not None
        service.settle_conversion(session, actor=current_actor(), conversion_id=conversion_id, given=given, now=now())
        return conversion_id

    def again(form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
        return _conversions(form, errors, opened=conversion_id)

    return _carry_out(entry, act, _("Settled."), "console_treasury.conversions", again, "given")


def _currency() -> str:
    """Return the currency of the co-op's books."""
    with unit_of_work() as session:
        return producers.coop(session, current_coop()).currency


Again = Callable[[dict[str, str], dict[str, str]], ResponseReturnValue]


def _carry_out(
    entry: Entry, command: Callable[[Session], UUID], message: str, endpoint: str, page: Again, otherwise: str
) -> ResponseReturnValue:
    def run(session: Session) -> tuple[str, str]:
        return message, url_for(endpoint, open=command(session))

    return acting.carry_out(entry, run, again=lambda: page(dict(request.form), entry.errors), otherwise=otherwise)


def _fund(form: dict[str, str], errors: dict[str, str], opened: UUID | None = None) -> ResponseReturnValue:
    with unit_of_work() as session:
        coop = producers.coop(session, current_coop())
        standing = queries.fund(session, coop.id, coop.currency)
    shown = {"fund": standing, "coop": coop, "form": form, "errors": errors, "actor": current_actor()}
    return lists.answered(lists.show(FUND, "console/treasury/fund.html", opened=opened, **shown), errors)


def _conversions(form: dict[str, str], errors: dict[str, str], opened: UUID | None = None) -> ResponseReturnValue:
    with unit_of_work() as session:
        coop = producers.coop(session, current_coop())
        facts = {
            "position": queries.fx_position(session, coop.id),
            "members": [(member.id, member.name) for member in producers.producers_of(session, coop_id=coop.id)],
        }
    shown = {"coop": coop, "form": form, "errors": errors, "actor": current_actor(), **facts}
    return lists.answered(lists.show(FX, "console/treasury/conversions.html", opened=opened, **shown), errors)
