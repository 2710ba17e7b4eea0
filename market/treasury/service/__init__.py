"""Commands of the treasury: each posts at its end, so call it last in a unit of work."""

from market.treasury.service.community import (
    decide_holder,
    decide_leaving,
    decide_scheme,
    decide_transfer,
    pay,
    propose_holder,
    propose_leaving,
    propose_scheme,
)
from market.treasury.service.conversions import decide_conversion, propose_conversion, settle_conversion
from market.treasury.service.correcting import decide_opening, may_be_proposed, propose_opening_correction, withdraw_opening
from market.treasury.service.loans import (
    close_loan,
    decide_loan,
    decide_repayment,
    keep_file,
    propose_loan,
    propose_repayment,
    take_back_repayment,
)
from market.treasury.service.on_account import (
    decide_premium_invoice,
    propose_premium_invoice,
    take_back_premium_invoice,
)
from market.treasury.service.opening import OpeningLine, hand_over, opening_lines, propose_opening
from market.treasury.service.premium import close_item, decide_item, decide_spending, propose_item, propose_spending
from market.treasury.service.shares import (
    Waiting,
    book_share,
    decide_recipient,
    decide_share,
    propose_recipient,
    propose_share,
    record_share,
    shares_to_send,
)

__all__ = [
    "OpeningLine",
    "Waiting",
    "book_share",
    "close_item",
    "close_loan",
    "decide_conversion",
    "decide_holder",
    "decide_item",
    "decide_leaving",
    "decide_loan",
    "decide_opening",
    "decide_premium_invoice",
    "decide_recipient",
    "decide_repayment",
    "decide_scheme",
    "decide_share",
    "decide_spending",
    "decide_transfer",
    "hand_over",
    "keep_file",
    "may_be_proposed",
    "opening_lines",
    "pay",
    "propose_conversion",
    "propose_holder",
    "propose_item",
    "propose_leaving",
    "propose_loan",
    "propose_opening",
    "propose_opening_correction",
    "propose_premium_invoice",
    "propose_recipient",
    "propose_repayment",
    "propose_scheme",
    "propose_share",
    "propose_spending",
    "record_share",
    "settle_conversion",
    "shares_to_send",
    "take_back_premium_invoice",
    "take_back_repayment",
    "withdraw_opening",
]
