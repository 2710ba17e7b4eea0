"""The staff's first page: what waits for somebody, with the number, the money and the place where it is worked off."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from market.http.auth import access, current_actor, current_coop
from market.http.clock import now, today
from market.http.db import unit_of_work
from market.http.i18n import show_minor
from market.kernel.actor import Actor
from market.orders import queries as orders
from market.payables import queries as payables
from market.payments import queries as payments
from market.payouts import queries as payouts
from market.producers import queries as producers
from market.producers.queries import CoopView
from market.producers.rules import CERTIFICATE_WARNING
from market.statements import queries as statements

blueprint = Blueprint("console", __name__, url_prefix="/console")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A heap of work: its words, how much, where, and whether it is late already."""

    label: str
    value: str
    href: str
    late: bool = False


@blueprint.get("")
@access("staff")
def home() -> ResponseReturnValue:
    """Show what waits today, and the figures of the co-op."""
    actor, coop_id = current_actor(), current_coop()
    with unit_of_work() as session:
        coop = producers.coop(session, coop_id)
        on = today(coop.time_zone)
        waiting = [*_people(session, actor, coop, on), *_orders(session), *_money(session, coop, on)]
        owed = payables.totals_by_payee(session, coop_id)
        totals: dict[str, int] = {}
        for row in owed:
            totals[row.open.currency] = totals.get(row.open.currency, 0) + row.open.minor
        members = producers.member_count(session, coop_id=coop_id)
    return render_template(
        "console/today.html",
        coop=coop,
        on=on,
        waiting=waiting,
        members=members,
        owed=sorted((currency, minor) for currency, minor in totals.items() if minor),
    )


def _people(session: Session, actor: Actor, coop: CoopView, on: date) -> Iterator[Waiting]:
    accounts = len(producers.payee_accounts(session, actor=actor, waiting=True))
    if accounts:
        yield Waiting(_("Accounts to confirm"), str(accounts), url_for("console_people.payee_accounts"))
    certificates = producers.certificates(session, coop_id=coop.id)
    unchecked = sum(1 for certificate in certificates if certificate.status == "entered")
    if unchecked:
        yield Waiting(_("Certificates to check"), str(unchecked), url_for("console_people.certificates"))
    live = [certificate for certificate in certificates if certificate.status == "active" and certificate.valid_to >= on]
    ending = sum(1 for certificate in live if certificate.valid_to <= on + CERTIFICATE_WARNING)
    if ending:
        yield Waiting(_("Certificates that end within 60 days"), str(ending), url_for("console_people.certificates"), late=True)


def _orders(session: Session) -> Iterator[Waiting]:
    page = orders.seller_orders(session, states=("paid",))
    if page.items:
        count = f"{len(page.items)}{'+' if page.next_cursor else ''}"
        yield Waiting(_("Paid orders to send"), count, url_for("console_orders.index", state="paid"))


def _money(session: Session, coop: CoopView, on: date) -> Iterator[Waiting]:
    drafts = sum(1 for run in payouts.runs(session, coop_id=coop.id).items if run.state == "draft")
    if drafts:
        yield Waiting(_("Payout runs to approve"), str(drafts), url_for("console_payouts.overview"))
    stuck = sum(alarm.count for alarm in payouts.alarms(session, now=now(), coop_id=coop.id))
    if stuck:
        yield Waiting(_("Payouts that wait too long"), str(stuck), url_for("console_payouts.overview"), late=True)
    for coop_id, currency, _count, minor, _since in payables.overdue(session, on=on):
        if coop_id == coop.id:
            yield Waiting(
                _("Owed to producers and overdue"), show_minor(minor, currency), url_for("console_payouts.overview"), late=True
            )
    lines = sum(statements.figures(session, account.id).open_lines for account in statements.accounts(session, coop_id=coop.id))
    if lines:
        yield Waiting(_("Bank lines to explain"), str(lines), url_for("console_statements.accounts"))
    hanging = len(payments.hanging_refunds(session, coop_id=coop.id)) + len(payments.buyer_credits(session, coop_id=coop.id))
    if hanging:
        yield Waiting(_("Buyers who wait for their money"), str(hanging), url_for("console_payments.index"), late=True)
