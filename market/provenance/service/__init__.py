"""Commands of provenance: places and parties, lots and transformations, capture of documents, pages of lots."""

from market.provenance.service.capture import accept_document, fail_job, run_job
from market.provenance.service.lots import NewLot, record_lot, record_transformation, set_lot_texts
from market.provenance.service.pages import refresh_later, refresh_lots_of, store_page
from market.provenance.service.places import add_place, ensure_party, ensure_place
from market.provenance.service.store import Origin, record_events
from market.provenance.service.withdraw import ADVICE, hold_for_sale, take_back, withdraw

__all__ = [
    "ADVICE",
    "NewLot",
    "Origin",
    "accept_document",
    "add_place",
    "ensure_party",
    "ensure_place",
    "fail_job",
    "hold_for_sale",
    "record_events",
    "record_lot",
    "record_transformation",
    "refresh_later",
    "refresh_lots_of",
    "run_job",
    "set_lot_texts",
    "store_page",
    "take_back",
    "withdraw",
]
