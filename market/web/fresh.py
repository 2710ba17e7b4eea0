"""Offers as cards in the reader's language, for the shop and for pages that show a few of them."""

from markupsafe import Markup
from sqlalchemy import Connection

from market.catalogue import queries
from market.catalogue.rules import Filters
from market.http.db import reading
from market.http.i18n import asked, language

FEW = 8


def cards_page(connection: Connection, filters: Filters, *, cursor: str | None = None) -> queries.CataloguePage:
    """Return a page of cards; their links hand on the language that the address asks for."""
    chosen = asked()
    query = f"?lang={chosen}" if chosen else ""
    return queries.catalogue_page_html(connection, filters, cursor=cursor, language=language(), query=query)


def newest_cards(filters: Filters) -> Markup:
    """Return the newest cards that pass the filters, at most FEW."""
    with reading() as connection:
        found = cards_page(connection, filters)
    return Markup("<li ".join(found.cards.split("<li ")[: FEW + 1]))  # noqa: S704 - escaped when the cards were made
