"""A hundred thousand listings by COPY: real cards and postings, made by the same code that makes them in the product.

Fixed seed, so two runs measure the same data. Words: ten kinds of goods, a few dozen common words, and eight thousand rare
ones (names of farms and places), so that a search meets both common and rare terms.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from market.catalogue.cards import PROGRAM, Badge, Card, CardFacts, render
from market.catalogue.rules import spellings
from market.cli.migrations import import_models, sqlalchemy_url
from market.ledger import service as ledger
from market.pricing.rules import Charges
from market.provenance.rules.identifiers import slug_of

NOW = datetime(2026, 11, 1, tzinfo=UTC)
COOPS, PRODUCERS = 50, 500
KINDS = {
    "coffee": 30, "cocoa": 15, "tea": 12, "sugar": 8, "bananas": 5, "cotton": 8, "honey": 7, "nuts": 6, "spices": 5,
    "textiles": 4,
}  # fmt: skip
COMMON = [
    *(
        "washed",
        "natural",
        "organic",
        "green",
        "roasted",
        "ground",
        "dark",
        "raw",
        "whole",
        "handmade",
        "fine",
        "smoked",
        "dried",
    ),
    *("forest", "highland", "valley", "family", "women", "harvest", "mountain", "river", "sun", "shade", "old", "new", "wild"),
]
_SYLLABLES = [
    *("ka", "mo", "ri", "ta", "lu", "sen", "bo", "ni", "cha", "fe"),
    *("do", "ya", "pe", "zu", "gor", "lim", "an", "tes", "vi", "ro"),
]


def ident(number: int, kind: int) -> UUID:
    """Return the UUIDv7 of row `number` of a kind: one per second since NOW, so that order is known."""
    stamp = int(NOW.timestamp() * 1000) + number * 1000
    return UUID(int=(stamp << 80) | (7 << 76) | (kind << 64) | (2 << 62) | number)


def vocabulary(generator: random.Random) -> list[str]:
    """Return eight thousand rare words."""
    return ["".join(generator.choices(_SYLLABLES, k=generator.randint(2, 4))) for _ in range(8000)]


def copy_rows(connection: psycopg.Connection[Any], table: str, rows: Iterable[dict[str, Any]]) -> None:
    """Write rows, all with the same names, by COPY."""
    iterator = iter(rows)
    first = next(iterator)
    columns = sql.SQL(", ").join(map(sql.Identifier, first))
    with (
        connection.cursor() as cursor,
        cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), columns)) as copy,
    ):
        for row in itertools.chain([first], iterator):
            copy.write_row(tuple(row.values()))


def _people(database_url: str) -> None:
    """Make co-ops with open books, and their producers."""
    from market.producers.models import Coop, Member, Producer

    import_models()
    engine = create_engine(sqlalchemy_url(database_url))
    with Session(engine) as session:
        for number in range(COOPS):
            session.add(
                Coop(
                    id=ident(number, 1),
                    slug=f"coop-{number}",
                    name=f"Cooperativa {_SYLLABLES[number % 20].title()} {number}",
                    country="CO",
                    region="Huila",
                    currency=("EUR", "USD")[number % 2],
                    service_pct=Decimal(9),
                    payment_pct=Decimal(2),
                    tax_pct=Decimal(0),
                    account_holder=f"Cooperativa {number}",
                    created_at=NOW,
                )
            )
        session.flush()
        for number in range(COOPS):
            ledger.ensure_book(session, coop_id=ident(number, 1), base_currency=("EUR", "USD")[number % 2])
        for number in range(PRODUCERS):
            session.add(
                Producer(
                    id=ident(number, 2),
                    coop_id=ident(number % COOPS, 1),
                    slug=f"producer-{number}",
                    name=f"Finca {_SYLLABLES[number % 20].title()} {number}",
                    region="Huila",
                    created_at=NOW,
                )
            )
        session.flush()
        for number in range(PRODUCERS):  # whoever is no member sells nothing: the hourly round would empty the shop
            of = {"coop_id": ident(number % COOPS, 1), "producer_id": ident(number, 2)}
            session.add(Member(**of, number=number // COOPS + 1, joined_on=NOW.date()))
        session.commit()
    engine.dispose()


def _facts(number: int, generator: random.Random, rare: list[str], product: dict[str, Any]) -> CardFacts:
    owner = number % PRODUCERS
    title = " ".join([*generator.sample(COMMON, 2), product["kind"], *generator.sample(rare, 3)])
    return CardFacts(
        listing_id=ident(number, 5),
        lot_id=ident(number, 4),
        title=title.capitalize(),
        unit="kg",
        order_step=Decimal(1),
        unit_price=Decimal(generator.randint(200, 4000)) / 100,
        premium_per_unit=Decimal("0.44"),
        organic_per_unit=Decimal(0),
        currency=("EUR", "USD")[owner % COOPS % 2],
        category=product["category"],
        product=product["name"],
        quality=product["quality"],
        producer=f"Finca {_SYLLABLES[owner % 20].title()} {owner}",
        producer_slug=f"producer-{owner}",
        region="Huila",
        coop=f"Cooperativa {_SYLLABLES[owner % COOPS % 20].title()} {owner % COOPS}",
        coop_slug=f"coop-{owner % COOPS}",
        country="CO",
        charges=Charges(Decimal(9), 0, Decimal(2), Decimal(0)),
        badges=[Badge("fairtrade", f"FLO {owner}")] if owner % 5 < 2 else [],
    )


def _products() -> list[dict[str, Any]]:
    names = [(kind, quality) for kind in KINDS for quality in ("conventional", "organic")]
    return [
        {
            "id": ident(number, 3),
            "category": kind,
            "kind": kind,
            "variety": "",
            "quality": quality,
            "name": f"{kind.title()}, {quality}",
        }
        for number, (kind, quality) in enumerate(names)
    ]


def _lot(number: int, listings: int) -> dict[str, Any]:
    owner = number % PRODUCERS
    return {
        "id": ident(number, 4),
        "coop_id": ident(owner % COOPS, 1),
        "producer_id": ident(owner, 2),
        "slug": slug_of(number),
        "uri": f"https://id.market.example/bench/{number}",
        "name": f"Lot {number} of {listings}",
        "uom": "KGM",
        "produced": Decimal(100000),
        "made_on": date(2026, 6, 1),
        "recorded_at": NOW,
    }


def _listing(facts: CardFacts, number: int, product: dict[str, Any]) -> dict[str, Any]:
    owner = number % PRODUCERS
    return {
        "id": facts.listing_id,
        "coop_id": ident(owner % COOPS, 1),
        "producer_id": ident(owner, 2),
        "product_id": product["id"],
        "lot_id": facts.lot_id,
        "title": facts.title,
        "unit": "kg",
        "unit_price": facts.unit_price,
        "premium_per_unit": facts.premium_per_unit,
        "currency": facts.currency,
        "origin_country": "CO",
        "state": "published",
        "check_outcome": "ok",
        "checked_on": date(2026, 11, 1),
        "created_at": NOW,
        "updated_at": NOW,
        "published_at": NOW,
    }


def fill(database_url: str, *, listings: int) -> None:
    """Fill an empty, migrated database."""
    generator = random.Random(7)
    rare = vocabulary(generator)
    products = _products()
    weights = [KINDS[product["kind"]] for product in products]
    chosen = generator.choices(products, weights, k=listings)
    _people(database_url)
    facts = [_facts(number, generator, rare, chosen[number]) for number in range(listings)]
    cards: list[Card] = [render(one) for one in facts]
    counts = Counter(term for card in cards for term in card.terms)
    postings = sorted((term, one.listing_id, card.price) for one, card in zip(facts, cards, strict=True) for term in card.terms)
    with psycopg.connect(database_url, autocommit=True) as connection:
        copy_rows(connection, "product", products)
        copy_rows(connection, "lot", (_lot(number, listings) for number in range(listings)))
        copy_rows(connection, "listing", (_listing(one, number, chosen[number]) for number, one in enumerate(facts)))
        copy_rows(connection, "stock", (_stock(one, number) for number, one in enumerate(facts)))
        copy_rows(connection, "listing_card", (_card(one, card) for one, card in zip(facts, cards, strict=True)))
        copy_rows(
            connection, "search_term", ({"term": t, "listings": n, "spellings": spellings(t)} for t, n in sorted(counts.items()))
        )
        copy_rows(connection, "search_posting", ({"term": t, "listing_id": i, "price": p} for t, i, p in postings))
        connection.execute("VACUUM ANALYZE")


def _stock(facts: CardFacts, number: int) -> dict[str, Any]:
    owner = number % PRODUCERS
    return {
        "lot_id": facts.lot_id,
        "coop_id": ident(owner % COOPS, 1),
        "unit": "kg",
        "on_hand": Decimal(100000),
        "held": Decimal(0),
    }


def _card(facts: CardFacts, card: Card) -> dict[str, Any]:
    return {"listing_id": facts.listing_id, "available": True, "json": card.json, "html": card.html, "program": PROGRAM}
