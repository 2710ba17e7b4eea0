"""Cards and the search index follow the listing in the same transaction."""

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.catalogue.cards import PROGRAM, Badge, Card, CardFacts, render
from market.catalogue.models import Listing, ListingCard, Product, Stock
from market.catalogue.service.index import Entry, index_listings, recount_terms
from market.kernel.locks import lock
from market.pricing.rules import Charges
from market.producers import queries as producers
from market.producers.queries import OwnTexts

BATCH = 500


def facts_of(session: Session, listing: Listing, texts: OwnTexts, *, on: date) -> CardFacts:
    """Return what the card of a listing shows on a day."""
    product = session.get_one(Product, listing.product_id)
    coop = producers.coop(session, listing.coop_id)
    producer = producers.producer(session, listing.producer_id)
    certificates = producers.certificates_on(session, coop_id=listing.coop_id, producer_id=listing.producer_id, on=on)
    wanted = set(listing.claims)
    return CardFacts(
        listing_id=listing.id,
        lot_id=listing.lot_id,
        title=listing.title,
        unit=listing.unit,
        order_step=listing.order_step,
        unit_price=listing.unit_price,
        premium_per_unit=listing.premium_per_unit,
        organic_per_unit=listing.organic_per_unit,
        currency=listing.currency,
        category=product.category,
        product=product.name,
        quality=product.quality,
        producer=producer.name,
        producer_slug=producer.slug,
        region=producer.region,
        coop=coop.name,
        coop_slug=coop.slug,
        country=coop.country,
        charges=Charges(coop.service_pct, coop.transport_minor_per_line, coop.payment_pct, coop.tax_pct),
        photo=listing.photo,
        language=texts.language,
        titles={language: text.title for language, text in texts.translations.items() if text.title},
        badges=[Badge(found.scheme, found.number) for found in certificates if found.scheme in wanted or found.kind in wanted],
    )


def refresh_cards(session: Session, *, listing_ids: Iterable[UUID], on: date) -> int:
    """Write the cards and postings of listings as they stand now; those not published lose theirs. Return how many have one.

    The session is flushed first, because the cards read what the caller has just changed.
    """
    session.flush()
    wanted = list(listing_ids)
    found = session.scalars(select(Listing).where(Listing.id.in_(wanted), Listing.state == "published")).all()
    texts = producers.own_texts(session, "listing", [listing.id for listing in found])
    cards = {listing.id: render(facts_of(session, listing, texts[listing.id], on=on)) for listing in found}
    _store(session, found, cards)
    gone = [listing_id for listing_id in wanted if listing_id not in cards]
    if gone:
        session.execute(delete(ListingCard).where(ListingCard.listing_id.in_(gone)))
    entries: dict[UUID, Entry | None] = dict.fromkeys(gone)
    entries |= {listing_id: Entry(card.terms, card.price) for listing_id, card in cards.items()}
    index_listings(session, entries)
    return len(cards)


def remake_cards(session: Session, *, on: date) -> int:
    """Write a batch of the cards that another program made; return how many, fewer than BATCH when none is left."""
    made_otherwise = select(ListingCard.listing_id).where(ListingCard.program != PROGRAM).order_by(ListingCard.listing_id)
    listings = lock(session, Listing, session.scalars(made_otherwise.limit(BATCH)).all())
    return refresh_cards(session, listing_ids=[listing.id for listing in listings], on=on)


def rebuild_cards(session: Session, *, on: date) -> int:
    """Write every card anew, in batches, and count the dictionary from nothing; return how many cards there are."""
    count, after = 0, UUID(int=0)
    while ids := session.scalars(select(Listing.id).where(Listing.id > after).order_by(Listing.id).limit(BATCH)).all():
        count += refresh_cards(session, listing_ids=ids, on=on)
        after = ids[-1]
        session.expunge_all()
    recount_terms(session)
    return count


def show_availability(session: Session, lot_ids: Sequence[UUID]) -> None:
    """Mark the cards of lots as sold out or back; free is what is there and not held."""
    if lot_ids:
        statement = text(
            "UPDATE listing_card SET available = on_hand > held AND NOT withdrawn FROM listing JOIN stock USING (lot_id)"
            " WHERE listing_card.listing_id = listing.id AND listing.lot_id = ANY(:lots)"
        )
        session.execute(statement, {"lots": list(lot_ids)})


def _store(session: Session, listings: Sequence[Listing], cards: dict[UUID, Card]) -> None:
    if not cards:
        return
    lots = {listing.id: listing.lot_id for listing in listings}
    free = {lot: on_hand > held and not withdrawn for lot, on_hand, held, withdrawn in session.execute(
        select(Stock.lot_id, Stock.on_hand, Stock.held, Stock.withdrawn).where(Stock.lot_id.in_(lots.values()))
    )}  # fmt: skip
    rows = [
        {
            "listing_id": listing_id,
            "available": free.get(lots[listing_id], False),
            "json": card.json,
            "html": card.html,
            "program": PROGRAM,
        }
        for listing_id, card in sorted(cards.items())
    ]
    statement = insert(ListingCard)
    fresh = {name: statement.excluded[name] for name in ("available", "json", "html", "program")}
    session.execute(statement.on_conflict_do_update(index_elements=[ListingCard.listing_id], set_=fresh), rows)
