"""A producer's offers: the list, the form with its price check, and what may be done with each.

"Check the price" answers on the same page with everything typed still there: the floors that apply, what would pass, and
who would get what; nothing is stored. "Put into the shop" stores and publishes in one step, or says what stands against it.
"""

from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.catalogue import photos, queries, service
from market.catalogue.queries import ListingView
from market.catalogue.service import Draft
from market.http.auth import access, current_actor
from market.http.clock import now, today
from market.http.db import unit_of_work
from market.http.entry import Entry
from market.http.i18n import told
from market.kernel.errors import DomainError
from market.kernel.money import EXPONENTS
from market.pricing import rules as prices
from market.pricing.rules.references import SCHEME_NAMES
from market.producers import queries as producers
from market.provenance import queries as provenance

blueprint = Blueprint("offers", __name__, url_prefix="/producer/listings")

UNITS = (
    *((code, code) for code in ("kg", "g", "lb", "oz")),
    *(("litre", _l("litre")), ("piece", _l("piece")), ("dozen", _l("dozen"))),
)
INCOTERMS = ("farm gate", "EXW", "FCA", "FOB", "CIF", "DAP")
STATES = {"draft": (_l("draft"), ""), "published": (_l("in the shop"), "good"), "withdrawn": (_l("withdrawn"), "warn")}
NEW_PRODUCT = "new"


@blueprint.get("")
@access("producer", "staff")
def index() -> ResponseReturnValue:
    """List the offers of this producer, or of the co-op for its staff."""
    with unit_of_work() as session:
        page = queries.listings_of(session, producer_id=_own_producer(), cursor=request.args.get("cursor"))
    more = url_for("offers.index", cursor=page.next_cursor) if page.next_cursor else None
    return render_template("producer/listings.html", page=page, states=STATES, more=more, first=not request.args.get("cursor"))


@blueprint.get("/new")
@access("producer", "staff")
def new() -> ResponseReturnValue:
    """Show an empty form; `?lot=` chooses the lot."""
    with unit_of_work() as session:
        return _form(session, {"lot_id": request.args.get("lot", ""), "unit": "kg", "order_step": "1"}, {})


@blueprint.post("/new")
@access("producer", "staff")
def create() -> ResponseReturnValue:
    """Check the price, keep a draft, or publish, as the button says."""
    entry, actor = Entry(request.form), current_actor()
    try:
        with unit_of_work() as session:
            draft = _draft(session, entry)
            if draft is None:
                return _form(session, request.form, entry.errors), 422
            if request.form.get("act") == "check":
                verdict = service.check_draft(session, actor=actor, draft=draft, now=now())
                return _form(session, request.form, {}, verdict=verdict, parts=_parts(session, draft, verdict))
            listing_id = service.create_listing(session, actor=actor, draft=draft, now=now())
            if request.form.get("act") == "publish":
                service.publish_listing(session, actor=actor, listing_id=listing_id, now=now())
    except DomainError as refusal:
        return _again(entry, refusal)
    flash(_("It is in the shop.") if request.form.get("act") == "publish" else _("Kept as a draft."), "good")
    return redirect(url_for("offers.edit", listing_id=listing_id), 303)


@blueprint.get("/<uuid:listing_id>")
@access("producer", "staff")
def edit(listing_id: UUID) -> ResponseReturnValue:
    """Show an offer with its form."""
    with unit_of_work() as session:
        offer = queries.listing(session, listing_id, producer_id=_own_producer())
        return _form(session, _typed(offer), {}, offer=offer)


@blueprint.post("/<uuid:listing_id>")
@access("producer", "staff")
def change(listing_id: UUID) -> ResponseReturnValue:
    """Check the price of what is typed, or keep the changes; a published offer must pass again."""
    entry, actor = Entry(request.form), current_actor()
    offer: ListingView | None = None
    try:
        with unit_of_work() as session:
            offer = queries.listing(session, listing_id, producer_id=_own_producer())
            draft = _draft(session, entry, offer)
            if draft is None:
                return _form(session, request.form, entry.errors, offer=offer), 422
            if request.form.get("act") == "check":
                verdict = service.check_draft(session, actor=actor, draft=draft, now=now())
                return _form(session, request.form, {}, offer=offer, verdict=verdict, parts=_parts(session, draft, verdict))
            changes = {name: getattr(draft, name) for name in service.EDITABLE}
            service.edit_listing(session, actor=actor, listing_id=listing_id, changes=changes, now=now())
            if request.form.get("act") == "publish":
                service.publish_listing(session, actor=actor, listing_id=listing_id, now=now())
    except DomainError as refusal:
        if offer is None:
            raise
        return _again(entry, refusal, offer)
    flash(_("Saved."), "good")
    return redirect(url_for("offers.edit", listing_id=listing_id), 303)


@blueprint.post("/<uuid:listing_id>/withdraw")
@access("producer", "staff")
def withdraw(listing_id: UUID) -> ResponseReturnValue:
    """Take an offer out of the shop."""
    reason = request.form.get("reason", "").strip() or _("withdrawn by the producer")
    return _act(listing_id, _("It is no longer in the shop."), service.withdraw_listing, reason=reason)


@blueprint.post("/<uuid:listing_id>/stock")
@access("producer", "staff")
def stock(listing_id: UUID) -> ResponseReturnValue:
    """Set what a count found of the lot."""
    entry = Entry(request.form)
    on_hand = entry.decimal("on_hand", zero=True)
    if on_hand is None:
        flash(entry.errors["on_hand"], "bad")
        return redirect(url_for("offers.edit", listing_id=listing_id), 303)
    with unit_of_work() as session:
        lot_id = queries.listing(session, listing_id, producer_id=_own_producer()).lot_id
    return _act(listing_id, _("The stock is set."), service.set_stock, target={"lot_id": lot_id}, on_hand=on_hand)


@blueprint.post("/<uuid:listing_id>/photo")
@access("producer", "staff")
def photo(listing_id: UUID) -> ResponseReturnValue:
    """Give an offer a photo."""
    with unit_of_work() as session:
        queries.listing(session, listing_id, producer_id=_own_producer())
    upload = request.files.get("photo")
    try:
        sizes = photos.keep(current_app.extensions["ports"].files, upload.read() if upload else b"")
    except DomainError as refusal:
        flash(told(refusal.detail), "bad")
        return redirect(url_for("offers.edit", listing_id=listing_id), 303)
    return _act(listing_id, _("The photo is on the listing."), service.add_photo, sizes=sizes, alt=request.form.get("alt", ""))


def _act(
    listing_id: UUID, done: str, command: Any, *, target: dict[str, UUID] | None = None, **values: Any
) -> ResponseReturnValue:
    """Carry one command out on an offer and say what came of it on its page."""
    with unit_of_work() as session:
        queries.listing(session, listing_id, producer_id=_own_producer())
    try:
        with unit_of_work() as session:
            command(session, actor=current_actor(), now=now(), **(target or {"listing_id": listing_id}), **values)
        flash(done, "good")
    except DomainError as refusal:
        flash(told(refusal.detail), "bad")
    return redirect(url_for("offers.edit", listing_id=listing_id), 303)


def _own_producer() -> UUID | None:
    actor = current_actor()
    return None if actor.is_staff else actor.producer_id


def _draft(session: Session, entry: Entry, offer: ListingView | None = None) -> Draft | None:
    """Return what was typed, or None with a sentence for each field that cannot be read."""
    title, description = entry.text("title", limit=120), entry.text("description", required=False, limit=4000)
    unit = entry.choice("unit", [code for code, _words in UNITS])
    price, step = entry.decimal("unit_price"), entry.decimal("order_step")
    currency = entry.choice("currency", EXPONENTS)
    incoterm = entry.choice("incoterm", INCOTERMS, default="")
    lot_id = offer.lot_id if offer else _id(entry, "lot_id", _("Choose the lot that you sell from."))
    product_id = offer.product_id if offer else _product(session, entry)
    if entry.errors or lot_id is None or product_id is None or price is None or step is None:
        return None
    claims = tuple(request.form.getlist("claims"))
    return Draft(product_id, lot_id, title, unit, price, currency, description, step, claims, incoterm)


def _id(entry: Entry, name: str, missing: str) -> UUID | None:
    try:
        return UUID(entry.form.get(name, ""))
    except ValueError:
        entry.errors[name] = missing
        return None


def _product(session: Session, entry: Entry) -> UUID | None:
    if entry.form.get("product_id") != NEW_PRODUCT:
        return _id(entry, "product_id", _("Choose what it is, or describe something new."))
    kind, name = entry.text("kind", limit=60), entry.text("product_name", limit=120)
    quality = entry.choice("quality", ("conventional", "organic"), default="conventional")
    if entry.errors:
        return None
    codes = {name: entry.text(name, required=False, limit=60) for name in ("variety", "form")}
    category = kind.strip().lower().replace(" ", "-")
    return service.create_product(session, category=category, kind=kind.lower(), name=name, quality=quality, **codes)


def _typed(offer: ListingView) -> dict[str, Any]:
    numbers = {"unit_price": f"{offer.unit_price.normalize():f}", "order_step": f"{offer.order_step.normalize():f}"}
    names = ("title", "description", "unit", "currency", "incoterm", "claims")
    return {name: getattr(offer, name) for name in names} | numbers


def _parts(session: Session, draft: Draft, verdict: prices.PriceVerdict) -> list[prices.Component]:
    """Return who would get what of one step of a draft."""
    coop = producers.coop(session, provenance.lot(session, draft.lot_id).coop_id)
    return prices.breakdown(
        price=prices.Price(draft.unit_price, draft.currency, draft.unit),
        quantity=draft.order_step,
        charges=prices.Charges(coop.service_pct, coop.transport_minor_per_line, coop.payment_pct, coop.tax_pct),
        premium=verdict.premium,
        organic_differential=verdict.organic_differential,
    )


def _again(entry: Entry, refusal: DomainError, offer: ListingView | None = None) -> ResponseReturnValue:
    """Show the form with what was typed and why it was refused."""
    entry.refused(refusal, otherwise="unit_price")
    with unit_of_work() as session:
        return _form(session, request.form, entry.errors, offer=offer, passing=refusal.facts.get("passing_price")), 422


def _form(
    session: Session,
    form: Any,
    errors: dict[str, str],
    *,
    offer: ListingView | None = None,
    verdict: prices.PriceVerdict | None = None,
    parts: list[prices.Component] | None = None,
    passing: object = None,
) -> str:
    actor = current_actor()
    assert actor.coop_id is not None  # producers and staff work for a co-op
    coop = producers.coop(session, actor.coop_id)
    producer_id = offer.producer_id if offer else _own_producer()
    held = producers.certificates_on(session, coop_id=coop.id, producer_id=producer_id, on=today(coop.time_zone))
    claims = [
        (claim, f"{SCHEME_NAMES.get(row.scheme, row.scheme)} {row.number}")
        for row in held
        if (claim := "organic" if row.kind == "organic" else row.scheme)
    ]
    return render_template(
        "producer/listing_form.html",
        form=form,
        errors=errors,
        offer=offer,
        verdict=verdict,
        parts=parts,
        total=prices.sum_of(parts) if parts else None,
        passing=Decimal(str(passing)) if passing else None,
        chosen=form.getlist("claims") if hasattr(form, "getlist") else list(form.get("claims", ())),
        claims=claims,
        lots_options=_lots(session, coop.id, producer_id) if offer is None else [],
        product_options=_products(session) if offer is None else [],
        units=UNITS,
        incoterm_options=[(code, code) for code in INCOTERMS],
        currency_options=[(code, code) for code in sorted({coop.currency, "EUR", "USD"})],
        coop=coop,
        states=STATES,
        photo=offer.photo["sizes"][0] if offer and offer.photo else None,
        new_product=NEW_PRODUCT,
    )


def _lots(session: Session, coop_id: UUID, producer_id: UUID | None) -> list[tuple[str, str]]:
    found = provenance.lots_of(session, coop_id=coop_id, producer_id=producer_id, limit=200)
    return [(str(lot.id), f"{lot.name or lot.label} · {lot.slug}") for lot in found if lot.producer_id and not lot.withdrawn_at]


def _products(session: Session) -> list[tuple[str, str]]:
    found = queries.products(session)
    return [*((str(row.id), f"{row.name} ({row.quality})") for row in found), (NEW_PRODUCT, _("something new"))]
