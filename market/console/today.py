"""The staff's first page: what waits for somebody, most urgent first; what does not wait is named in one line."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from market.http.auth import access, current_actor, current_coop
from market.http.clock import now, today
from market.http.db import unit_of_work
from market.kernel.actor import Actor
from market.orders import queries as orders
from market.payables import queries as payables
from market.payments import queries as payments
from market.payouts import queries as payouts
from market.pricing import queries as prices
from market.producers import queries as producers
from market.producers.queries import CoopView
from market.producers.rules import CERTIFICATE_WARNING
from market.statements import queries as statements

blueprint = Blueprint("console", __name__, url_prefix="/console")


@dataclass(frozen=True, slots=True)
class Task:
    """Something that may wait: how often it does, in words, and the page (`only` filters it) where it is worked off."""

    words: str
    count: int
    endpoint: str
    urgent: bool = False
    only: dict[str, str] = field(default_factory=dict)


@blueprint.get("")
@access("staff")
def home() -> ResponseReturnValue:
    """Show what waits today."""
    actor, coop_id, instant = current_actor(), current_coop(), now()
    with unit_of_work() as session:
        coop = producers.coop(session, coop_id)
        on = today(coop.time_zone)
        tasks = [
            *_orders(session, coop),
            *_money(session, coop, instant),
            *_bank(session, coop),
            *_people(session, coop, actor, on),
            *_prices(session, on),
        ]
        members = producers.member_count(session, coop_id=coop_id)
    waiting = sorted((task for task in tasks if task.count), key=lambda task: not task.urgent)
    done = [task for task in tasks if not task.count]
    return render_template("console/today.html", coop=coop, on=on, waiting=waiting, done=done, members=members)


def _orders(session: Session, coop: CoopView) -> Iterator[Task]:
    counts = orders.seller_orders_by_state(session, coop_id=coop.id)
    yield Task(_("Paid orders without goods"), counts.pop("problem", 0), "console_orders.index", urgent=True)
    yield Task(_("Orders to pack and send"), counts.get("paid", 0), "console_orders.index", only={"state": "paid"})


def _money(session: Session, coop: CoopView, instant: datetime) -> Iterator[Task]:
    alarms = payouts.alarms(session, now=instant, coop_id=coop.id)
    runs = payouts.runs(session, coop_id=coop.id).items
    owed = [row for row in payables.totals_by_payee(session, coop.id) if row.open.minor]
    refunds = [row for row in payments.hanging_refunds(session, coop_id=coop.id) if row.state in ("failed", "needs_person")]
    yield Task(_("Payouts that need a person"), sum(row.count for row in alarms), "console_payouts.overview", urgent=True)
    yield Task(_("Refunds that came back"), len(refunds), "console_payments.index", urgent=True)
    yield Task(_("Payout runs to approve"), sum(run.state == "draft" for run in runs), "console_payouts.overview")
    yield Task(_("Producers who are owed money"), len(owed), "console_payouts.overview")
    yield Task(_("Buyers with money in credit"), len(payments.buyer_credits(session, coop_id=coop.id)), "console_payments.index")


def _bank(session: Session, coop: CoopView) -> Iterator[Task]:
    accounts = statements.accounts(session, coop_id=coop.id)
    lines = sum(statements.figures(session, account.id).open_lines for account in accounts)
    closes = [close for close in statements.closes(session, coop_id=coop.id) if close.state == "prepared"]
    yield Task(_("Statement lines to explain"), lines, "console_statements.accounts")
    yield Task(_("Periods to close as the second person"), len(closes), "console_statements.closes")


def _people(session: Session, coop: CoopView, actor: Actor, on: date) -> Iterator[Task]:
    waiting = producers.payee_accounts(session, actor=actor, waiting=True)
    certificates = producers.certificates(session, coop_id=coop.id)
    ending = [row for row in certificates if row.status == "active" and on <= row.valid_to <= on + CERTIFICATE_WARNING]
    yield Task(_("Certificates that end within 60 days"), len(ending), "console_people.certificates", urgent=True)
    yield Task(_("Accounts to confirm"), len(waiting), "console_people.payee_accounts")
    entered = sum(row.status == "entered" for row in certificates)
    yield Task(_("Certificates to check"), entered, "console_people.certificates")


def _prices(session: Session, on: date) -> Iterator[Task]:
    missing = sum(not row.fresh for row in prices.wanted_markets(session, on))
    yield Task(_("Market prices that are missing"), missing, "console_prices.quotes")
    yield Task(
        _("Rows of price tables to review"),
        prices.rows_to_review(session),
        "console_prices.references",
        only={"status": "needs_review"},
    )
