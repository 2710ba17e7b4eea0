"""What the price rules say of an offer, and whether it may be in the shop: when it is published, changed or looked at again."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Session

from market.catalogue.errors import ListingNotForSale
from market.catalogue.models import Listing, Product
from market.kernel.clock import day_in
from market.kernel.words import say
from market.pricing import service as pricing
from market.pricing.rules import Goods, MarketPrice, NotComparable, Price, PriceVerdict
from market.pricing.rules.units import in_measure
from market.producers import queries as producers
from market.provenance import queries as provenance
from market.provenance import withdrawal_queries as withdrawals
from market.provenance.withdrawal_queries import WithdrawalView


def listing_verdict(session: Session, *, listing: Listing, on: date) -> PriceVerdict:
    """Return what the price rules say of an offer on a day, for one unit, with the certificates of its producer."""
    product = session.get_one(Product, listing.product_id)
    lot = provenance.lot(session, listing.lot_id)
    return pricing.check_price(
        session,
        goods=Goods(
            product=product.kind,
            variety=product.variety,
            form=product.form,
            characteristic=product.characteristic,
            quality=product.quality,
            origin_country=listing.origin_country,
            incoterm=listing.incoterm,
        ),
        unit_price=listing.unit_price,
        unit=listing.unit,
        currency=listing.currency,
        quantity=Decimal(1),
        on=on,
        claims=listing.claims,
        coop_id=listing.coop_id,
        producer_id=listing.producer_id,
        certified_on=lot.made_on,
    )


def check_and_store(session: Session, listing: Listing, now: datetime) -> PriceVerdict:
    """Check the price on the co-op's own day, refuse or keep the checks and what the page shows of them.

    Nobody sells here who is no member any more: they could not even see what is to be sent. Nor is anything sold of a lot that
    is withdrawn, or that was made from one.
    """
    if (barred := withdrawals.barred_by(session, listing.lot_id)) is not None:
        raise ListingNotForSale(withdrawn_words(barred, listing.lot_id))
    if producers.current_member(session, coop_id=listing.coop_id, producer_id=listing.producer_id) is None:
        raise ListingNotForSale("Whoever offers this is no member of the co-op any more.")
    on = today_of(session, listing, now)
    verdict = listing_verdict(session, listing=listing, on=on)
    pricing.refuse(verdict, gate="G1")
    if not pricing.is_kept(session, check_ids=listing.check_ids, verdict=verdict):  # the hourly round mostly finds no news
        listing.check_ids = pricing.store_checks(
            session, verdicts=[(listing.id, verdict)], subject_kind="listing", gate="G1", now=now, on=on
        )
    own = Price(listing.unit_price, listing.currency, listing.unit)
    listing.check_outcome, listing.checked_on = verdict.outcome.value, on
    listing.floor_price = verdict.proposed_price
    listing.floor_words = verdict.floor.label if verdict.floor else None
    listing.premium_per_unit = verdict.premium_per_unit
    listing.organic_per_unit = _per_unit(verdict.organic_differential, own) or Decimal(0)
    markets = [value for check in verdict.checks for value in check.arguments.values() if isinstance(value, MarketPrice)]
    listing.market_price = _per_unit(markets[0].price, own) if markets else None
    return verdict


def withdrawn_words(barred: WithdrawalView, lot_id: UUID) -> str:
    """Return why nothing of a lot is offered while a withdrawal is in force, in words for its producer, on one line."""
    reason = " ".join(barred.reason.split())
    if lot_id in barred.lots:
        return say("The lot was withdrawn: %(reason)s", reason=reason)
    return say("It was made from a lot that was withdrawn: %(reason)s", reason=reason)


def _per_unit(rate: Price | None, own: Price) -> Decimal | None:
    """Return a rate in the offer's unit to six digits; None without one, or when it speaks of another currency or measure."""
    if rate is None or rate.currency != own.currency:
        return None
    try:
        exact = in_measure(rate, own)
    except NotComparable:
        return None
    return (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(Decimal("0.000001"))


def today_of(session: Session, listing: Listing, now: datetime) -> date:
    """Return the day it is where the co-op of an offer is."""
    return day_in(now, producers.coop(session, listing.coop_id).time_zone)
