"""What anybody may look up without an account: a lot by its code, the rules with their sources, who is behind a co-op, figures.

No page here sets a cookie or knows who reads it.
"""

import re
import unicodedata
from datetime import date

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from market.http.auth import access
from market.http.clock import today
from market.http.db import reading, unit_of_work
from market.orders.rules import CONFIRM_DAYS, PAY_DAYS
from market.pricing import queries as pricing
from market.pricing.rules.references import SCHEME_NAMES
from market.producers import queries as producers
from market.provenance import queries as provenance
from market.provenance.errors import LotMissing
from market.provenance.rules.identifiers import canonical_slug
from market.reports.queries.public_figures import figures
from market.web.trace import PARTS

blueprint = Blueprint("citizen", __name__)

RULES = (
    ("R-01", _l("The price is never below the scheme's minimum, and never below the market where the market stands higher.")),
    ("R-02", _l("The premium is paid on top, whole, to the members' own fund. No fee, discount or refund is taken out of it.")),
    ("R-03", _l("The row of the table that counts is the one in force on the day of the order or contract.")),
    ("R-04", _l("For organic goods the organic differential is added on top of the higher of minimum and market.")),
    ("R-05", _l("Whether a stated price includes the premium must be said; price, premium and total are always shown apart.")),
    ("R-07", _l("Where no table has a premium, the scheme's default share of the price is paid as premium.")),
    ("R-08", _l("Where a law or a state board sets a price, that price holds, whatever the goods are called.")),
    ("R-11", _l("Prices per kilo and per pound are compared by the exact factor, never by a rounded one.")),
    ("R-16", _l("The co-op's service and the cost of paying come on top of the producer's price, never out of it.")),
    ("R-20", _l("What a family needs to live on is shown beside the price where somebody has published it; it informs.")),
    ("R-21", _l("A scheme's name may stand on goods only with a certificate that is valid on that day.")),
    ("COOP", _l("Where no table sets a minimum, the co-op's own body decides one from its costs; nothing is sold below it.")),
)


@blueprint.get("/lots")
@access("public")
def find_lot() -> ResponseReturnValue:
    """Find a lot by the code on its label, or by the address that its QR code holds."""
    typed = request.args.get("code", "").strip()[:300]
    error, status = "", 200
    if typed:
        slug = canonical_slug(_code(typed))
        if slug is None:
            error, status = _("This is no code of a lot. It has eleven letters and digits; one is probably mistyped."), 422
        elif not _known(slug):
            error, status = _("There is no lot with this code here. The code itself is well formed."), 404
        else:
            return redirect(url_for("trace.lot", slug=slug), 303)
    return render_template("citizen/find_lot.html", typed=typed, error=error), status


def _code(typed: str) -> str:
    """Return the code in what was typed, scanned or pasted: the last piece of an address, without spaces and dashes."""
    plain = unicodedata.normalize("NFKC", typed)  # some keyboards write wide letters
    piece = re.split(r"[?#]", plain)[0].rstrip("/").rsplit("/", 1)[-1]
    return re.sub(r"[\s\-.·]", "", piece)


def _known(slug: str) -> bool:
    with unit_of_work() as session:
        try:
            provenance.lot_by_slug(session, slug)
        except LotMissing:
            return False
    return True


@blueprint.get("/rules")
@access("public")
def rules() -> ResponseReturnValue:
    """Show the rules in plain words, and the rows of the tables that are in force today with their sources."""
    product = request.args.get("product", "").strip()[:60]
    on = today()
    with unit_of_work() as session:
        rows = [row.reference for row in pricing.references(session, status="active", product=product or None)]
        products = pricing.products(session)
        floors = pricing.all_coop_floors(session)
        names = {coop.id: coop.name for coop in producers.coops(session)}
    now = [
        row for row in rows if (row.valid_from is None or row.valid_from <= on) and (row.valid_to is None or row.valid_to >= on)
    ]
    return render_template(
        "citizen/rules.html",
        rules=RULES,
        rows=now,
        coming=[row for row in rows if row.valid_from is not None and row.valid_from > on],
        floors=floors,
        names=names,
        schemes=SCHEME_NAMES,
        product_options=[(one, one.replace("_", " ")) for one in products],
        product=product,
        today=on,
    )


@blueprint.get("/coops/<slug>/behind")
@access("public")
def behind(slug: str) -> ResponseReturnValue:
    """Show who is behind a co-op: its members, where it sits, what it claims, its own floors, where the money goes."""
    with unit_of_work() as session:
        coop = producers.coop_by_slug(session, slug)
        count = producers.member_count(session, coop_id=coop.id)
        on = today(coop.time_zone)
        certificates = producers.certificates_on(session, coop.id, None, on)
        floors = pricing.coop_floors(session, coop.id)
    first, after = _year_until(on)
    with reading() as connection:
        found = figures(connection, first=first, after=after, labels=_labels(), coop_id=coop.id)
    return render_template(
        "citizen/behind.html",
        coop=coop,
        count=count,
        certificates=certificates,
        floors=floors,
        figures=found,
        today=on,
        confirm_days=CONFIRM_DAYS,
        pay_days=PAY_DAYS,
    )


@blueprint.get("/figures")
@access("public")
def public_figures() -> ResponseReturnValue:
    """Show the figures of a month over all co-ops; `?month=2026-10` looks back."""
    this = today().replace(day=1)
    month = _month(request.args.get("month", "")) or this
    with reading() as connection:
        found = figures(connection, first=month, after=_next(month), labels=_labels())
    before = date(month.year - 1, 12, 1) if month.month == 1 else month.replace(month=month.month - 1)
    return render_template(
        "citizen/figures.html",
        figures=found,
        month=month,
        current=month == this,
        before=before,
        later=_next(month) if month < this else None,
    )


@blueprint.get("/log")
@access("public")
def log() -> ResponseReturnValue:
    """Say what can be checked from outside today, and what the public log will add."""
    return render_template("citizen/log.html")


@blueprint.get("/questions")
@access("public")
def questions() -> ResponseReturnValue:
    """Say whom to ask today, and what public questions with deadlines will add."""
    with unit_of_work() as session:
        return render_template("citizen/questions.html", coops=producers.coops(session))


def _labels() -> dict[str, str]:
    return {kind: str(words) for kind, words in PARTS.items()}


def _month(typed: str) -> date | None:
    """Return the first day of a month written as 2026-11; None for anything else, and for months to come."""
    if not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", typed):
        return None
    first = date.fromisoformat(f"{typed}-01")
    return first if first <= today() else None


def _next(month: date) -> date:
    return date(month.year + 1, 1, 1) if month.month == 12 else month.replace(month=month.month + 1)


def _year_until(on: date) -> tuple[date, date]:
    """Return the first day of the twelve months that end with the month of `on`, and the day after them."""
    after = _next(on.replace(day=1))
    return date(after.year - 1, after.month, 1), after
