"""Market prices and exchange rates, each with its source."""

from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.console import lists as desk
from market.console import words
from market.console.acting import carry_out
from market.console.earning_lists import DAYS
from market.console.lists import Column, Desk, Filter
from market.console.prices.base import UNIT_OPTIONS, blueprint
from market.http.asking import asked
from market.http.auth import access, current_actor
from market.http.clock import now, today
from market.http.db import unit_of_work
from market.http.entry import Entry
from market.http.i18n import show_quantity, show_unit_price
from market.pricing import queries, service
from market.pricing.rules import UNITS
from market.reports.queries import desks, lists


def _pane(session: Session, quote_id: UUID) -> dict[str, Any]:
    record = lists.one(session, QUOTES.source(desk.viewer(session)), quote_id)
    return {"record": record, "history": desks.history(session, "market_quote", quote_id)} if record else {}


def _price(row: Any) -> str:
    """A price with its differential, for one unit."""
    price = show_unit_price(row.price, row.currency)
    added = f" + {show_unit_price(row.addition, row.currency)}" if row.addition else ""
    return f"{price}{added} / {row.unit.replace('_', ' ')}"


QUOTES = Desk(
    name="quotes",
    title=_l("Market prices"),
    endpoint="console_prices.quotes",
    source=desks.quotes,
    columns=(
        Column("market", _l("Market"), "link"),
        Column("price", _l("Price"), "number", make=_price),
        Column("addition_label", _l("Differential")),
        Column("quoted_on", _l("Day"), "day"),
        Column("source_name", _l("Source")),
        Column("checked", _l("Checked"), "state", words.QUOTES),
    ),
    filters=(
        Filter("q", _l("Market or source")),
        Filter("checked", _l("Checked"), "choice", words.options(words.QUOTES)),
        *DAYS,
    ),
    sortings=(("newest", _l("newest first")), ("market", _l("by market"))),
    pane=_pane,
    empty=_l("Enter the price of the day with its source."),
)
RATES = Desk(
    name="rates",
    title=_l("Exchange rates"),
    endpoint="console_prices.rates",
    source=desks.rates,
    columns=(
        Column("pair", _l("Pair"), "link"),
        Column("rate", _l("Rate"), "number", make=lambda row: show_quantity(row.rate)),
        Column("rate_on", _l("Day"), "day"),
        Column("source_name", _l("Source")),
        Column("entered_at", _l("Entered"), "instant"),
    ),
    filters=(Filter("q", _l("Source")), Filter("currency", _l("Currency")), *DAYS),
    kind="fx_evidence",
    empty=_l("Enter what one currency is worth in another, with its source."),
)


@blueprint.get("/market-prices")
@access("staff")
def quotes() -> ResponseReturnValue:
    """List market prices with their sources, the newest day first, with the form for a new one."""
    return _quotes_page({}, {})


def _quotes_page(form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    day = today()
    with unit_of_work() as session:
        wanted, counting = queries.wanted_markets(session, day), queries.counting_quotes(session)
    facts = {"wanted": wanted, "counting": counting, "units": UNIT_OPTIONS, "me": current_actor().label}
    page = desk.show(QUOTES, "console/prices/quotes.html", form=form, errors=errors, today=day, **facts)
    return desk.answered(page, errors)


@blueprint.get("/exchange-rates")
@access("staff")
def rates() -> ResponseReturnValue:
    """List exchange rates with their sources, the newest day first, with the form for a new one."""
    return _rates_page({}, {})


def _rates_page(form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    page = desk.show(RATES, "console/prices/rates.html", form=form, errors=errors, today=today())
    return desk.answered(page, errors)


@blueprint.post("/market-prices")
@access("staff")
def enter_quote() -> ResponseReturnValue:
    """Enter a market price with its source."""
    entry = Entry(request.form)
    values: dict[str, Any] = {
        "market": entry.text("market", limit=60),
        "price": entry.decimal("price"),
        "addition": entry.decimal("addition", required=False, zero=True) or Decimal(0),
        "addition_label": entry.text("addition_label", required=False, limit=60),
        "unit": entry.choice("unit", UNITS),
        "currency": entry.text("currency", limit=3).upper(),
        "quoted_on": entry.day("quoted_on"),
        "source_name": entry.text("source_name"),
    }

    def command(session: Session) -> tuple[str, str]:
        service.enter_quote(session, **values, actor=current_actor(), now=now())
        return _("The market price is entered."), url_for("console_prices.quotes")

    return carry_out(entry, command, again=lambda: _quotes_page(dict(request.form), entry.errors), otherwise="market")


@blueprint.post("/market-prices/<uuid:quote_id>/check")
@access("approver")
def check_quote(quote_id: UUID) -> ResponseReturnValue:
    """Say as the second person that a market price agrees with its source."""
    with unit_of_work() as session:
        service.check_quote(session, quote_id=quote_id, actor=current_actor(), now=now())
    flash(_("Checked."), "good")
    return redirect(url_for("console_prices.quotes"), 303)


@blueprint.post("/market-prices/rates")
@access("staff")
def enter_rate() -> ResponseReturnValue:
    """Enter an exchange rate with its source."""
    entry = Entry(request.form)
    values: dict[str, Any] = {
        "base": entry.text("base", limit=3).upper(),
        "quote": entry.text("quote", limit=3).upper(),
        "rate": entry.decimal("rate"),
        "rate_on": entry.day("rate_on"),
        "source_name": entry.text("rate_source"),
    }
    if not entry.errors and (question := _asked_rate(values)):
        return question

    def command(session: Session) -> tuple[str, str]:
        service.enter_rate(session, **values, actor=current_actor(), now=now())
        return _("The rate is entered."), url_for("console_prices.rates")

    return carry_out(entry, command, again=lambda: _rates_page(dict(request.form), entry.errors), otherwise="rate")


def _asked_rate(values: dict[str, Any]) -> ResponseReturnValue | None:
    """Ask once more about a rate far from the one before: a point too many, or the two currencies the wrong way round."""
    with unit_of_work() as session:
        before = queries.rate_before(session, base=values["base"], quote=values["quote"])
    if before is None or before / 2 < values["rate"] < before * 2:
        return None
    facts = [
        (_("Pair"), f"{values['base']} → {values['quote']}"),
        (_("Rate"), show_quantity(values["rate"])),
        (_("Rate before"), show_quantity(before)),
    ]
    consequence = _("It is far from the one before it. It decides at once about the prices of offers in these currencies.")
    again = partial(_rates_page, dict(request.form), {})
    return asked(_("Is this rate right?"), facts, consequence, _("Yes, it is so"), again=again)
