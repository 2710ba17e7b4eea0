"""The catalogue page of 24 over the API, mixed search and browse, uncached and warm; beside the card bound and an empty route."""

from __future__ import annotations

import random
import urllib.request
from urllib.parse import urlencode

from bench import data
from bench.limits import Bound, sql_rate
from bench.load import reads
from bench.site import Site
from bench.table import Row

PATHS = 4000


def browse_paths(listings: int, count: int = PATHS) -> list[str]:
    """Return pages somewhere in the catalogue: everything, one kind, one co-op, one certificate."""
    generator = random.Random(11)
    paths = []
    for _ in range(count):
        cursor = {"cursor": str(data.ident(generator.randrange(listings // 4, listings), 5))} if generator.random() < 0.7 else {}
        narrow = generator.choice(
            [
                {},
                {"category": generator.choices(list(data.KINDS), list(data.KINDS.values()))[0]},
                {"coop": f"coop-{generator.randrange(data.COOPS)}"},
                {"certificate": "fairtrade"},
            ]
        )
        paths.append("/api/v1/listings?" + urlencode(narrow | cursor))
    return paths


def search_paths(count: int = PATHS) -> list[str]:
    """Return searches: a common word, two words, a beginning, a rare word, words with a filter; one in twenty mistyped."""
    generator = random.Random(12)
    rare = data.vocabulary(random.Random(7))
    kinds = list(data.KINDS)
    paths = []
    for _ in range(count):
        word = generator.choice(rare)
        query = generator.choice(
            [
                {"q": generator.choice(kinds)},
                {"q": f"{generator.choice(data.COMMON)} {generator.choice(kinds)}"},
                {"q": word[:4]},
                {"q": word},
                {"q": f"{word} {generator.choice(kinds)}"},
                {"q": generator.choice(data.COMMON), "category": generator.choice(kinds)},
            ]
        )
        if generator.random() < 0.05:
            query["q"] = query["q"].replace("a", "x", 1)
        paths.append("/api/v1/listings?" + urlencode(query))
    return paths


def card_bound(site: Site) -> Bound:
    """Return how often PostgreSQL alone gives a page of ready-made cards found by one indexed read, on pages of this kind."""
    generator = random.Random(11)
    statements = []
    for _ in range(60):
        term = generator.choice(["#all", *data.KINDS])
        before = data.ident(generator.randrange(site.plan.listings // 4, site.plan.listings), 5)
        statements.append(
            f"WITH hit AS MATERIALIZED (SELECT listing_id FROM search_posting WHERE term = '{term}' AND listing_id < '{before}'"
            " ORDER BY listing_id DESC LIMIT 24) SELECT string_agg(json, ',') FROM hit JOIN listing_card USING (listing_id)"
        )
    return sql_rate(site.database_url, statements, site.plan)


def measure(site: Site) -> list[Row]:
    """Measure the mix and its limits."""
    bound = card_bound(site)
    empty = reads(site.url, ["/healthz"], site.plan)
    mixed = browse_paths(site.plan.listings, PATHS // 2) + search_paths(PATHS // 2)
    got = reads(site.url, mixed, site.plan)
    warm = _warm(site)
    return [
        Row("empty route", empty.per_second, empty.p50_ms, empty.p99_ms, note="the web server's own limit"),
        Row(
            "catalogue page of 24, mixed search and browse", got.per_second, got.p50_ms, got.p99_ms, bound.per_second,
            f"card bound ({bound.by})",
            0.15, 25, f"{got.per_second / empty.per_second:.0%} of the empty route; {got.wrong} wrong answers",
        ),
        Row(
            "the same page again, with its ETag (304)", warm[0], warm[1], warm[2], got.per_second, "uncached",
            note=f"{warm[3]} wrong answers",
        ),
    ]  # fmt: skip


def _warm(site: Site) -> tuple[float, float, float, int]:
    path = "/api/v1/listings?category=coffee"
    with urllib.request.urlopen(site.url + path) as answer:
        tag = answer.headers["ETag"]
    got = reads(site.url, [path], site.plan, headers={"If-None-Match": tag}, expect=304)
    return got.per_second, got.p50_ms, got.p99_ms, got.wrong
