"""A producer's offers: the list, the form with its price helper, and what may be done with each.

"Check the price" answers on the same page with everything typed still there: the floors that apply, what would pass, and
who would get what; nothing is stored. Scripts press that button by themselves and exchange the helper alone. "Put into the
shop" stores and publishes in one step, or says what stands against it.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from market.catalogue import photos, queries, service
from market.catalogue.errors import PhotoRefused
from market.catalogue.queries import ListingView
from market.http import own_texts, sending
from market.http.auth import access, current_actor
from market.http.clock import now
from market.http.db import unit_of_work
from market.http.entry import Entry
from market.http.i18n import language, show_least_price, told
from market.kernel.errors import DomainError
from market.producers import queries as producers
from market.web.offer_form import STATES, draw, own_producer, read_draft, try_price, typed

blueprint = Blueprint("offers", __name__, url_prefix="/producer/listings")


@blueprint.get("")
@access("producer", "staff")
def index() -> ResponseReturnValue:
    """List the offers of this producer, or of the co-op for its staff."""
    with unit_of_work() as session:
        page = queries.listings_of(session, producer_id=own_producer(), cursor=request.args.get("cursor"))
    more = url_for("offers.index", cursor=page.next_cursor) if page.next_cursor else None
    return render_template("producer/listings.html", page=page, states=STATES, more=more, first=not request.args.get("cursor"))


@blueprint.get("/new")
@access("producer", "staff")
def new() -> ResponseReturnValue:
    """Show an empty form; `?lot=` chooses the lot."""
    with unit_of_work() as session:
        return draw(session, {"lot_id": request.args.get("lot", ""), "unit": "kg", "order_step": "1", "language": language()}, {})


@blueprint.post("/new")
@access("producer", "staff")
def create() -> ResponseReturnValue:
    """Check the price, keep a draft, or publish, as the button says; the same form sent twice makes one offer."""
    entry, actor, act = Entry(request.form), current_actor(), request.form.get("act")
    try:
        sizes = _uploaded() if act != "check" else []
        with unit_of_work() as session:
            if act == "check":
                return draw(session, request.form, {}, tried=try_price(session, request.form))
            if (before := sending.answered(session)) is not None:
                return before
            draft = read_draft(session, entry)
            if draft is None:
                return draw(session, request.form, entry.errors), 422
            listing_id = service.create_listing(session, actor=actor, draft=draft, now=now())
            if sizes:
                alt = request.form.get("alt", "")
                service.add_photo(session, actor=actor, listing_id=listing_id, sizes=sizes, alt=alt, now=now())
            if act == "publish":
                service.publish_listing(session, actor=actor, listing_id=listing_id, now=now())
            answer = sending.done(session, url_for("offers.edit", listing_id=listing_id))
    except DomainError as refusal:
        return _again(entry, refusal)
    flash(_("It is in the shop.") if act == "publish" else _("Kept as a draft."), "good")
    return answer


@blueprint.get("/<uuid:listing_id>")
@access("producer", "staff")
def edit(listing_id: UUID) -> ResponseReturnValue:
    """Show an offer with its form."""
    with unit_of_work() as session:
        offer = queries.listing(session, listing_id, producer_id=own_producer())
        shown = typed(offer)
        return draw(session, shown, {}, offer=offer, tried=try_price(session, shown, offer))


@blueprint.post("/<uuid:listing_id>")
@access("producer", "staff")
def change(listing_id: UUID) -> ResponseReturnValue:
    """Check the price of what is typed, or keep the changes; a published offer must pass again."""
    entry, actor = Entry(request.form), current_actor()
    offer: ListingView | None = None
    try:
        with unit_of_work() as session:
            offer = queries.listing(session, listing_id, producer_id=own_producer())
            if request.form.get("act") == "check":
                return draw(session, request.form, {}, offer=offer, tried=try_price(session, request.form, offer))
            if (before := sending.answered(session)) is not None:
                return before
            draft = read_draft(session, entry, offer)
            if draft is None:
                return draw(session, request.form, entry.errors, offer=offer), 422
            changes = {name: getattr(draft, name) for name in service.EDITABLE}
            service.edit_listing(session, actor=actor, listing_id=listing_id, changes=changes, now=now())
            if request.form.get("act") == "publish":
                service.publish_listing(session, actor=actor, listing_id=listing_id, now=now())
            answer = sending.done(session, url_for("offers.edit", listing_id=listing_id))
    except DomainError as refusal:
        if offer is None:
            raise
        return _again(entry, refusal, offer)
    flash(_("Saved."), "good")
    return answer


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
        lot_id = queries.listing(session, listing_id, producer_id=own_producer()).lot_id
    return _act(listing_id, _("The stock is set."), service.set_stock, target={"lot_id": lot_id}, on_hand=on_hand)


@blueprint.post("/<uuid:listing_id>/photo")
@access("producer", "staff")
def photo(listing_id: UUID) -> ResponseReturnValue:
    """Give an offer a photo."""
    with unit_of_work() as session:
        queries.listing(session, listing_id, producer_id=own_producer())
    upload = request.files.get("photo")
    try:
        sizes = photos.keep(current_app.extensions["ports"].files, upload.read() if upload else b"")
    except DomainError as refusal:
        flash(told(refusal.detail), "bad")
        return redirect(url_for("offers.edit", listing_id=listing_id), 303)
    return _act(listing_id, _("The photo is on the listing."), service.add_photo, sizes=sizes, alt=request.form.get("alt", ""))


@blueprint.get("/<uuid:listing_id>/texts")
@access("producer", "staff")
def texts(listing_id: UUID) -> ResponseReturnValue:
    """Show an offer's title and description in the languages that there are, to add more."""
    return _texts(listing_id, {})


@blueprint.post("/<uuid:listing_id>/texts")
@access("producer", "staff")
def save_texts(listing_id: UUID) -> ResponseReturnValue:
    """Keep an offer's own translations."""
    return own_texts.keep(
        service.set_listing_texts,
        {"listing_id": listing_id},
        again=lambda errors: _texts(listing_id, errors),
        then=url_for("offers.edit", listing_id=listing_id),
    )


def _texts(listing_id: UUID, errors: Mapping[str, str]) -> str:
    with unit_of_work() as session:
        offer = queries.listing(session, listing_id, producer_id=own_producer())
        stored = producers.own_texts(session, "listing", [listing_id])[listing_id]
    back = url_for("offers.edit", listing_id=listing_id)
    return own_texts.show(stored, errors, back=back, title=offer.title, body=offer.description)


def _act(
    listing_id: UUID, done: str, command: Any, *, target: dict[str, UUID] | None = None, **values: Any
) -> ResponseReturnValue:
    """Carry one command out on an offer and say what came of it on its page."""
    with unit_of_work() as session:
        queries.listing(session, listing_id, producer_id=own_producer())
    try:
        with unit_of_work() as session:
            command(session, actor=current_actor(), now=now(), **(target or {"listing_id": listing_id}), **values)
        flash(done, "good")
    except DomainError as refusal:
        flash(told(refusal.detail), "bad")
    return redirect(url_for("offers.edit", listing_id=listing_id), 303)


def _uploaded() -> list[photos.Rendition]:
    """Return the sizes of the photo that came with the form, stored; none came: an empty list."""
    upload = request.files.get("photo")
    if upload is None or not upload.filename:
        return []
    return photos.keep(current_app.extensions["ports"].files, upload.read())


def _again(entry: Entry, refusal: DomainError, offer: ListingView | None = None) -> ResponseReturnValue:
    """Show the form with what was typed and why it was refused; a price that does not hold comes with its arithmetic."""
    entry.refused(refusal, otherwise="photo" if isinstance(refusal, PhotoRefused) else "unit_price")
    if (passing := refusal.facts.get("passing_price")) is not None:  # why stands in the helper, rule by rule
        price = show_least_price(Decimal(str(passing)), request.form.get("currency", ""))
        unit = request.form.get("unit", "")
        entry.errors["unit_price"] = _("The lowest price that passes is %(price)s per %(unit)s.", price=price, unit=unit)
    with unit_of_work() as session:
        tried = try_price(session, request.form, offer)
        return draw(session, request.form, entry.errors, offer=offer, tried=tried), 422
