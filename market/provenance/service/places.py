"""Parties and places that events name: registered once, under identifiers that mean nothing."""

import secrets
from decimal import ROUND_HALF_EVEN, Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kernel.ids import new_id
from market.provenance.errors import PlaceUnfit
from market.provenance.models import Party, Place
from market.provenance.rules.identifiers import ENTROPY_BITS, IdHost, slug_of

_GRID = Decimal("0.1")


def fresh_slug() -> str:
    """Return a slug nobody has seen: 50 random bits and a check character."""
    return slug_of(secrets.randbits(ENTROPY_BITS))


def ensure_party(session: Session, *, host: IdHost, coop_id: UUID, producer_id: UUID | None, name: str) -> Party:
    """Return the party of a producer, or of the co-op itself (`producer_id` None), making it on first use."""
    party = session.scalar(select(Party).where(Party.coop_id == coop_id, Party.producer_id.is_not_distinct_from(producer_id)))
    if party is None:
        party = Party(id=new_id(), coop_id=coop_id, producer_id=producer_id, uri=host.uri("party", fresh_slug()), name=name)
        session.add(party)
        session.flush()  # the next call must find it
    return party


def add_place(
    session: Session,
    *,
    host: IdHost,
    coop_id: UUID,
    name: str,
    region: str,
    country: str,
    producer_id: UUID | None = None,
    latitude: Decimal | None = None,
    longitude: Decimal | None = None,
    uri: str | None = None,
) -> Place:
    """Register a place; its point is rounded to a grid of 0.1 degrees before it is stored (provenance.md 7.2).

    `uri` is for a place that events name already. Raises PlaceUnfit when it is no place of our host, or taken.
    """
    if uri is not None and (host.parse(uri) or ("", ""))[0] != "loc":
        raise PlaceUnfit("This is no identifier of a place on our host. Check every character.", pointer="/uri")
    if uri is not None and session.scalar(select(Place.id).where(Place.uri == uri)) is not None:
        raise PlaceUnfit("A place with this identifier is registered already.", pointer="/uri")
    place = Place(
        id=new_id(),
        coop_id=coop_id,
        producer_id=producer_id,
        uri=uri or host.uri("loc", fresh_slug()),
        name=name,
        region=region,
        country=country,
        latitude=_on_grid(latitude),
        longitude=_on_grid(longitude),
    )
    session.add(place)
    session.flush()  # lots point at it
    return place


def ensure_place(
    session: Session,
    *,
    host: IdHost,
    coop_id: UUID,
    name: str,
    region: str,
    country: str,
    producer_id: UUID | None = None,
    latitude: Decimal | None = None,
    longitude: Decimal | None = None,
) -> Place:
    """Return the producer's (or co-op's) place called `name`, registering it on first use."""
    place = session.scalar(
        select(Place).where(Place.coop_id == coop_id, Place.producer_id.is_not_distinct_from(producer_id), Place.name == name)
    )
    return place or add_place(
        session,
        host=host,
        coop_id=coop_id,
        producer_id=producer_id,
        name=name,
        region=region,
        country=country,
        latitude=latitude,
        longitude=longitude,
    )


def _on_grid(degrees: Decimal | None) -> Decimal | None:
    return None if degrees is None else degrees.quantize(_GRID, ROUND_HALF_EVEN)
