"""Commands of payouts, one file per use case."""

from market.payouts.service.approve import approve_run, discard_run
from market.payouts.service.bags import close_bag, issue_bag
from market.payouts.service.cash import cash_box_holds, fill_cash_box, record_receipt, take_back_receipt
from market.payouts.service.cheques import issue_cheque, void_cheque
from market.payouts.service.claims import claims, give_up_claim
from market.payouts.service.files import mark_submitted, write_files
from market.payouts.service.loan_files import repayment_file
from market.payouts.service.plan import Preview, plan_run, preview_run
from market.payouts.service.reversals import Asked, ask_back, record_reversal, reversals_waiting
from market.payouts.service.schedule import check_run, draft_scheduled, save_settings
from market.payouts.service.send import Claim, claim_next, hurry, record_outcome
from market.payouts.service.settle import (
    GivenBack,
    Settlement,
    cancel_payout,
    decide_unknown,
    fail,
    return_all,
    settle,
    settle_all,
    settle_selected,
    stay_paid,
    unsettle,
)
from market.payouts.service.statement import keep_statement, say_printed
from market.payouts.service.status import BankStatus, StatusTaken, take_status
from market.payouts.service.stop import lift, stop, stop_for_unknown

__all__ = [
    "Asked",
    "BankStatus",
    "Claim",
    "GivenBack",
    "Preview",
    "Settlement",
    "StatusTaken",
    "approve_run",
    "ask_back",
    "cancel_payout",
    "cash_box_holds",
    "check_run",
    "claim_next",
    "claims",
    "close_bag",
    "decide_unknown",
    "discard_run",
    "draft_scheduled",
    "fail",
    "fill_cash_box",
    "give_up_claim",
    "hurry",
    "issue_bag",
    "issue_cheque",
    "keep_statement",
    "lift",
    "mark_submitted",
    "plan_run",
    "preview_run",
    "record_outcome",
    "record_receipt",
    "record_reversal",
    "repayment_file",
    "return_all",
    "reversals_waiting",
    "save_settings",
    "say_printed",
    "settle",
    "settle_all",
    "settle_selected",
    "stay_paid",
    "stop",
    "stop_for_unknown",
    "take_back_receipt",
    "take_status",
    "unsettle",
    "void_cheque",
    "write_files",
]
