"""Refusals of the catalogue. A price under a floor is refused by pricing's own PriceBelowFloor."""

from market.kernel.errors import Conflict, Invalid, Missing


class ListingMissing(Missing):
    """There is no such listing for this person."""

    code = "catalogue.listing_missing"


class ProductMissing(Missing):
    """There is no such product."""

    code = "catalogue.product_missing"


class ListingFaulty(Invalid):
    """A field of the listing cannot be right."""

    code = "catalogue.listing_faulty"


class ListingNotForSale(Conflict):
    """The listing is a draft or withdrawn."""

    code = "catalogue.listing_not_for_sale"


class ListingSoldOut(Conflict):
    """Less of the lot is free than was asked for. `free` says how much."""

    code = "catalogue.listing_sold_out"


class StockTooLow(Conflict):
    """The stock cannot be set below what is held for orders."""

    code = "catalogue.stock_too_low"


class PhotoRefused(Invalid):
    """The file is no photo that can be shown: kind, size or content."""

    code = "catalogue.photo_refused"


class PriceFilterNeedsCurrency(Invalid):
    """A price range means nothing without a currency."""

    code = "catalogue.price_filter_needs_currency"
