"""The staff's first page: what waits for somebody, by age and amount, and who sees to it; and the search over everything."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from market.console import account_words, lists, words
from market.console.lists import Column, Desk, Filter, Words
from market.http.auth import access, current_coop
from market.http.clock import today
from market.http.db import unit_of_work
from market.http.i18n import told
from market.payouts.rules.numbers import payout_number, run_number
from market.pricing import queries as prices
from market.producers import queries as producers
from market.reports.queries import finding, tasks

blueprint = Blueprint("console", __name__, url_prefix="/console")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of task: its words, where one of them is worked off (`by` names the argument that takes its id), and how urgent."""

    words: Any
    endpoint: str
    by: str = ""
    urgent: bool = False
    filters: Mapping[str, str] = field(default_factory=dict)


KINDS: dict[str, Kind] = {
    "complaint": Kind(_l("Buyers who say that something is wrong"), "console_orders.detail", "seller_order_id", urgent=True),
    "order_problem": Kind(_l("Paid orders without goods"), "console_orders.detail", "seller_order_id", urgent=True),
    "refund_problem": Kind(_l("Refunds that came back"), "console_payments.refunds", "open", urgent=True),
    "dispute_waits": Kind(_l("Disputes to answer"), "console_disputes.detail", "dispute_id", urgent=True),
    "payout_person": Kind(_l("Payouts that need a person"), "console_payouts.payout", "payout_id", urgent=True),
    "payout_unseen": Kind(_l("Payouts sent, and on no statement"), "console_payouts.run", "run_id", urgent=True),
    "run_stuck": Kind(_l("Approved payouts that do not go out"), "console_payouts.run", "run_id", urgent=True),
    "payable_overdue": Kind(_l("Owed and overdue"), "console_payouts.overview", urgent=True),
    "account_missing": Kind(_l("Payees who are owed and have no account"), "console_people.member", "producer_id"),
    "cheque_stale": Kind(_l("Cheques that nobody cashed"), "console_payouts.payout", "payout_id"),
    "run_draft": Kind(_l("Payout runs to approve"), "console_payouts.run", "run_id"),
    "file_waits": Kind(_l("Bank files to give to the bank"), "console_payouts.run", "run_id"),
    "booking_proposed": Kind(_l("Bookings to accept or decline"), "console_matching.index", "open"),
    "refund_by_bank": Kind(_l("Refunds to send by bank"), "console_payments.refunds", "open"),
    "order_to_pack": Kind(
        _l("Cards about to let go of the money, or that refuse"), "console_orders.detail", "seller_order_id", urgent=True
    ),
    "order_late": Kind(_l("Paid orders not sent for three days"), "console_orders.detail", "seller_order_id"),
    "lines": Kind(_l("Statement lines to explain"), "console_statements.desk", "account_id"),
    "file_draft": Kind(_l("Statement files that wait for a decision"), "console_statements.file", "file_id"),
    "close_prepared": Kind(_l("Periods to close as the second person"), "console_statements.close", "close_id"),
    "reopening_proposed": Kind(_l("Closed periods that somebody wants to open again"), "console_statements.close", "close_id"),
    "opening_proposed": Kind(_l("Opening balances to book or decline"), "console_opening.index", "open"),
    "account_name": Kind(_l("Accounts under another name"), "console_people.payee_accounts", urgent=True),
    "account_waits": Kind(_l("Accounts to confirm"), "console_people.payee_accounts"),
    "certificate_entered": Kind(_l("Certificates to check"), "console_people.certificates"),
    "certificate_ends": Kind(_l("Certificates that end within 60 days"), "console_people.certificates"),
    "seller_facts": Kind(
        _l("Sellers without their details for the tax office"), "console_sellers.index", filters={"missing": "yes", "year": ""}
    ),
}

DESK = Desk(
    name="tasks",
    title=_l("Today"),
    endpoint="console.home",
    source=tasks.tasks,
    columns=(
        Column("kind", _l("What"), words={code: (kind.words, "") for code, kind in KINDS.items()}),
        Column("number", _l("Number"), make=lambda row: _number(row.kind, row.number)),
        Column("words", _l("Who or what"), make=lambda row: _about(row.kind, row.words or "")),
        Column("amount_minor", _l("Amount"), "money"),
        Column("since", _l("Waits since"), "instant"),
        Column("owner", _l("Who sees to it")),
    ),
    filters=(
        Filter("kind", _l("What"), "choice", tuple((code, kind.words) for code, kind in KINDS.items())),
        Filter("owner", _l("Who sees to it"), "choice", (("mine", _l("I")), ("free", _l("nobody yet")))),
        Filter("q", _l("Name or number")),
    ),
    sortings=(("oldest", _l("oldest first")), ("largest", _l("largest amount first"))),
    empty=_l("Everything is packed, paid, explained and checked."),
    counted=False,
)


@blueprint.get("")
@access("staff")
def home() -> ResponseReturnValue:
    """Show what waits today."""
    with unit_of_work() as session:
        who = lists.viewer(session)
        coop = producers.coop(session, current_coop())
        on = today(coop.time_zone)
        counts = tasks.counts(session, who)
        owed = counts.pop("owed", 0)
        missing = sum(not row.fresh for row in prices.wanted_markets(session, on))
        review, imports = prices.rows_to_review(session), prices.imports_to_decide(session)
        members = producers.member_count(session, coop_id=coop.id)
    facts = {"owed": owed, "missing": missing, "review": review, "imports": imports, "members": members}
    desk = replace(DESK, source=partial(tasks.tasks, kinds=counts.keys()))
    return lists.show(desk, "console/today.html", coop=coop, on=on, counts=counts, kinds=KINDS, facts=facts, href=_href)


NUMBERS = {"run": run_number, "run_draft": run_number, "payout": payout_number, "payout_person": payout_number}


def _number(kind: str, number: str) -> str:
    """Return the number of a task or of what was found as it is printed."""
    return NUMBERS[kind](int(number)) if kind in NUMBERS else number


def _about(kind: str, said: str) -> str:
    """Return what a task is about, in the reader's language."""
    return account_words.handed_over(said) if kind == "opening_proposed" else told(said)


def _href(row: Any) -> str:
    """Return where a task is worked off."""
    kind = KINDS[row.kind]
    values: dict[str, Any] = {kind.by: row.id} if kind.by else dict(kind.filters)
    if "year" in values:
        values["year"] = row.since.year
    return url_for(kind.endpoint, **values)


@blueprint.get("/search")
@access("staff")
def search() -> ResponseReturnValue:
    """Find anything by number, name or amount; the only thing that is found is opened at once."""
    text = request.args.get("q", "").strip()[:100]
    with unit_of_work() as session:
        groups = finding.everything(session, lists.viewer(session), text) if text else []
    found = [(group.kind, hit) for group in groups for hit in group.hits]
    if len(found) == 1:
        ((kind, hit),) = found
        endpoint, argument, *_words = PLACES[kind]
        values: dict[str, Any] = {argument: hit.id}
        return redirect(url_for(endpoint, **values), 303)
    return render_template("console/search.html", text=text, groups=groups, places=PLACES, number=_number)


PLACES: dict[str, tuple[str, str, Any, Words]] = {
    "order": ("console_orders.detail", "seller_order_id", _l("Orders"), words.ORDERS),
    "payment": ("console_orders.detail", "seller_order_id", _l("Payments"), {}),
    "run": ("console_payouts.run", "run_id", _l("Payout runs"), words.RUNS),
    "payout": ("console_payouts.payout", "payout_id", _l("Payouts"), words.PAYOUTS),
    "refund": ("console_payments.refunds", "open", _l("Refunds"), words.REFUNDS),
    "invoice": ("console_orders.detail", "seller_order_id", _l("Invoices"), {}),
    "line": ("console_statements.line", "line_id", _l("Statement lines"), words.LINES),
    "member": ("console_people.member", "producer_id", _l("Members"), {}),
    "person": ("console_records.people", "q", _l("People"), {}),
    "listing": ("offers.edit", "listing_id", _l("Listings"), words.LISTINGS),
    "lot": ("console_lots.detail", "lot_id", _l("Lots"), words.LOTS),
}
"""Where a thing that was found is looked at: endpoint, argument that takes its id, words of its kind and of its states."""
