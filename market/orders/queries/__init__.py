"""What buyers, producers and staff see of orders; frozen, never live rows. Scope decides whose (row-level security)."""

from market.orders.queries.baskets import BasketItem, basket
from market.orders.queries.checking import check
from market.orders.queries.orders import (
    PAGE,
    Address,
    BuyerOf,
    ComplaintView,
    Line,
    OrderView,
    Part,
    SellerPart,
    addresses,
    buyers_of,
    can_refund,
    complaints,
    component_sums,
    given_last,
    order,
    orders_of,
    paid_by_transfer,
    seller_order,
    seller_orders,
)
from market.orders.queries.transfers import TransferInstructions, instructions, transfer_instructions

__all__ = [
    "PAGE",
    "Address",
    "BasketItem",
    "BuyerOf",
    "ComplaintView",
    "Line",
    "OrderView",
    "Part",
    "SellerPart",
    "TransferInstructions",
    "addresses",
    "basket",
    "buyers_of",
    "can_refund",
    "check",
    "complaints",
    "component_sums",
    "given_last",
    "instructions",
    "order",
    "orders_of",
    "paid_by_transfer",
    "seller_order",
    "seller_orders",
    "transfer_instructions",
]
