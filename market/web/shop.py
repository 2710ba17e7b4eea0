"""The shop: catalogue with search and filters, one offer, and photos. The cards come ready-made from PostgreSQL."""

import math
import re
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.exceptions import NotFound

from market.catalogue import cards, queries
from market.catalogue.errors import ListingMissing, PriceFilterNeedsCurrency
from market.catalogue.fragments import measure
from market.catalogue.kinds import CATEGORIES
from market.catalogue.rules import Filters, is_orderable
from market.http import forms, own_texts
from market.http.auth import access, current_actor
from market.http.clock import today
from market.http.conditional import ready
from market.http.db import reading, unit_of_work
from market.http.i18n import language, show_least_price, show_typed, show_unit, show_unit_price, told
from market.kernel.words import N_, Unit, say
from market.pricing import queries as checks
from market.pricing import rules as prices
from market.pricing.rules.references import SCHEME_NAMES
from market.producers import queries as producers
from market.provenance import queries as provenance
from market.web import marks, near
from market.web.fresh import cards_page, newest_cards
from market.web.producers import coop_stories
from market.web.shares import arrives

blueprint = Blueprint("shop", __name__)
blueprint.add_app_template_global(marks.woven, "woven")
blueprint.add_app_template_global(marks.landscape, "landscape")

_MEDIA_KEY = re.compile(r"photos/[0-9a-f]{32}-(320|640|1280)\.webp")
_FIELDS = ("q", "category", "coop", "certificate", "currency", "price_from", "price_to")


@blueprint.get("/")
@access("public")
def home() -> Response:
    """Show what this is, what is new from field and workshop, and the co-ops, those near the reader first.

    Near a place that the reader names (`?place=`); without one, those of the country that their browser names.
    """
    with reading() as connection:
        kinds = queries.facets(connection)["category"]
    here, account_id = _country(), current_actor().account_id
    place = request.args.get("place", "").strip()[:80]
    with unit_of_work() as session:
        coops = producers.coops(session)
        followed = producers.followed(session, account_id) if account_id else set()
        stories = coop_stories(session, coops)
    point = near.find(place, coops) if place else None
    away = {coop.id: near.away_km(coop, point) for coop in coops} if point else {}
    page = render_template(
        "shop/home.html",
        cards=newest_cards(Filters()),
        kinds=[(_choice("category", kind)[1], url_for("shop.catalogue", category=kind.value), False) for kind in kinds],
        coops=sorted(coops, key=lambda coop: (coop.id not in followed, away.get(coop.id) or math.inf, coop.country != here))[:6],
        away=away,
        place=place,
        unknown=bool(place) and point is None,
        stories=stories,
        near=bool(away) or here in {coop.country for coop in coops},
    )
    return _as_page(page)


def _country() -> str | None:
    """Return the country that the reader's browser names with its language (de-AT), None where it names none."""
    tags = [tag.replace("_", "-").split("-") for tag in request.accept_languages.values()]
    return next((parts[-1].upper() for parts in tags if len(parts) > 1 and len(parts[-1]) == 2), None)


@blueprint.get("/shop")
@access("public")
def catalogue() -> Response:
    """Show the catalogue: search, filters, 24 cards."""
    filters, errors = _filters()
    with reading() as connection:
        try:
            found = cards_page(connection, filters, cursor=request.args.get("cursor"))
        except PriceFilterNeedsCurrency as refusal:
            errors["currency"] = told(refusal.detail)
            found = cards_page(connection, Filters(q=filters.q))
        facets = queries.facets(connection)
    chosen: dict[str, Any] = {name: request.args[name] for name in _FIELDS if request.args.get(name)}
    page = render_template(
        "shop/catalogue.html",
        cards=Markup(found.cards),  # noqa: S704 - escaped when the cards were made
        found=found,
        facets={name: [_choice(name, facet) for facet in values] for name, values in facets.items()},
        kinds=_kinds(facets["category"], chosen),
        said=_("Nothing found") if not found.cards else _("The list of goods has changed."),
        chosen=chosen,
        errors=errors,
        next_url=url_for("shop.catalogue", **chosen, cursor=found.next_cursor) if found.next_cursor else None,
        first_url=url_for("shop.catalogue", **chosen) if request.args.get("cursor") else None,
    )
    return _as_page(page, 422 if errors else 200)


def _as_page(page: str, status: int = 200) -> Response:
    """Return a page that a browser may keep and must ask about: what it shows depends on language and person."""
    if status != 200:
        return Response(page, status)
    public = current_actor().account_id is None and "session" not in request.cookies
    response = ready(page, content_type="text/html; charset=utf-8", cache=f"{'public' if public else 'private'}, no-cache")
    response.headers["Vary"] = "Accept-Language, Cookie"
    return response


def _kinds(facets: list[queries.Facet], chosen: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """Return the kinds of goods as links that keep what else was chosen."""
    rest: dict[str, Any] = {name: value for name, value in chosen.items() if name != "category"}
    now = chosen.get("category")
    everything = (_("All goods"), url_for("shop.catalogue", **rest), now is None)
    return [
        everything,
        *(
            (_choice("category", kind)[1], url_for("shop.catalogue", **rest, category=kind.value), kind.value == now)
            for kind in facets
        ),
    ]


def _choice(name: str, facet: queries.Facet) -> tuple[str, str]:
    value = facet.value.upper() if name == "currency" else facet.value
    known = {"certificate": SCHEME_NAMES, "category": CATEGORIES, "currency": {value: value}}.get(name, {})
    words = known.get(value) or value.replace("-", " ").title()
    return value, f"{told(words)} ({facet.listings})"


def _filters() -> tuple[Filters, dict[str, str]]:
    errors: dict[str, str] = {}
    args = request.args
    return Filters(
        q=args.get("q", "")[:200],
        category=args.get("category") or None,
        coop=args.get("coop") or None,
        certificate=args.get("certificate") or None,
        currency=args.get("currency") or None,
        price_from=_price("price_from", errors),
        price_to=_price("price_to", errors),
    ), errors


def _price(name: str, errors: dict[str, str]) -> Decimal | None:
    typed = request.args.get(name, "").strip()
    if not typed:
        return None
    try:
        value = forms.read_number(typed)
    except ValueError as refusal:
        errors[name] = told(forms.no_number(refusal, N_("Please enter the price as a number, for example 12.50.")))
        return None
    if not 0 <= value < 10**9:
        errors[name] = _("Please enter the price as a number, for example 12.50.")
        return None
    return value


@blueprint.get("/listings/<uuid:listing_id>")
@access("public")
def listing(listing_id: UUID) -> Response:
    """Show one offer: who gets what of its price, why the price holds, where it comes from, what is left."""
    with unit_of_work() as session:
        offer = queries.listing(session, listing_id)
        if not offer.for_sale:
            raise ListingMissing(_("This listing is not in the shop any more. Look for a similar one."))
        coop = producers.coop(session, offer.coop_id)
        producer = producers.producer(session, offer.producer_id)
        lot = provenance.lot(session, offer.lot_id)
        texts = producers.own_texts(session, ("listing", "producer", "lot"), [offer.id, producer.id, lot.id])
        stored = checks.checks_of(session, subject_kind="listing", subject_id=offer.id)
        certificates = producers.certificates_on(
            session, coop_id=offer.coop_id, producer_id=offer.producer_id, on=today(coop.time_zone)
        )
    quantity = _quantity(offer)
    charges = prices.Charges(coop.service_pct, coop.transport_minor_per_line, coop.payment_pct, coop.tax_pct)
    parts = cards.parts_of(offer, charges, quantity)
    total = prices.sum_of(parts)
    per_base, base = cards.comparison(total, quantity, offer.unit)
    page = render_template(
        "shop/listing.html",
        offer=offer,
        coop=coop,
        producer=producer,
        title=own_texts.versions(offer.title, texts[offer.id], "title"),
        description=own_texts.versions(offer.description, texts[offer.id]),
        story=own_texts.versions(producer.story, texts[producer.id]),
        lot=lot,
        lot_name=own_texts.versions(lot.name or lot.slug, texts[lot.id], "title"),
        quantity=quantity,
        typed_quantity=request.args.get("quantity") or show_typed(quantity),
        wrong_quantity=_wrong(request.args.get("quantity", ""), offer),
        parts=parts,
        total=total,
        per_base=per_base,
        base=base,
        measure=measure(quantity, offer.unit, language()),
        rungs=_rungs(offer),
        arrives=arrives(coop),
        checks=[check for check in stored if check.id in offer.check_ids],
        certificates=[row for row in certificates if row.scheme in offer.claims or row.kind in offer.claims],
        scheme_names=SCHEME_NAMES,
        photo=_photo(offer.photo),
    )
    return _as_page(page)


def _rungs(offer: queries.ListingView) -> list[tuple[str, float, str, str]]:
    """Return the producer's price beside what it is measured by, per unit, lowest first."""
    known = (
        (_("Market price"), offer.market_price, show_least_price, "market"),
        (_("Least fair price"), offer.floor_price, show_least_price, "floor"),
        (_("Producer's price"), offer.unit_price, show_unit_price, "price"),
    )
    rungs = [
        (words, float(price), f"{show(price, offer.currency)} / {show_unit(offer.unit, 1)}", kind)
        for words, price, show, kind in known
        if price is not None
    ]
    return sorted(rungs, key=lambda rung: rung[1])


def _quantity(offer: queries.ListingView) -> Decimal:
    """Return the quantity asked for in the address, or one step when it cannot be ordered so."""
    return _asked(request.args.get("quantity", ""), offer) or offer.order_step


def _asked(text: str, offer: queries.ListingView) -> Decimal | None:
    try:
        wanted = forms.read_number(text)
    except ValueError:
        return None
    return wanted if wanted < 10**6 and is_orderable(wanted, offer.order_step) else None


def _wrong(text: str, offer: queries.ListingView) -> str | None:
    """Return why the quantity in the address cannot be ordered."""
    if not text or _asked(text, offer):
        return None
    multiple = say("Please order a multiple of %(order_step)s %(unit)s.", order_step=offer.order_step, unit=Unit(offer.unit))
    try:
        forms.read_number(text)
    except ValueError as refusal:
        return told(forms.no_number(refusal, multiple))
    return told(multiple)


def _photo(photo: dict[str, Any] | None) -> dict[str, Any] | None:
    if photo is None:
        return None
    sizes = photo["sizes"]
    return {
        "alt": photo["alt"],
        "src": f"/media/{sizes[1]['key']}",
        "srcset": ", ".join(f"/media/{size['key']} {size['width']}w" for size in sizes),
        "width": sizes[1]["width"],
        "height": sizes[1]["height"],
    }


@blueprint.get("/media/<path:key>")
@access("public")
def media(key: str) -> Response:
    """Give a photo; its name is made from its content, so it may be kept for ever."""
    found = current_app.extensions["ports"].files.get(key=key) if _MEDIA_KEY.fullmatch(key) else None
    if found is None:
        raise NotFound(_("There is no such photo."))
    return ready(found.content, content_type="image/webp", cache="public, max-age=31536000, immutable")
