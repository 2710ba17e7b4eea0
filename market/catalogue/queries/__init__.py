"""Reads of the catalogue. The hot ones return what PostgreSQL put together from ready-made cards (`*_json`, `*_html`).

A search reads the dictionary (which terms a typed word stands for, how common they are), then walks the postings of the
rarest group from the newest card down, beside those of a group that is not much commoner, and asks the other groups about
each, until the page is full. Nothing is sorted and no wide row is touched before the page is known.
"""

from market.catalogue.queries.listings import (
    ListingView,
    NewListing,
    in_stock_unit,
    listing,
    listing_json,
    listings_by_id,
    listings_of,
    price_offer,
    published_since,
)
from market.catalogue.queries.products import ProductView, product, products
from market.catalogue.queries.search import (
    PAGE,
    CataloguePage,
    Facet,
    Search,
    catalogue_page_html,
    catalogue_page_json,
    catalogue_version,
    facets,
    prepare_search,
)

__all__ = [
    "PAGE",
    "CataloguePage",
    "Facet",
    "ListingView",
    "NewListing",
    "ProductView",
    "Search",
    "catalogue_page_html",
    "catalogue_page_json",
    "catalogue_version",
    "facets",
    "in_stock_unit",
    "listing",
    "listing_json",
    "listings_by_id",
    "listings_of",
    "prepare_search",
    "price_offer",
    "product",
    "products",
    "published_since",
]
