"""Codes in the words of the staff, each with the kind of its badge. One table per thing, for pages and files alike."""

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _l

from market.console.lists import Words

ORDERS: Words = {
    "placed": (_l("waits for payment"), "warn"),
    "authorised": (_l("to be packed, then charged"), "info"),
    "paid": (_l("to be packed"), "info"),
    "shipped": (_l("on its way"), "info"),
    "confirmed": (_l("arrived"), "good"),
    "settled": (_l("arrived, producer credited"), "good"),
    "refunded": (_l("refunded"), ""),
    "cancelled": (_l("cancelled"), ""),
}
REFUNDS: Words = {
    "decided": (_l("decided"), "info"),
    "unsure": (_l("outcome unknown"), "warn"),
    "pending": (_l("on its way"), "info"),
    "paid": (_l("paid back"), "good"),
    "untaken": (_l("never charged"), "warn"),
    "failed": (_l("came back"), "bad"),
    "needs_person": (_l("a person must decide"), "bad"),
}
PAYMENTS: Words = {
    "created": (_l("begun"), ""),
    "requires_action": (_l("the buyer has to act"), "warn"),
    "processing": (_l("asking the card company"), "info"),
    "awaiting_transfer": (_l("transfer awaited"), "warn"),
    "part_paid": (_l("paid in part"), "warn"),
    "succeeded": (_l("paid"), "good"),
    "surplus": (_l("paid too late"), "bad"),
    "failed": (_l("failed"), "bad"),
    "expired": (_l("time ran out"), ""),
    "cancelled": (_l("cancelled"), ""),
}
CREDITS: Words = {
    "part_paid": (_l("paid in part"), "warn"),
    "late": (_l("paid too late"), "bad"),
    "too_much": (_l("paid too much"), "warn"),
}
METHODS: Words = {"card": (_l("card"), ""), "transfer": (_l("bank transfer"), "")}
BEARERS: Words = {"coop": (_l("the co-op"), ""), "producer": (_l("the producer"), ""), "carrier": (_l("the carrier"), "")}
PAYOUTS: Words = {
    "draft": (_l("draft"), "warn"),
    "approved": (_l("approved"), "info"),
    "queued": (_l("waits to be sent"), ""),
    "sending": (_l("being sent"), "info"),
    "sent": (_l("sent"), "info"),
    "unknown": (_l("outcome unknown"), "warn"),
    "needs_person": (_l("a person must decide"), "bad"),
    "settled": (_l("settled"), "good"),
    "failed": (_l("failed"), "bad"),
    "cancelled": (_l("cancelled"), ""),
    "returned": (_l("returned"), "bad"),
}
RAILS: Words = {
    "sepa": (_l("bank transfer"), ""),
    "stripe": (_l("Stripe transfer"), ""),
    "momo": (_l("mobile money"), ""),
    "cash": (_l("cash"), ""),
    "cheque": (_l("cheque"), ""),
}
RUNS: Words = {
    "draft": (_l("waits for approval"), "warn"),
    "approved": (_l("approved"), "good"),
    "cancelled": (_l("discarded"), ""),
}
CHEQUES: Words = {
    "issued": (_l("issued"), "info"),
    "stale": (_l("nobody cashed it"), "warn"),
    "cashed": (_l("cashed"), "good"),
    "voided": (_l("voided"), ""),
}
CERTIFICATES: Words = {
    "entered": (_l("to be checked"), "warn"),
    "active": (_l("active"), "good"),
    "ended": (_l("ended"), "bad"),
    "suspended": (_l("suspended"), "bad"),
    "withdrawn": (_l("withdrawn"), ""),
}
CLAIMS: Words = {"trade": (_l("fair trade"), ""), "organic": (_l("organic"), ""), "other": (_l("other"), "")}
PERIODS: Words = {
    "prepared": (_l("waits for a second person"), "warn"),
    "taken_back": (_l("taken back"), ""),
    "overtaken": (_l("overtaken by a later close"), ""),
    "closed": (_l("closed"), "good"),
    "reopening": (_l("waits to be opened again"), "warn"),
    "reopened": (_l("opened again"), ""),
}
MEMBERS: Words = {"member": (_l("member"), "good"), "left": (_l("has left"), "")}
PAID_AT: Words = {
    "confirmed": (_l("account confirmed"), "good"),
    "waits": (_l("account waits for a second person"), "warn"),
    "none": (_l("no account yet"), "bad"),
}
LISTINGS: Words = {"draft": (_l("draft"), ""), "published": (_l("in the shop"), "good"), "withdrawn": (_l("withdrawn"), "warn")}
CHECKS: Words = {
    "ok": (_l("price holds"), "good"),
    "warning": (_l("holds, with a note"), "warn"),
    "not_checkable": (_l("cannot be checked"), "warn"),
    "violation": (_l("below a floor"), "bad"),
}
PRICE_ROWS: Words = {
    "needs_review": (_l("to review"), "warn"),
    "active": (_l("active"), "good"),
    "superseded": (_l("superseded"), ""),
    "rejected": (_l("set aside"), ""),
}
LINES: Words = {
    "new": (_l("unmatched"), "bad"),
    "suggested": (_l("suggested"), "warn"),
    "matched": (_l("matched"), "good"),
    "parked": (_l("question open"), "info"),
    "ignored": (_l("nothing to do"), ""),
}
SHOWN = (
    ("open", _l("to explain")),
    ("suggested", _l("suggested")),
    ("unmatched", _l("unmatched")),
    ("parked", _l("questions")),
    ("matched", _l("matched")),
    ("all", _l("all")),
)
FILES: Words = {
    "imported": (_l("imported"), "good"),
    "draft": (_l("waits for a decision"), "warn"),
    "waiting": (_l("being read"), "info"),
    "refused": (_l("refused"), "bad"),
    "discarded": (_l("laid aside"), ""),
}
RULES: Words = {
    "suggests": (_l("suggests"), "info"),
    "automatic": (_l("books by itself"), "good"),
    "ended": (_l("ended"), ""),
}
OWED: Words = {
    "open": (_l("open"), "info"),
    "overdue": (_l("overdue"), "bad"),
    "on_its_way": (_l("on its way"), "good"),
}
PRICE_WAYS: Words = {"rises": (_l("rises"), ""), "falls": (_l("falls"), ""), "same": (_l("stays"), "")}
IMPORT_ROWS: Words = {
    "accepted": (_l("accepted"), "good"),
    "needs_review": (_l("to review"), "warn"),
    "conflict": (_l("conflict"), "bad"),
    "unchanged": (_l("unchanged"), ""),
    "rejected": (_l("rejected"), "bad"),
}
IMPORT_CHANGES: Words = {"new": (_l("new goods"), ""), "changes": (_l("other numbers than before"), "")}
IMPORTS: Words = {
    "waiting": (_l("waits for a second person"), "warn"),
    "approved": (_l("approved"), "good"),
    "refused": (_l("refused"), "bad"),
}
QUOTES: Words = {"once": (_l("by one person"), ""), "twice": (_l("by a second person"), "good")}
FLOORS: Words = {
    "active": (_l("in force"), "good"),
    "stale": (_l("to be reviewed"), "warn"),
    "superseded": (_l("superseded"), ""),
}
SHARES: Words = {
    "proposed": (_l("proposed"), "warn"),
    "approved": (_l("waits to be sent"), "info"),
    "declined": (_l("declined"), ""),
    "sent": (_l("sent"), "info"),
    "refused": (_l("refused"), "bad"),
    "booked": (_l("booked"), "good"),
}
KEYS: Words = {"works": (_l("works"), "good"), "ended": (_l("ended"), ""), "revoked": (_l("revoked"), "bad")}
PAYEE_ACCOUNTS: Words = {
    "waits": (_l("waits for a second person"), "warn"),
    "doubted": (_l("another name"), "bad"),
    "confirmed": (_l("paid here"), "good"),
    "replaced": (_l("replaced"), ""),
}
MAILS: Words = {
    "waiting": (_l("waits to be sent"), "info"),
    "sent": (_l("sent"), "good"),
    "unwanted": (_l("not wanted by its reader"), ""),
    "failed": (_l("could not be sent"), "bad"),
}
ROLES: Words = {"preparer": (_l("preparer"), ""), "approver": (_l("approver"), "info"), "admin": (_l("administrator"), "warn")}

BOOKED: Words = {
    "bank_charges": (_l("bank charges"), ""),
    "own_transit": (_l("own money between accounts"), ""),
    "write_off": (_l("write-off of a small difference"), ""),
    "sweep_transit": (_l("payout of the card processor"), ""),
    "unidentified": (_l("money nobody knows (a liability)"), ""),
    "tax_payable": (_l("tax paid"), ""),
    "transport_payable": (_l("carrier paid"), ""),
    "deposit_liability": (_l("deposit for packaging"), ""),
    "premium_in_transit": (_l("payment of the premium fund"), ""),
    "fx": (_l("conversion between currencies"), ""),
}
LETTERS: Words = {
    "confirm": (_l("address to confirm"), ""),
    "already_registered": (_l("address known already"), ""),
    "reset": (_l("new password"), ""),
    "password_changed": (_l("password changed"), ""),
    "invited": (_l("invitation"), ""),
    "order_placed": (_l("order placed, transfer awaited"), ""),
    "receipt": (_l("order paid"), ""),
    "order_authorised": (_l("money kept on the card"), ""),
    "packing_note": (_l("order to pack"), ""),
    "weigh_note": (_l("order to weigh and pack"), ""),
    "packing_changed": (_l("order to pack changed"), ""),
    "packing_stopped": (_l("order not to pack any more"), ""),
    "order_unpaid": (_l("payment taken back, to the buyer"), ""),
    "packing_taken_back": (_l("payment taken back, to the producer"), ""),
    "order_shipped": (_l("order on its way"), ""),
    "order_substitute": (_l("something else offered"), ""),
    "order_refunded": (_l("refund decided"), ""),
    "refund_arrived": (_l("refund sent"), ""),
    "refund_not_sent": (_l("refund not sent after all"), ""),
    "surplus": (_l("more money than needed, to the buyer"), ""),
    "surplus_taken_back": (_l("money that was somebody else's, to the buyer"), ""),
    "surplus_staff": (_l("more money than needed, to the staff"), ""),
    "refunded_elsewhere": (_l("refunded at the card processor"), ""),
    "charged_less": (_l("less charged at the card processor, to the staff"), ""),
    "order_charged_less": (_l("less charged than agreed, to the buyer"), ""),
    "order_cancelled": (_l("order cancelled"), ""),
    "goods_withdrawn": (_l("goods withdrawn, to the buyer"), ""),
    "goods_withdrawn_not": (_l("goods not withdrawn any more, to the buyer"), ""),
    "lot_withdrawn": (_l("lot withdrawn, to the producer"), ""),
    "lot_withdrawn_not": (_l("lot not withdrawn any more, to the producer"), ""),
    "problem": (_l("paid order without goods"), ""),
    "payee_account_entered": (_l("account waits for a second person"), ""),
    "payee_account_confirmed": (_l("account confirmed"), ""),
    "payable_held": (_l("money held back"), ""),
    "payout_settled": (_l("payout arrived"), ""),
    "payout_unsettled": (_l("payout perhaps not arrived, to the producer"), ""),
    "payout_came_back": (_l("payout that came back, to the producer"), ""),
    "payout_paid_after_all": (_l("payout that did not come back after all, to the producer"), ""),
    "payout_trouble": (_l("payout that needs a person"), ""),
    "payout_stayed_paid": (_l("payout that did not come back after all"), ""),
    "report_done": (_l("file ready"), ""),
    "alarm_overdue": (_l("alarm: owed and overdue"), ""),
    "alarm_account": (_l("alarm: no account to pay to"), ""),
    "alarm_unknown": (_l("alarm: outcome unknown"), ""),
    "alarm_stuck": (_l("alarm: run does not go out"), ""),
    "alarm_file": (_l("alarm: bank file not handed in"), ""),
    "alarm_draft": (_l("alarm: run waits for approval"), ""),
    "coop_news": (_l("new in the shop"), ""),
    "payouts_stopped": (_l("payouts stopped"), ""),
}
"""What mails are about, by the names of `notifications/letters.toml`."""
LOTS: Words = {"usable": (_l("in order"), ""), "withdrawn": (_l("withdrawn"), "bad")}
ADVICE: Words = {
    "discard": (_l("must not use it and throws it away"), ""),
    "return": (_l("must not use it and gives it back"), ""),
    "keep": (_l("can keep and use it"), ""),
}
"""What whoever has goods of a withdrawn lot does with them."""
DISPUTES: Words = {
    "needs_response": (_l("waits for your answer"), "bad"),
    "warning_needs_response": (_l("the buyer's bank asks"), "warn"),
    "under_review": (_l("the bank decides"), "info"),
    "warning_under_review": (_l("the bank decides"), "info"),
    "won": (_l("won: the money is back"), "good"),
    "lost": (_l("lost"), "bad"),
    "warning_closed": (_l("closed without dispute"), "good"),
    "prevented": (_l("closed without dispute"), "good"),
}
DISPUTED: dict[str, Any] = {
    "bank_cannot_process": _l("the bank cannot process it"),
    "check_returned": _l("a cheque came back"),
    "credit_not_processed": _l("a refund was promised and did not come"),
    "customer_initiated": _l("the buyer asked their bank"),
    "debit_not_authorized": _l("the buyer did not allow the debit"),
    "duplicate": _l("paid twice"),
    "fraudulent": _l("the holder of the card says that they did not pay"),
    "general": _l("no reason given"),
    "incorrect_account_details": _l("wrong account"),
    "insufficient_funds": _l("not enough money on the account"),
    "noncompliant": _l("against the rules of the card company"),
    "product_not_received": _l("the goods did not arrive"),
    "product_unacceptable": _l("the goods are not as described"),
    "subscription_canceled": _l("a subscription was cancelled"),
    "unrecognized": _l("the holder of the card does not know the payment"),
}
"""Why a buyer disputes a card payment, by the codes of the card processor (stripe 16.1, Dispute.reason)."""
DECIDED: Words = {
    "proposed": (_l("proposed"), "warn"),
    "granted": (_l("granted"), "info"),
    "declined": (_l("declined"), ""),
    "booked": (_l("booked"), "good"),
    "withdrawn": (_l("withdrawn"), ""),
}


def options(words: Words, *first: tuple[str, Any]) -> Sequence[tuple[str, Any]]:
    """Return the choices of a filter: `first`, then every code of the table."""
    return (*first, *((code, each[0]) for code, each in words.items()))
