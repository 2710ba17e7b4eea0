"""The search index: postings and the dictionary of terms, kept in step with the cards by the same transaction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.catalogue.models import CatalogueChange, SearchPosting, SearchTerm
from market.catalogue.rules import EVERYTHING, spellings


@dataclass(frozen=True, slots=True)
class Entry:
    """What the index holds of one listing: sorted terms and the price of one unit."""

    terms: tuple[str, ...]
    price: Decimal


def index_listings(session: Session, entries: Mapping[UUID, Entry | None]) -> None:
    """Write the postings of listings (None: out of the index) and count the difference into the dictionary.

    Writers take turns on the row of `#all`, so their other rows cannot deadlock; a listing changes rarely and briefly.
    """
    _take_turn(session)
    change: dict[str, int] = {}
    known = select(SearchPosting.listing_id, SearchPosting.term, SearchPosting.price).where(SearchPosting.listing_id.in_(entries))
    before: dict[UUID, dict[str, Decimal]] = {}
    for listing_id, term, price in session.execute(known):
        before.setdefault(listing_id, {})[term] = price
    fresh: list[dict[str, object]] = []
    for listing_id, entry in sorted(entries.items()):
        had = before.get(listing_id, {})
        has = set(entry.terms) if entry else set()
        gone = set(had) - has
        if gone:
            session.execute(delete(SearchPosting).where(SearchPosting.listing_id == listing_id, SearchPosting.term.in_(gone)))
        if entry and any(price != entry.price for price in had.values()):
            session.execute(update(SearchPosting).where(SearchPosting.listing_id == listing_id).values(price=entry.price))
        fresh += [{"term": term, "listing_id": listing_id, "price": entry.price} for term in has - set(had)] if entry else []
        for term in gone:
            change[term] = change.get(term, 0) - 1
        for term in has - set(had):
            change[term] = change.get(term, 0) + 1
    if fresh:
        session.execute(insert(SearchPosting), fresh)
    _count(session, change)


def recount_terms(session: Session) -> None:
    """Count the dictionary anew from the postings and forget words that no listing has any more."""
    _take_turn(session)
    counts = dict(session.execute(select(SearchPosting.term, func.count()).group_by(SearchPosting.term)).all())
    session.execute(update(SearchTerm).values(listings=0))
    _count(session, counts)
    session.execute(delete(SearchTerm).where(SearchTerm.listings == 0, SearchTerm.term != EVERYTHING))


def forget_changes(session: Session, *, now: datetime) -> None:
    """Forget which transactions changed the catalogue a week ago or longer: no page of then is still held against them."""
    session.execute(delete(CatalogueChange).where(CatalogueChange.at < now - timedelta(days=7)))


def _take_turn(session: Session) -> None:
    row = {"term": EVERYTHING, "listings": 0, "spellings": [EVERYTHING]}
    session.execute(insert(SearchTerm).values(row).on_conflict_do_nothing())
    session.execute(select(SearchTerm.term).where(SearchTerm.term == EVERYTHING).with_for_update())


def _count(session: Session, change: Mapping[str, int]) -> None:
    more = _rows((term, by) for term, by in change.items() if by > 0)
    if more:
        statement = insert(SearchTerm)
        added = statement.on_conflict_do_update(
            index_elements=[SearchTerm.term], set_={"listings": SearchTerm.listings + statement.excluded.listings}
        )
        session.execute(added, more)
    fewer = [{"t": term, "n": -by} for term, by in sorted(change.items()) if by < 0]
    if fewer:
        session.execute(text("UPDATE search_term SET listings = listings - :n WHERE term = :t"), fewer)


def _rows(changes: Iterable[tuple[str, int]]) -> list[dict[str, object]]:
    return [{"term": term, "listings": by, "spellings": spellings(term)} for term, by in sorted(changes)]
