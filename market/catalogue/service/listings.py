"""What a producer, or the staff of their co-op, does with an offer: draft, change, publish, withdraw, show.

A listing reaches the shop only through the price check of the day (gate G1, fair-prices.md 1.2), and its checks are stored
in the same transaction; so is every change of a published one, which is refused as a whole when the new price would not
pass. What changes elsewhere (a price row, a certificate that ends) comes through `reevaluate_listings`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.catalogue.errors import ListingFaulty, ListingMissing, ListingNotForSale, ProductMissing
from market.catalogue.models import Listing, Product
from market.catalogue.photos import Rendition
from market.catalogue.rules import next_state
from market.catalogue.service.cards import refresh_cards
from market.catalogue.service.judging import check_and_store, listing_verdict, today_of, withdrawn_words
from market.catalogue.service.stock import open_stock
from market.kernel import audit
from market.kernel.actor import Actor
from market.kernel.clock import day_in
from market.kernel.errors import DomainError
from market.kernel.ids import new_id
from market.kernel.locks import lock
from market.kernel.money import EXPONENTS
from market.kernel.words import Unit, say
from market.pricing.rules import UNITS, PriceVerdict
from market.producers import queries as producers
from market.producers import service as producers_service
from market.producers.queries import Text
from market.provenance import queries as provenance
from market.provenance import service as provenance_service
from market.provenance import withdrawal_queries as withdrawals
from market.provenance.queries import LotView

LOT_UNITS = {"KGM": "kg", "GRM": "g", "LTR": "litre", "H87": "piece"}
"""Units of lots (UN/ECE Recommendation 20) that goods are sold by."""

EDITABLE = frozenset({"title", "description", "unit", "unit_price", "currency", "order_step", "claims", "incoterm"})


def create_product(
    session: Session,
    *,
    category: str,
    kind: str,
    name: str,
    variety: str = "",
    form: str = "",
    characteristic: str = "",
    quality: str = "conventional",
) -> UUID:
    """Add a product and return its id; the same codes give the product that is already there."""
    codes = {"kind": kind, "variety": variety, "form": form, "characteristic": characteristic, "quality": quality}
    row = codes | {"id": new_id(), "category": category, "name": name}
    made = session.scalar(insert(Product).values(row).on_conflict_do_nothing().returning(Product.id))
    return made or session.scalars(select(Product.id).filter_by(**codes)).one()


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person writes about an offer. `unit_price` is the producer's own price of one unit."""

    product_id: UUID
    lot_id: UUID
    title: str
    unit: str
    unit_price: Decimal
    currency: str
    description: str = ""
    order_step: Decimal = Decimal(1)
    claims: tuple[str, ...] = ()
    incoterm: str = ""
    language: str = ""
    """In which language title and description are; empty: not said."""


def create_listing(session: Session, *, actor: Actor, draft: Draft, now: datetime) -> UUID:
    """Draft an offer of a lot and open the lot's stock; return its id. The producer is the lot's.

    Raises LotMissing, ListingMissing for a lot that is not theirs, ProductMissing, ListingFaulty.
    """
    listing, lot = _listing_of(session, actor, draft, now)
    session.add(listing)
    open_stock(session, lot_id=lot.id, coop_id=lot.coop_id, unit=LOT_UNITS[lot.uom], on_hand=lot.left)
    session.flush()  # the listing must exist for whoever asks in this unit
    if draft.language:
        _say(session, actor, listing, draft.language, {}, now)
    _note(session, actor, "listing.drafted", listing, now, new={"title": listing.title})
    return listing.id


def check_draft(session: Session, *, actor: Actor, draft: Draft, now: datetime) -> PriceVerdict:
    """Return what the price rules say of an offer that is still being written; nothing is stored.

    Raises what `create_listing` raises.
    """
    listing, _ = _listing_of(session, actor, draft, now)
    return listing_verdict(session, listing=listing, on=today_of(session, listing, now))


def _listing_of(session: Session, actor: Actor, draft: Draft, now: datetime) -> tuple[Listing, LotView]:
    if session.get(Product, draft.product_id) is None:
        raise ProductMissing("There is no such product. Choose one from the list or add it.", pointer="/product_id")
    lot = provenance.lot(session, draft.lot_id)
    if lot.producer_id is None or (not _whole_coop(actor) and lot.producer_id != actor.producer_id):
        raise ListingMissing("This lot belongs to no producer you may list for. Record a lot first.", pointer="/lot_id")
    if lot.uom not in LOT_UNITS:
        raise ListingFaulty(
            say("Lots counted in %(uom)s cannot be sold yet; use kg, g, litre or pieces.", uom=lot.uom), pointer="/lot_id"
        )
    listing = Listing(
        id=new_id(),
        coop_id=lot.coop_id,
        producer_id=lot.producer_id,
        product_id=draft.product_id,
        lot_id=draft.lot_id,
        title=draft.title.strip(),
        description=draft.description.strip(),
        unit=draft.unit,
        unit_price=draft.unit_price,
        currency=draft.currency,
        order_step=draft.order_step,
        claims=sorted(set(draft.claims)),
        origin_country=producers.coop(session, lot.coop_id).country,
        incoterm=draft.incoterm,
        state="draft",
        created_at=now,
        updated_at=now,
    )
    _hold_valid(listing, lot)
    return listing, lot


def edit_listing(session: Session, *, actor: Actor, listing_id: UUID, changes: Mapping[str, Any], now: datetime) -> None:
    """Change fields of an offer; a published one is checked again and keeps its old state when the price does not pass.

    Raises ListingMissing, ListingFaulty, and what `publish_listing` raises.
    """
    listing = _locked(session, actor, listing_id)
    if unknown := set(changes) - EDITABLE:
        raise ListingFaulty(say("These fields cannot be changed: %(unknown)s.", unknown=sorted(unknown)))
    fresh = {name: _tidy(name, value) for name, value in changes.items()}
    old = {name: getattr(listing, name) for name in fresh if getattr(listing, name) != fresh[name]}
    if not old:
        return
    for name, value in fresh.items():
        setattr(listing, name, value)
    _hold_valid(listing, provenance.lot(session, listing.lot_id))
    listing.updated_at = now
    if listing.state == "published":
        check_and_store(session, listing, now)
    _note(session, actor, "listing.changed", listing, now, old=_plain(old), new=_plain({name: fresh[name] for name in old}))
    _show(session, listing, now)


def publish_listing(session: Session, *, actor: Actor, listing_id: UUID, now: datetime) -> PriceVerdict:
    """Put an offer into the shop if its price holds today; return the verdict, whose checks are stored with it.

    Raises pricing's PriceBelowFloor (which rule, which row, by how much, what would pass) and ClaimNotProven,
    ListingNotForSale for a withdrawn lot and one that was made from it, ListingMissing.
    """
    lot_id = session.scalar(select(Listing.lot_id).where(Listing.id == listing_id))
    if lot_id is not None:  # before the offer is locked, as whoever withdraws the lot does
        provenance_service.hold_for_sale(session, lot_id)
    listing = _locked(session, actor, listing_id)
    if provenance.lot(session, listing.lot_id).withdrawn_at is not None:
        raise ListingNotForSale("This lot was withdrawn. Nothing of it can be offered; record a new lot.")
    state = next_state(listing.state, "publish")
    assert state is not None  # every state can be published
    verdict = check_and_store(session, listing, now)
    listing.state, listing.withdrawn_reason, listing.updated_at = state, None, now
    listing.published_at = listing.published_at or now
    _note(session, actor, "listing.published", listing, now, new={"outcome": verdict.outcome.value})
    _show(session, listing, now)
    return verdict


def withdraw_listing(session: Session, *, actor: Actor, listing_id: UUID, reason: str, now: datetime) -> None:
    """Take an offer out of the shop; orders that were placed stay. Raises ListingNotForSale when it is not in it."""
    listing = _locked(session, actor, listing_id)
    _withdraw(session, actor, listing, reason, now)


def stop_offers(session: Session, *, actor: Actor, lot_ids: Iterable[UUID], now: datetime) -> list[UUID]:
    """Take every offer of lots that are withdrawn out of the shop, with the reason; return which. Locks the offers.

    A draft stays one: whoever publishes it is told why it cannot be.
    """
    ids = session.scalars(select(Listing.id).where(Listing.lot_id.in_(set(lot_ids)), Listing.state == "published")).all()
    found = [listing for listing in lock(session, Listing, ids) if listing.state == "published"]
    for listing in found:
        barred = withdrawals.barred_by(session, listing.lot_id)
        if barred is None:
            raise ListingNotForSale("This lot is not withdrawn.")
        _withdraw(session, actor, listing, withdrawn_words(barred, listing.lot_id), now)
    return [listing.id for listing in found]


def set_listing_texts(
    session: Session, *, actor: Actor, listing_id: UUID, language: str, translations: Mapping[str, Text], now: datetime
) -> None:
    """Say in which language an offer is written and give it in others. Raises ListingMissing, BadText."""
    listing = _locked(session, actor, listing_id)
    _say(session, actor, listing, language, translations, now)
    _show(session, listing, now)


def _say(
    session: Session, actor: Actor, listing: Listing, language: str, translations: Mapping[str, Text], now: datetime
) -> None:
    producers_service.write_texts(
        session, actor=actor, kind="listing", subject_id=listing.id, coop_id=listing.coop_id, language=language,
        translations=translations, now=now,
    )  # fmt: skip


def add_photo(session: Session, *, actor: Actor, listing_id: UUID, sizes: Iterable[Rendition], alt: str, now: datetime) -> None:
    """Give an offer a photo that is already stored. Raises ListingMissing."""
    listing = _locked(session, actor, listing_id)
    listing.photo = {
        "alt": alt.strip()[:200] or listing.title,
        "sizes": [{"key": size.key, "width": size.width, "height": size.height} for size in sizes],
    }
    listing.updated_at = now
    _note(session, actor, "listing.photo", listing, now, new={"alt": listing.photo["alt"]})
    _show(session, listing, now)


@dataclass(frozen=True, slots=True)
class Reevaluated:
    """What a new look at published offers found."""

    checked: int
    withdrawn: tuple[UUID, ...]


def reevaluate_listings(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    listing_ids: Iterable[UUID] | None = None,
    kind: str | None = None,
    coop_id: UUID | None = None,
) -> Reevaluated:
    """Check published offers again: those named, those of one kind of product or one co-op, or all (fair-prices.md 4).

    To be called when a price row becomes effective, is confirmed or superseded, and when a certificate ends. An offer
    that no longer passes leaves the shop with the sentence of the check as its reason, which its producer's page shows.
    """
    wanted = select(Listing.id).where(Listing.state == "published")
    if listing_ids is not None:
        wanted = wanted.where(Listing.id.in_(list(listing_ids)))
    if kind is not None:
        wanted = wanted.join(Product, Product.id == Listing.product_id).where(Product.kind == kind)
    if coop_id is not None:
        wanted = wanted.where(Listing.coop_id == coop_id)
    found = [listing for listing in lock(session, Listing, session.scalars(wanted).all()) if listing.state == "published"]
    withdrawn = []
    for listing in found:
        try:
            check_and_store(session, listing, now)
        except DomainError as refusal:
            _withdraw(session, actor, listing, refusal.detail, now)
            withdrawn.append(listing.id)
    refresh_cards(session, listing_ids=[listing.id for listing in found], on=day_in(now, "UTC"))
    return Reevaluated(len(found), tuple(withdrawn))


def _withdraw(session: Session, actor: Actor, listing: Listing, reason: str, now: datetime) -> None:
    state = next_state(listing.state, "withdraw")
    if state is None:
        raise ListingNotForSale("This listing is not in the shop, so it cannot be withdrawn from it.")
    listing.state, listing.withdrawn_reason, listing.updated_at = state, reason[:2000], now
    _note(session, actor, "listing.withdrawn", listing, now, new={"reason": reason[:2000]})
    _show(session, listing, now)


def _whole_coop(actor: Actor) -> bool:
    return actor.is_staff or "system" in actor.roles


def _locked(session: Session, actor: Actor, listing_id: UUID) -> Listing:
    """Lock an offer that the actor may change: their own, or any of the co-op for its staff."""
    found = lock(session, Listing, [listing_id])
    if not found or (not _whole_coop(actor) and found[0].producer_id != actor.producer_id):
        raise ListingMissing("There is no such listing. Check the address or go back to the list.")
    return found[0]


def _hold_valid(listing: Listing, lot: LotView) -> None:
    stock_unit = LOT_UNITS[lot.uom]
    if not 3 <= len(listing.title) <= 120:
        raise ListingFaulty("A title has 3 to 120 characters.", pointer="/title")
    if listing.unit not in UNITS:
        raise ListingFaulty(
            say("%(unit)s is not a unit with a fixed value; use kg, g, lb, litre or piece.", unit=listing.unit), pointer="/unit"
        )
    if UNITS[listing.unit][0] != UNITS[stock_unit][0]:
        raise ListingFaulty(
            say(
                "The lot is counted in %(stock_unit)s, so it cannot be sold by %(unit)s.",
                stock_unit=Unit(stock_unit),
                unit=Unit(listing.unit),
            ),
            pointer="/unit",
        )
    if listing.currency not in EXPONENTS:
        raise ListingFaulty(say("%(currency)s is not a currency of ISO 4217.", currency=listing.currency), pointer="/currency")
    for name in ("unit_price", "order_step"):
        value = getattr(listing, name)
        if not value.is_finite() or not 0 < value < 10**9 or value != round(value, 6):
            raise ListingFaulty("Write a number above zero with at most six decimals.", pointer=f"/{name}")
    if listing.order_step * UNITS[listing.unit][1] > lot.produced * UNITS[stock_unit][1]:
        whole = say("The whole lot is %(produced)s %(unit)s; a step cannot be more.", produced=lot.produced, unit=stock_unit)
        raise ListingFaulty(whole, pointer="/order_step")


def _show(session: Session, listing: Listing, now: datetime) -> None:
    refresh_cards(session, listing_ids=[listing.id], on=today_of(session, listing, now))
    provenance_service.refresh_later(session, [listing.lot_id])  # the lot's page shows offers and their checks


def _note(
    session: Session,
    actor: Actor,
    action: str,
    listing: Listing,
    now: datetime,
    *,
    new: dict[str, Any],
    old: dict[str, Any] | None = None,
) -> None:
    audit.record(
        session,
        actor=actor,
        action=action,
        subject_kind="listing",
        subject_id=listing.id,
        now=now,
        coop_id=listing.coop_id,
        old=old,
        new=new,
    )


def _tidy(name: str, value: Any) -> Any:
    if name == "claims":
        return sorted(set(value))
    return value.strip() if name in ("title", "description") else value


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: f"{value:f}" if isinstance(value, Decimal) else value for name, value in values.items()}
