"""Market prices and exchange rates, each with its source."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from market.console.acting import carry_out
from market.console.prices.base import UNIT_OPTIONS, blueprint
from market.http.auth import access, current_actor
from market.http.clock import now, today
from market.http.db import unit_of_work
from market.http.entry import Entry
from market.pricing import queries, service
from market.pricing.rules import UNITS


@blueprint.get("/market-prices")
@access("staff")
def quotes() -> ResponseReturnValue:
    """Show market prices and exchange rates with their sources, and the forms for new ones."""
    return _quotes_page({}, {})


def _quotes_page(form: dict[str, str], errors: dict[str, str]) -> ResponseReturnValue:
    with unit_of_work() as session:
        quoted, rates, wanted = queries.quotes(session), queries.rates(session), queries.wanted_markets(session, today())
    page = render_template(
        "console/prices/quotes.html",
        quotes=quoted,
        rates=rates,
        wanted=wanted,
        form=form,
        errors=errors,
        units=UNIT_OPTIONS,
        today=today(),
        me=current_actor().label,
    )
    return page, 422 if errors else 200


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
    flash(_("Checked."), "success")
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

    def command(session: Session) -> tuple[str, str]:
        service.enter_rate(session, **values, actor=current_actor(), now=now())
        return _("The rate is entered."), url_for("console_prices.quotes")

    return carry_out(entry, command, again=lambda: _quotes_page(dict(request.form), entry.errors), otherwise="rate")
