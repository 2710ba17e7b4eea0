"""What a producer is owed and was paid, each payment with its statement, and the summary of a year."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app, render_template, request, stream_with_context
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound

from market.http.auth import NotYours, access, current_actor, current_coop
from market.http.clock import now, today
from market.http.db import unit_of_work
from market.http.downloads import download
from market.kernel.languages import tell
from market.kernel.money import Money
from market.kernel.sheets import csv_lines
from market.payables import queries as payables
from market.payouts import queries, service
from market.payouts.errors import PayoutNotFound
from market.payouts.ports import PayeeStatement, PayeeYear
from market.payouts.rules.schedule import next_day
from market.payouts.rules.short import Told, statement_text
from market.producers import queries as producers
from market.reports.queries import payees
from market.treasury.community_queries import holder_of

blueprint = Blueprint("producer_money", __name__, url_prefix="/producer/money")


@blueprint.get("")
@access("producer")
def index() -> ResponseReturnValue:
    """Show what is owed, what is on its way, what was paid."""
    producer_id = _me()
    with unit_of_work() as session:
        totals = payables.owed_to(session, producer_id)
        owed = [row for row in payables.payables_of(session, producer_id) if row.state in payables.LIVE]
        page = queries.payouts_of_payee(session, producer_id, cursor=request.args.get("cursor"))
        coop = producers.coop(session, current_coop())
        years = payees.years_of(session, coop_id=coop.id, producer_id=producer_id, until=today(coop.time_zone).year)
        kept = queries.settings_of(session, coop.id)
        community = holder_of(session, producer_id) is not None
    waits = any(row.open.currency == coop.currency and 0 < row.open.minor < kept.minimum_minor for row in totals)
    least = Money(kept.minimum_minor, coop.currency) if waits else None
    runs_on = next_day(kept, today(coop.time_zone))
    shown = {"totals": totals, "owed": owed, "page": page, "years": years, "least": least, "runs_on": runs_on}
    return render_template("producer/money.html", **shown, community=community)


@blueprint.get("/<uuid:payout_id>")
@access("producer")
def payment(payout_id: UUID) -> ResponseReturnValue:
    """Show one payment: what was paid for, what was kept back, and the text that says it in one message."""
    with unit_of_work() as session:
        found = queries.payout(session, payout_id)
        if found.payee_id != _me():
            raise PayoutNotFound("There is no such payment here.")
        facts = queries.payee_statement(session, payout_id)
    return render_template("producer/payment.html", payout=found, facts=facts, text=statement_text(_told(facts), facts.language))


@blueprint.get("/<uuid:payout_id>/statement")
@access("producer")
def statement(payout_id: UUID) -> ResponseReturnValue:
    """Give the statement of one payment as PDF; printed once, the same bytes ever after.

    While the payment counts as come back, what is given says so, and what was kept of it when it arrived stays as it is.
    """
    with unit_of_work() as session:
        found = queries.payout(session, payout_id)
        if found.payee_id != _me():
            raise PayoutNotFound("There is no such payment here.")
        body = None if found.state == "returned" else queries.printed_statement(session, payout_id)
        facts = None if body else queries.payee_statement(session, payout_id)
    if facts is not None:
        body = current_app.extensions["ports"].documents.payee_statement(facts)
        if not facts.came_back:
            with unit_of_work() as session:
                body = service.keep_statement(session, payout_id=payout_id, language=facts.language, body=body, now=now())
    return download(body or b"", name=f"{found.number}.pdf", content_type="application/pdf")


@blueprint.get("/years/<int:year>")
@access("producer")
def year(year: int) -> ResponseReturnValue:
    """Show a year by quarters: earned, kept back, paid; `format=pdf` and `format=csv` give it as a file."""
    with unit_of_work() as session:
        coop = producers.coop(session, current_coop())
        years = payees.years_of(session, coop_id=coop.id, producer_id=_me(), until=today(coop.time_zone).year)
        if year not in years:
            raise NotFound
        facts = payees.year_of(session, coop_id=coop.id, producer_id=_me(), year=year)
    match request.args.get("format"):
        case "pdf":
            body = current_app.extensions["ports"].documents.payee_year(facts)
            return download(body, name=f"{year}.pdf", content_type="application/pdf")
        case "csv":
            return _sheet(facts)
    return render_template("producer/year.html", facts=facts, years=years)


def _sheet(facts: PayeeYear) -> Response:
    headings = [_("Currency"), _("What"), "Q1", "Q2", "Q3", "Q4", _("Year")]

    def rows() -> Iterator[Sequence[Any]]:
        for part in facts.sections:
            for line in (*part.earned, *part.kept, part.paid):
                what = tell(line.text, facts.language)
                yield [part.currency, what, *(amount.decimal for amount in (*line.quarters, line.total))]

    headers = {"Content-Disposition": f'attachment; filename="{facts.year}.csv"', "Cache-Control": "private, no-store"}
    answer = stream_with_context(csv_lines(headings, rows()))
    return Response(answer, content_type="text/csv; charset=utf-8", headers=headers)


def _told(facts: PayeeStatement) -> Told:
    return Told(facts.coop_name, facts.gross, facts.paid, facts.paid_on, facts.reference)


def _me() -> UUID:
    producer_id = current_actor().producer_id
    if producer_id is None:
        raise NotYours("This needs a producer, and your account is none.")
    return producer_id
