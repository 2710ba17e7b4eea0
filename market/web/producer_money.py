"""What a producer is owed and was paid, and the statement of each payment."""

from uuid import UUID

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue

from market.http.auth import NotYours, access, current_actor
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.downloads import download
from market.payables import queries as payables
from market.payouts import queries, service
from market.payouts.errors import PayoutNotFound

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
    return render_template("producer/money.html", totals=totals, owed=owed, page=page)


@blueprint.get("/<uuid:payout_id>/statement")
@access("producer")
def statement(payout_id: UUID) -> ResponseReturnValue:
    """Give the statement of one payment as PDF; printed once, the same bytes ever after."""
    with unit_of_work() as session:
        found = queries.payout(session, payout_id)
        if found.payee_id != _me():
            raise PayoutNotFound("There is no such payment here.")
        body = queries.printed_statement(session, payout_id)
        facts = None if body else queries.payee_statement(session, payout_id)
    if facts is not None:
        printed = current_app.extensions["ports"].documents.payee_statement(facts)
        with unit_of_work() as session:
            body = service.keep_statement(session, payout_id=payout_id, language=facts.language, body=printed, now=now())
    return download(body or b"", name=f"{found.number}.pdf", content_type="application/pdf")


def _me() -> UUID:
    producer_id = current_actor().producer_id
    if producer_id is None:
        raise NotYours("This needs a producer, and your account is none.")
    return producer_id
