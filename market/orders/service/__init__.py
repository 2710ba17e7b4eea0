"""Commands of baskets and orders, one file per use case."""

from market.orders.service.basket import clear_basket, move_basket, set_line
from market.orders.service.bear import bear_dispute
from market.orders.service.cancel import cancel_order, expire_orders
from market.orders.service.change import Changed, change_part
from market.orders.service.complain import answer_complaint, complain
from market.orders.service.dispute import hold_disputed, note_dispute
from market.orders.service.fulfil import confirm, confirm_silent, settle, settle_due, ship, to_settle
from market.orders.service.guard import Caller
from market.orders.service.pack import charge_packed, end_authorised, let_go, mark_authorised, pack
from market.orders.service.pay import mark_paid, reopen_payment, solve_problem
from market.orders.service.place import Buyer, PlacedOrder, Quote, QuotedLine, WantedLine, place_order, quote
from market.orders.service.refund import note_refunds, refund_lines, refund_seller_order, worth
from market.orders.service.substitute import answer_substitution, propose_substitution
from market.orders.service.tender import pay_charges_in_unit
from market.orders.service.unpay import take_back_payment
from market.orders.service.withdraw import (
    let_parts_go,
    note_withdrawn,
    refund_withdrawn,
    take_back_withdrawal,
    to_note,
    to_refund,
    unpaid_of,
    withdraw_lot,
)

__all__ = [
    "Buyer",
    "Caller",
    "Changed",
    "PlacedOrder",
    "Quote",
    "QuotedLine",
    "WantedLine",
    "answer_complaint",
    "answer_substitution",
    "bear_dispute",
    "cancel_order",
    "change_part",
    "charge_packed",
    "clear_basket",
    "complain",
    "confirm",
    "confirm_silent",
    "end_authorised",
    "expire_orders",
    "hold_disputed",
    "let_go",
    "let_parts_go",
    "mark_authorised",
    "mark_paid",
    "move_basket",
    "note_dispute",
    "note_refunds",
    "note_withdrawn",
    "pack",
    "pay_charges_in_unit",
    "place_order",
    "propose_substitution",
    "quote",
    "refund_lines",
    "refund_seller_order",
    "refund_withdrawn",
    "reopen_payment",
    "set_line",
    "settle",
    "settle_due",
    "ship",
    "solve_problem",
    "take_back_payment",
    "take_back_withdrawal",
    "to_note",
    "to_refund",
    "to_settle",
    "unpaid_of",
    "withdraw_lot",
    "worth",
]
