"""Search and browse: which listings, page by page, from cards made when a listing changed."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from uuid import UUID

from sqlalchemy import Connection, text

from market.catalogue.errors import PriceFilterNeedsCurrency
from market.catalogue.fragments import fragment
from market.catalogue.kinds import term_of as kind_of
from market.catalogue.rules import EVERYTHING, Filters, Group, Walk, plan, query_words, spellings, within_one_error
from market.kernel import paging
from market.kernel.jsonbytes import Prepared, Result, plain_rows, text_array

PAGE = 24  # written out in the statements below
_ALTERNATIVES = 12

_NEWEST = UUID(int=2**128 - 1)

# What is known of filters (the word is empty) and of the words that begin with what was typed.
_DICTIONARY = Prepared(
    "SELECT '', term, listings::text FROM search_term WHERE term = ANY($1::text[]) UNION ALL"
    " SELECT word, term, listings::text FROM unnest($2::text[]) AS word CROSS JOIN LATERAL"
    " (SELECT term, listings FROM search_term WHERE term >= word AND term < word || chr(1114111) AND listings > 0"
    " ORDER BY listings DESC LIMIT 12) AS found"
)

_SIMILAR = Prepared("SELECT term, listings::text FROM search_term WHERE spellings && $1::text[] AND listings > 0")


@dataclass(frozen=True, slots=True)
class Search:
    """A query made ready: terms to walk, a term to walk beside them, terms to ask for, and which words were read as others."""

    drivers: tuple[str, ...]
    walk: Walk = Walk.ONE
    beside: str | None = None
    asked: tuple[tuple[str, ...], ...] = ()
    corrections: dict[str, str] = field(default_factory=dict)


def prepare_search(connection: Connection, filters: Filters) -> Search:
    """Look the words of a query up in the dictionary; one filter alone needs no look-up. No drivers: nothing can be found.

    A word stands for the twelve commonest words that begin with it, and for the kind of goods that it names in whichever
    language; when there is neither, for the words one typing error away.
    """
    words, exact = query_words(filters.q), filters.exact_terms
    if not words and len(exact) == 1:
        return Search(tuple(exact))
    if words and exact == [EVERYTHING]:
        exact = []
    kinds = {word: kind for word in words if (kind := kind_of(word))}
    found: dict[str, list[tuple[str, int]]] = {}
    for word, term, weight in _text_rows(_DICTIONARY.run(connection, text_array([*exact, *kinds.values()]), text_array(words))):
        found.setdefault(word, []).append((term, int(weight)))
    known = dict(found.get("", ()))
    if not known.keys() >= set(exact):
        return Search(())
    groups = [Group((term,), known[term]) for term in exact]
    corrections: dict[str, str] = {}
    for word in words:
        named = [(term, known[term]) for term in (kinds.get(word),) if term in known and known[term] > 0]
        terms = found.get(word, []) + named or _similar(connection, word, corrections)
        if not terms:
            return Search(())
        groups.append(Group(tuple(term for term, _ in terms), sum(weight for _, weight in terms)))
    found_plan = plan(groups)
    beside, asked = found_plan.beside, tuple(group.terms for group in found_plan.asked)
    return Search(found_plan.driver.terms, found_plan.walk, beside.terms[0] if beside else None, asked, corrections)


def _similar(connection: Connection, word: str, corrections: dict[str, str]) -> list[tuple[str, int]]:
    near = ((term, int(weight)) for term, weight in _text_rows(_SIMILAR.run(connection, text_array(spellings(word)))))
    found = sorted(
        ((term, weight) for term, weight in near if within_one_error(word, term)), key=lambda pair: (-pair[1], pair[0])
    )
    if found:
        corrections[word] = found[0][0]
    return found[:_ALTERNATIVES]


def _text_rows(result: Result) -> Iterator[list[str]]:
    value, columns = result.get_value, range(result.nfields)
    return ([value(row, column).decode() for column in columns] for row in range(result.ntuples))


# The shapes of the page statement are put together from these texts alone; what people type is always a parameter.
_PRICED = " AND p.price BETWEEN {}::numeric AND {}::numeric"

# Both lists in the order of the page: PostgreSQL merges them.
_BESIDE = " JOIN search_posting AS o ON o.listing_id = p.listing_id AND o.term = {} AND o.listing_id < $1::uuid"

# LIMIT keeps it a look-up per candidate: joined in one piece, the planner would read whole lists of a common term.
_ASKED = """ CROSS JOIN LATERAL (
 SELECT FROM search_posting AS a WHERE a.term = ANY({}::text[]) AND a.listing_id = p.listing_id LIMIT 1) AS {}"""

_WALK = """SELECT p.listing_id FROM search_posting AS p{joins}
 WHERE p.term = {driver} AND p.listing_id < $1::uuid{priced} ORDER BY p.listing_id DESC LIMIT 25"""

_EACH = """SELECT DISTINCT listing_id FROM unnest($2::text[]) AS driver(term)
 CROSS JOIN LATERAL ({walk}) AS found ORDER BY listing_id DESC LIMIT 25"""

_GATHER = """SELECT p.listing_id FROM (SELECT DISTINCT listing_id FROM search_posting AS p
 WHERE term = ANY($2::text[]) AND listing_id < $1::uuid{priced} ORDER BY listing_id DESC) AS p{joins}
 ORDER BY p.listing_id DESC LIMIT 25"""

_STATEMENT = """SELECT hit.listing_id, card.available, card.{form} FROM ({hits}) AS hit CROSS JOIN LATERAL
 (SELECT available, json, html FROM listing_card AS c WHERE c.listing_id = hit.listing_id OFFSET 0) AS card
 ORDER BY hit.listing_id DESC"""


@cache
def _page(*, walk: Walk, beside: bool, asked: int, priced: bool, form: str) -> Prepared:
    """Return the statement of a page in one of its shapes: a condition that is not asked for is not in the SQL."""
    numbers = (f"${number}" for number in count(3))
    joins = _BESIDE.format(next(numbers)) if beside else ""
    joins += "".join(_ASKED.format(next(numbers), f"a{number}") for number in range(asked))
    conditions = _PRICED.format(next(numbers), next(numbers)) if priced else ""
    if walk is Walk.GATHERED:
        hits = _GATHER.format(joins=joins, priced=conditions)
    else:
        hits = _WALK.format(driver="$2" if walk is Walk.ONE else "driver.term", joins=joins, priced=conditions)
    return Prepared(_STATEMENT.format(form=form, hits=_EACH.format(walk=hits) if walk is Walk.EACH else hits))


def _find(connection: Connection, filters: Filters, cursor: str | None, form: str) -> tuple[Result | None, dict[str, str]]:
    """Return the cards of a page and of the one after it (None: nothing can be found), and the corrections."""
    priced = filters.price_from is not None or filters.price_to is not None
    if priced and not filters.currency:
        raise PriceFilterNeedsCurrency("Choose the currency in which the price range is meant.", pointer="/currency")
    before = str(before_id(cursor)).encode()
    search = prepare_search(connection, filters)
    if not search.drivers:
        return None, search.corrections
    params = [before, search.drivers[0].encode() if search.walk is Walk.ONE else text_array(search.drivers)]
    if search.beside:
        params.append(search.beside.encode())
    params += map(text_array, search.asked)
    if priced:
        params.append(f"{filters.price_from or 0:f}".encode())
        params.append(f"{10**11 if filters.price_to is None else filters.price_to:f}".encode())
    statement = _page(walk=search.walk, beside=bool(search.beside), asked=len(search.asked), priced=priced, form=form)
    return statement.run(connection, *params), search.corrections


def before_id(cursor: str | None) -> UUID:
    """Return the id that a page ends before: that of the cursor, or one after all. Raises BadCursor."""
    if not cursor:
        return _NEWEST
    try:
        return UUID(cursor)
    except ValueError:
        raise paging.BadCursor("This page link is not valid any more. Start the list again.", pointer="/cursor") from None


def _next(result: Result) -> str | None:
    return str(UUID(bytes=result.get_value(PAGE - 1, 0))) if result.ntuples > PAGE else None


_TRUE = b"\1"  # a boolean in PostgreSQL's binary form


def catalogue_page_json(connection: Connection, filters: Filters, *, cursor: str | None = None) -> bytes:
    """Return 24 published listings, newest first, as the JSON body of the API; `next` is the cursor of the following page.

    `corrections` says which words were read as others. Raises PriceFilterNeedsCurrency and BadCursor.
    """
    result, corrections = _find(connection, filters, cursor, "json")
    items: list[bytes] = []
    following = None
    if result is not None:
        value, following = result.get_value, _next(result)
        for row in range(min(PAGE, result.ntuples)):
            available = b'{"available":true,' if value(row, 1) == _TRUE else b'{"available":false,'
            items.append(available + value(row, 2)[1:])
    end = f'"{following}"' if following else "null"
    return b'{"items":[%b],"next":%b,"corrections":%b}' % (b",".join(items), end.encode(), json.dumps(corrections).encode())


_VERSION = Prepared(
    "SELECT coalesce((SELECT xid::text FROM catalogue_change WHERE xid < low ORDER BY xid DESC LIMIT 1), '') || ':' ||"
    " coalesce((SELECT string_agg(xid::text, ',' ORDER BY xid) FROM catalogue_change WHERE xid >= low), '')"
    " || coalesce(':' || pg_current_xact_id_if_assigned()::text || clock_timestamp(), '')"
    " FROM pg_snapshot_xmin(pg_current_snapshot()) AS low"
)


def catalogue_version(connection: Connection) -> bytes:
    """Return what is another one after every change that a catalogue page could show; it costs a tenth of the page.

    Transactions that touch cards, postings or the dictionary leave their number (CatalogueChange). Those below the oldest
    that still runs are all finished, so the newest of them stands for all; those above are named one by one, since they
    may become visible in any order. For a transaction that writes itself no version ever stands.
    """
    return _VERSION.run(connection).get_value(0, 0)


@dataclass(frozen=True, slots=True)
class CataloguePage:
    """The same page as list items of HTML (already escaped when they were stored)."""

    cards: str
    next_cursor: str | None
    corrections: dict[str, str]


def catalogue_page_html(
    connection: Connection, filters: Filters, *, cursor: str | None = None, language: str = "en", query: str = ""
) -> CataloguePage:
    """Return the page for people, in a language; `query` (`?lang=sw`) goes to the end of each link.

    English stands ready; another language is made from the cards' JSON. Raises what `catalogue_page_json` raises.
    """
    english = language == "en"
    result, corrections = _find(connection, filters, cursor, "html" if english else "json")
    if result is None:
        return CataloguePage("", None, corrections)
    value, cards = result.get_value, []
    for row in range(min(PAGE, result.ntuples)):
        cards.append('<li class="card goods">' if value(row, 1) == _TRUE else '<li class="card goods sold-out">')
        stored = value(row, 2).decode()
        if english:
            cards.append(_LINK.sub(rf'\g<1>{query}"', stored) if query else stored)
        else:
            cards.append(fragment(json.loads(stored), language, query))
        cards.append("</li>")
    return CataloguePage("".join(cards), _next(result), corrections)


_LINK = re.compile(r'(<a href="/listings/[0-9a-f-]{36})"')


@dataclass(frozen=True, slots=True)
class Facet:
    """A value to filter by and how many listings have it."""

    value: str
    listings: int


_FACETS = text(
    "SELECT name, term, listings FROM unnest(ARRAY['category','certificate','coop','currency']) AS name"
    " CROSS JOIN LATERAL (SELECT term, listings FROM search_term WHERE term >= '#' || name || ':' AND term < '#' || name || ';'"
    " AND listings > 0 ORDER BY term LIMIT 200) AS found"
)


def facets(connection: Connection) -> dict[str, list[Facet]]:
    """Return what the catalogue can be filtered by: category, certificate, coop, currency, each by name."""
    result: dict[str, list[Facet]] = {"category": [], "certificate": [], "coop": [], "currency": []}
    for name, term, listings in plain_rows(connection, _FACETS):
        result[name].append(Facet(term.partition(":")[2], listings))
    return result
