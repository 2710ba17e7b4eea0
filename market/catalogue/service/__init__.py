"""Commands of the catalogue, one file per use case."""

from market.catalogue.service.cards import rebuild_cards, refresh_cards
from market.catalogue.service.stock import (
    expire_holds,
    hold_stock,
    open_stock,
    release_holds,
    return_stock,
    set_stock,
    take_holds,
)

__all__ = [
    "expire_holds",
    "hold_stock",
    "open_stock",
    "rebuild_cards",
    "refresh_cards",
    "release_holds",
    "return_stock",
    "set_stock",
    "take_holds",
]
