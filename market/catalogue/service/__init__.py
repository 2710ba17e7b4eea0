"""Commands of the catalogue, one file per use case."""

from market.catalogue.service.cards import rebuild_cards, refresh_cards
from market.catalogue.service.index import forget_changes
from market.catalogue.service.listings import (
    EDITABLE,
    Draft,
    add_photo,
    check_draft,
    create_listing,
    create_product,
    edit_listing,
    publish_listing,
    reevaluate_listings,
    set_listing_texts,
    withdraw_listing,
)
from market.catalogue.service.stock import (
    HELD,
    expire_holds,
    held,
    hold_stock,
    holding,
    lock_holds,
    open_stock,
    release_holds,
    return_stock,
    set_stock,
    take_holds,
)

__all__ = [
    "EDITABLE",
    "HELD",
    "Draft",
    "add_photo",
    "check_draft",
    "create_listing",
    "create_product",
    "edit_listing",
    "expire_holds",
    "forget_changes",
    "held",
    "hold_stock",
    "holding",
    "lock_holds",
    "open_stock",
    "publish_listing",
    "rebuild_cards",
    "reevaluate_listings",
    "refresh_cards",
    "release_holds",
    "return_stock",
    "set_listing_texts",
    "set_stock",
    "take_holds",
    "withdraw_listing",
]
