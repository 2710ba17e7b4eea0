"""The form of an offer: reading what was typed, trying its price without storing anything, and drawing it again.

A try of the price reads as much as there is: a lot, a kind of goods and a number are enough. It runs in a savepoint that is
rolled back, so a good that is only being described leaves nothing behind.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import render_template
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from market.catalogue import queries, service
from market.catalogue.queries import ListingView
from market.catalogue.service import Draft
from market.http.auth import current_actor
from market.http.clock import now, today
from market.http.entry import Entry
from market.http.i18n import show_typed
from market.kernel import uow
from market.kernel.errors import DomainError
from market.kernel.languages import LANGUAGES
from market.kernel.money import EXPONENTS, Money
from market.pricing import rules as prices
from market.pricing.rules.references import SCHEME_NAMES
from market.producers import queries as producers
from market.provenance import queries as provenance

UNITS = (
    *((code, code) for code in ("kg", "g", "lb", "oz")),
    *(("litre", _l("litre")), ("piece", _l("piece")), ("dozen", _l("dozen"))),
)
INCOTERMS = (
    ("farm gate", _l("at my farm or workshop")),
    ("EXW", _l("EXW: at the co-op's door")),
    ("FCA", _l("FCA: with the carrier, in our country")),
    ("FOB", _l("FOB: on the ship, in our port")),
    ("CIF", _l("CIF: in their port, freight and insurance paid")),
    ("DAP", _l("DAP: at their door, before customs")),
)
STATES = {"draft": (_l("draft"), ""), "published": (_l("in the shop"), "good"), "withdrawn": (_l("withdrawn"), "warn")}
NEW_PRODUCT = "new"


@dataclass(frozen=True, slots=True)
class Tried:
    """What the price rules say of what is typed so far; `missing` says what they still need, `refused` why they cannot."""

    verdict: prices.PriceVerdict | None = None
    parts: tuple[prices.Component, ...] = ()
    missing: str = ""
    refused: str = ""

    @property
    def total(self) -> Money | None:
        """What the buyer pays for one step."""
        return prices.sum_of(list(self.parts)) if self.parts else None

    @property
    def producers_part(self) -> Money | None:
        """What the producer gets of it."""
        own = [part for part in self.parts if part.payee == "producer"]
        return prices.sum_of(own) if own else None

    @property
    def floor_words(self) -> str:
        """Which floor counts, as the table that it comes from calls it."""
        return self.verdict.floor.label if self.verdict and self.verdict.floor else ""


def own_producer() -> UUID | None:
    """Return the producer whose offers are meant; None for staff, who see to all of the co-op."""
    actor = current_actor()
    return None if actor.is_staff else actor.producer_id


def claims_of(form: Any) -> tuple[str, ...]:
    """Return the claims that are ticked in a form as it was sent, or as `typed` fills it in."""
    return tuple(form.getlist("claims") if isinstance(form, MultiDict) else form.get("claims", ()))


def read_draft(session: Session, entry: Entry, offer: ListingView | None = None) -> Draft | None:
    """Return what was typed, or None with a sentence for each field that cannot be read."""
    title, description = entry.text("title", limit=120), entry.text("description", required=False, limit=4000)
    unit = entry.choice("unit", [code for code, _words in UNITS])
    price, step = entry.decimal("unit_price"), entry.decimal("order_step")
    currency = entry.choice("currency", EXPONENTS)
    incoterm = entry.choice("incoterm", [code for code, _words in INCOTERMS], default="")
    lot_id = offer.lot_id if offer else _id(entry, "lot_id", _("Choose the lot that you sell from."))
    product_id = offer.product_id if offer else _product(session, entry)
    if entry.errors or lot_id is None or product_id is None or price is None or step is None:
        return None
    claims = claims_of(entry.form)
    written_in = entry.choice("language", LANGUAGES, default="")
    return Draft(product_id, lot_id, title, unit, price, currency, description, step, claims, incoterm, written_in)


def try_price(session: Session, form: Any, offer: ListingView | None = None) -> Tried:
    """Return what the price rules say of what is typed, whatever else is still missing; nothing is stored."""
    plain = {name: form[name] for name in form} | {"claims": claims_of(form)}
    entry = Entry(plain | {"title": form.get("title", "").strip()[:120].ljust(3, "."), "description": ""})
    try:
        with uow.tried(session):
            draft = read_draft(session, entry, offer)
            if draft is None:
                return Tried(
                    missing=_MISSING.get(next(iter(entry.errors), ""), _("Fill in the lot, what it is, and your price."))
                )
            verdict = service.check_draft(session, actor=current_actor(), draft=draft, now=now())
            return Tried(verdict, tuple(_parts(session, draft, verdict)))
    except DomainError as refusal:
        return Tried(refused=refusal.detail)


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


_MISSING = {
    "lot_id": _l("Choose the lot first."),
    "product_id": _l("Choose what it is."),
    "kind": _l("Say what kind of goods it is."),
    "product_name": _l("Give the new product a name."),
    "unit_price": _l("Write your price as a number, such as 3.97."),
    "order_step": _l("Write in which steps you sell, such as 1."),
}


def draw(
    session: Session,
    form: Any,
    errors: dict[str, str],
    *,
    offer: ListingView | None = None,
    tried: Tried | None = None,
) -> str:
    """Return the page of the form with what was typed."""
    actor = current_actor()
    assert actor.coop_id is not None  # producers and staff work for a co-op
    coop = producers.coop(session, actor.coop_id)
    producer_id = offer.producer_id if offer else own_producer()
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
        tried=tried,
        chosen=list(claims_of(form)),
        claims=claims,
        lots_options=_lots(session, coop.id, producer_id) if offer is None else [],
        product_options=_products(session) if offer is None else [],
        units=UNITS,
        incoterm_options=INCOTERMS,
        currency_options=[(code, code) for code in sorted({coop.currency, "EUR", "USD"})],
        coop=coop,
        states=STATES,
        photo=offer.photo["sizes"][0] if offer and offer.photo else None,
        new_product=NEW_PRODUCT,
    )


def typed(offer: ListingView) -> dict[str, Any]:
    """Return an offer as its form would have been filled in."""
    numbers = {"unit_price": show_typed(offer.unit_price), "order_step": show_typed(offer.order_step)}
    names = ("title", "description", "unit", "currency", "incoterm", "claims")
    return {name: getattr(offer, name) for name in names} | numbers


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


def _lots(session: Session, coop_id: UUID, producer_id: UUID | None) -> list[tuple[str, str]]:
    found = provenance.lots_of(session, coop_id=coop_id, producer_id=producer_id, limit=200)
    whole = [lot for lot in found if lot.producer_id and not lot.withdrawn_at and lot.left > 0]
    return [(str(lot.id), " · ".join(filter(None, (lot.name, lot.label, lot.slug)))) for lot in whole]


def _products(session: Session) -> list[tuple[str, str]]:
    found = queries.products(session)
    return [*((str(row.id), f"{row.name} ({row.quality})") for row in found), (NEW_PRODUCT, _("something new"))]
