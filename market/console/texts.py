"""The statements of payments as text messages, for staff to copy or to send from a phone of the co-op."""

from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from market.console import lists
from market.console.lists import Column, Desk, Filter
from market.http.auth import access
from market.kernel.money import Money
from market.payouts.rules.numbers import payout_number
from market.payouts.rules.short import Told, statement_text
from market.reports.queries import payees

blueprint = Blueprint("console_texts", __name__, url_prefix="/console/payouts/texts")


def _text(row: Any) -> str:
    gross, paid = Money(row.gross_minor, row.currency), Money(row.amount_minor, row.currency)
    return statement_text(Told(row.coop, gross, paid, row.settled_on, row.reference), row.language)


TEXTS = Desk(
    name="payment-texts",
    title=_l("Texts about payments"),
    endpoint="console_texts.index",
    source=payees.texts,
    columns=(
        Column("number", _l("Number"), make=lambda row: payout_number(row.number)),
        Column("settled_on", _l("Arrived"), "day"),
        Column("payee", _l("Payee")),
        Column("phone", _l("Phone")),
        Column("text", _l("Text message"), make=_text),
    ),
    filters=(
        Filter("q", _l("Payee")),
        Filter("phone", _l("Phone"), "choice", (("yes", _l("known")), ("no", _l("not known")))),
        Filter("from", _l("From"), "day"),
        Filter("to", _l("To"), "day"),
    ),
    lead=_l(
        "One message for each payment that arrived, in the payee's language: copy it, send it from a phone, or take the file."
    ),
    empty=_l("Nobody was paid yet."),
)


@blueprint.get("")
@access("staff")
def index() -> ResponseReturnValue:
    """List the texts, newest payment first; as a file they are what a sender of texts reads."""
    return lists.show(TEXTS, "console/payouts/texts.html")
