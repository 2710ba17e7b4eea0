"""Commands of payments, one file per use case."""

from market.payments.rules import Amounts, PaymentPart
from market.payments.service.authorise import decide_capture, decide_release, settle_authorisation
from market.payments.service.balance import (
    book_transfer_line,
    match_bank_payouts,
    match_new_lines,
    puzzle_line,
    store_lines,
    sync_balance,
    sync_bank_payouts,
    transfer_lines_waiting,
)
from market.payments.service.cards import (
    apply,
    close,
    prepare_checkout,
    record_checkout,
    record_refusal,
    refresh,
    start_checkout,
)
from market.payments.service.cash import record_cash
from market.payments.service.disputes import record_dispute, submit_evidence
from market.payments.service.events import compare_events, handle_event, store_event, sweep
from market.payments.service.explain import explain_line, explained_lines, take_back_line, unknown_lines
from market.payments.service.open import (
    OPENED,
    acknowledge,
    announce_again,
    cancel_unsent,
    expire,
    open_payment,
    opening,
    parts_left,
)
from market.payments.service.paying_refunds import (
    prepare_refund,
    record_bank_refund,
    record_refund,
    record_refund_outcome,
    send_refund,
    undo_bank_refund,
)
from market.payments.service.refunds import give_back_credit, record_refund_elsewhere, refund, refund_by_bank
from market.payments.service.transfers import record_transfer, undo_transfer

__all__ = [
    "OPENED",
    "Amounts",
    "PaymentPart",
    "acknowledge",
    "announce_again",
    "apply",
    "book_transfer_line",
    "cancel_unsent",
    "close",
    "compare_events",
    "decide_capture",
    "decide_release",
    "expire",
    "explain_line",
    "explained_lines",
    "give_back_credit",
    "handle_event",
    "match_bank_payouts",
    "match_new_lines",
    "open_payment",
    "opening",
    "parts_left",
    "prepare_checkout",
    "prepare_refund",
    "puzzle_line",
    "record_bank_refund",
    "record_cash",
    "record_checkout",
    "record_dispute",
    "record_refund",
    "record_refund_elsewhere",
    "record_refund_outcome",
    "record_refusal",
    "record_transfer",
    "refresh",
    "refund",
    "refund_by_bank",
    "send_refund",
    "settle_authorisation",
    "start_checkout",
    "store_event",
    "store_lines",
    "submit_evidence",
    "sweep",
    "sync_balance",
    "sync_bank_payouts",
    "take_back_line",
    "transfer_lines_waiting",
    "undo_bank_refund",
    "undo_transfer",
    "unknown_lines",
]
