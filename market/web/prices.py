"""The public page of the price check: a form, and the result in words with the row it rests on."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from market.http.auth import access
from market.http.clock import today
from market.http.db import unit_of_work
from market.http.entry import Entry
from market.http.i18n import countries, show_unit, told
from market.kernel.money import EXPONENTS
from market.pricing import queries, service
from market.pricing.rules import UNITS, Goods
from market.pricing.rules.references import SCHEME_NAMES
from market.producers import queries as producers
from market.web.offer_form import INCOTERMS

blueprint = Blueprint("prices", __name__)
CLAIMS = [(code, SCHEME_NAMES[code]) for code in ("fairtrade", "fairtrade_usa", "spp", "wfto")]


@blueprint.app_template_filter("scheme")
def scheme_words(code: str) -> str:
    """Return a scheme's name as people write it; what a person entered by hand stays."""
    return told(SCHEME_NAMES.get(code, code))


@blueprint.get("/co-op-floors")
@access("public")
def coop_floors() -> ResponseReturnValue:
    """Show what co-ops decided as the least price of their goods, with all inputs and sources."""
    with unit_of_work() as session:
        floors = queries.all_coop_floors(session)
        names = {coop.id: coop.name for coop in producers.coops(session)}
    return render_template("prices/floors.html", floors=floors, names=names, today=today())


@blueprint.get("/price-check")
@access("public")
def price_check() -> ResponseReturnValue:
    """Show the form, and the verdict once a product and a price are asked for; the address can be shared."""
    entry, said, status = Entry(request.args), None, 200
    with unit_of_work() as session:
        if "product" in request.args:
            goods = Goods(
                product=entry.text("product", limit=100),
                variety=entry.text("variety", required=False, limit=100),
                form=entry.text("form", required=False, limit=100),
                quality=entry.choice("quality", ("conventional", "organic"), default="conventional"),
                origin_country=entry.text("origin", required=False, limit=2).upper(),
                incoterm=entry.text("incoterm", required=False, limit=20),
            )
            price, quantity = entry.decimal("price"), entry.decimal("quantity")
            currency = entry.choice("currency", EXPONENTS)
            unit = entry.text("unit", limit=40)
            on = entry.day("on", required=False) or today()
            claims = [code for code in request.args.getlist("claims") if code in dict(CLAIMS)]
            if entry.errors or price is None or quantity is None:
                status = 422
            else:
                said = service.check_price(
                    session, goods=goods, unit_price=price, unit=unit, currency=currency, quantity=quantity, on=on, claims=claims
                )
        products = queries.products(session)
    page = render_template(
        "prices/check.html",
        form=request.args,
        chosen=request.args.getlist("claims") if "product" in request.args else ["fairtrade"],
        errors=entry.errors,
        said=said,
        products=products,
        units=[(code, show_unit(code, 1).replace("_", " ")) for code in UNITS],
        claims=CLAIMS,
        countries=countries(),
        incoterm_options=INCOTERMS,
        today=today(),
    )
    return page, status
