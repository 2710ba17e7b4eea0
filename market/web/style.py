"""The parts that pages are made of, on one page: for those who build pages, and for tests of looks and contrast."""

from datetime import UTC, datetime
from decimal import Decimal

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound

from market.http.auth import access
from market.pricing import rules as prices

blueprint = Blueprint("style", __name__)
_WHEN = datetime(2026, 11, 25, 14, 30, tzinfo=UTC)


@blueprint.get("/style")
@access("public")
def parts() -> ResponseReturnValue:
    """Show every part with what it is called; in production there is no such page."""
    if current_app.extensions["settings"].env == "production":
        raise NotFound(_("There is no such page."))
    components = prices.breakdown(
        price=prices.Price(Decimal("3.25"), "EUR", "lb"),
        premium=prices.Price(Decimal("0.20"), "EUR", "lb"),
        organic_differential=prices.Price(Decimal("0.40"), "EUR", "lb"),
        quantity=Decimal(3),
        charges=prices.Charges(Decimal(6), 320, Decimal("1.5"), Decimal(7)),
    )
    return render_template("style.html", components=components, total=prices.sum_of(components), when=_WHEN)
