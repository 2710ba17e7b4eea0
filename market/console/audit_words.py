"""What the audit's codes mean, in the reader's words: acts, kinds of records, names and values of what changed."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask import current_app, g
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from market.console import words
from market.console.audit_fields import FIELDS
from market.console.lists import Words
from market.http.auth import current_coop
from market.http.db import unit_of_work
from market.http.i18n import show_minor, show_money, show_quantity, show_unit_price, told
from market.kernel.money import Money
from market.producers import queries as producers

ACTIONS: dict[str, Any] = {
    "accounts.grant_role": _l("role given"),
    "accounts.revoke_role": _l("role taken away"),
    "accounts.issue_api_key": _l("key made"),
    "accounts.revoke_api_key": _l("key taken away"),
    "accounts.profile": _l("own details changed"),
    "earnings.advance_proposed": _l("advance proposed"),
    "earnings.advance_granted": _l("advance granted"),
    "earnings.advance_declined": _l("advance declined"),
    "earnings.correction_proposed": _l("correction proposed"),
    "earnings.payable_correction_booked": _l("correction booked"),
    "earnings.payable_correction_declined": _l("correction declined"),
    "earnings.distribution_proposed": _l("sharing out proposed"),
    "earnings.distribution_booked": _l("sharing out booked"),
    "earnings.distribution_declined": _l("sharing out declined"),
    "earnings.delivery_priced": _l("delivery entered"),
    "earnings.held": _l("money held back"),
    "earnings.hold_ended": _l("hold ended"),
    "earnings.offset": _l("purchase set off"),
    "floor.decided": _l("own floor decided"),
    "listing.changed": _l("listing changed"),
    "listing.drafted": _l("listing written"),
    "listing.photo": _l("photo added"),
    "listing.published": _l("listing put into the shop"),
    "listing.withdrawn": _l("listing withdrawn"),
    "lot.recorded": _l("lot recorded"),
    "lot.withdrawn": _l("lot withdrawn"),
    "lot.withdrawal_ended": _l("withdrawal of a lot taken back"),
    "orders.packed": _l("goods weighed and packed"),
    "orders.shipped": _l("goods sent"),
    "orders.confirmed": _l("arrival confirmed"),
    "orders.complained": _l("complaint made"),
    "orders.complaint_answered": _l("complaint answered"),
    "orders.problem_solved": _l("problem solved"),
    "orders.dispute_borne": _l("loss of a dispute borne"),
    "orders.refunded": _l("refund decided"),
    "orders.payment_taken_back": _l("payment taken back"),
    "packaging.declared": _l("packaging described"),
    "payments.cash_taken": _l("paid in cash"),
    "payments.dispute": _l("dispute came"),
    "payments.evidence_sent": _l("evidence sent"),
    "payments.line_taken_back": _l("explanation of a card processor's line taken back"),
    "payments.line_explained": _l("line of the card processor explained"),
    "payments.refund_by_bank": _l("refund sent by bank"),
    "payouts.planned": _l("payout run prepared"),
    "payouts.approved": _l("payout run approved"),
    "payouts.discarded": _l("payout run discarded"),
    "payouts.submitted": _l("bank file handed in"),
    "payouts.cash_paid": _l("cash paid"),
    "payouts.receipt_taken_back": _l("receipt taken back"),
    "payouts.return_taken_back": _l("return taken back: paid as before"),
    "payouts.box_filled": _l("cash box filled"),
    "payouts.asked_back": _l("part of a transfer asked back"),
    "payouts.decided": _l("outcome of a payout decided"),
    "payouts.cancel": _l("payout cancelled"),
    "payouts.fail": _l("refusal of the bank noted"),
    "payouts.settings": _l("ways of paying out changed"),
    "payouts.checked": _l("payout run checked"),
    "payouts.claim_given_up": _l("claim given up"),
    "payouts.stopped": _l("payouts stopped"),
    "payouts.stop_lifted": _l("stop of payouts lifted"),
    "payouts.cheque_issued": _l("cheque issued"),
    "payouts.bag_issued": _l("cash bag handed out"),
    "payouts.bag_closed": _l("cash bag counted back"),
    "prices.approved": _l("price table approved"),
    "prices.imported": _l("price table read"),
    "prices.refused": _l("price table refused"),
    "producers.add_producer": _l("member taken in"),
    "producers.update_producer": _l("member's details changed"),
    "producers.link_account": _l("member invited"),
    "producers.end_membership": _l("membership ended"),
    "producers.enter_payee_account": _l("payee account entered"),
    "producers.confirm_payee_account": _l("payee account confirmed"),
    "producers.withdraw_payee_account": _l("payee account withdrawn"),
    "producers.enter_identity": _l("identity for the tax office entered"),
    "producers.enter_certificate": _l("certificate entered"),
    "producers.set_certificate_status": _l("state of a certificate changed"),
    "producers.create_coop": _l("co-op opened"),
    "producers.agree_name": _l("name of an account agreed"),
    "producers.update_coop": _l("co-op changed"),
    "producer.texts": _l("texts changed"),
    "coop.texts": _l("texts changed"),
    "listing.texts": _l("texts changed"),
    "quote.entered": _l("market price entered"),
    "quote.checked": _l("market price checked"),
    "rate.entered": _l("exchange rate entered"),
    "reference.approved": _l("price row approved"),
    "reference.confirmed": _l("price row compared with its document"),
    "reference.rejected": _l("price row set aside"),
    "reference.corrected": _l("price row corrected"),
    "site.read_only": _l("read-only switch turned"),
    "statements.account_opened": _l("bank account registered"),
    "statements.imported": _l("statement imported"),
    "statements.draft": _l("statement waits for a decision"),
    "statements.refused": _l("statement refused"),
    "statements.report_imported": _l("bank's report imported"),
    "statements.report_refused": _l("bank's report refused"),
    "statements.confirmed": _l("statement imported all the same"),
    "statements.discarded": _l("statement laid aside"),
    "statements.csv_mapped": _l("columns of a CSV named"),
    "statements.accepted": _l("suggestion accepted"),
    "statements.matched": _l("line matched by reference"),
    "statements.booked": _l("line booked"),
    "statements.proposed": _l("booking proposed"),
    "statements.proposal_accepted": _l("proposed booking accepted"),
    "statements.proposal_declined": _l("proposed booking declined"),
    "statements.parked": _l("line put aside"),
    "statements.split": _l("line split"),
    "statements.undone": _l("match taken back"),
    "statements.rule_made": _l("booking rule made"),
    "statements.rule_ended": _l("booking rule ended"),
    "statements.close_overtaken": _l("close of a period overtaken by that of a later one"),
    "statements.close_prepared": _l("close of a period prepared"),
    "statements.close_taken_back": _l("close of a period taken back"),
    "statements.period_closed": _l("period closed"),
    "statements.period_reopened": _l("closed period opened again"),
    "statements.reopening_declined": _l("opening a closed period again declined"),
    "statements.reopening_proposed": _l("opening a closed period again proposed"),
    "statements.reopening_withdrawn": _l("proposal to open a closed period again withdrawn"),
    "stock.set": _l("stock set"),
    "treasury.premium_item_proposed": _l("use of the premium proposed"),
    "treasury.premium_item_approved": _l("premium committed"),
    "treasury.premium_item_declined": _l("use of the premium declined"),
    "treasury.premium_item_closed": _l("use of the premium closed"),
    "treasury.premium_spending_proposed": _l("payment of the premium proposed"),
    "treasury.premium_spending_booked": _l("payment of the premium booked"),
    "treasury.premium_spending_declined": _l("payment of the premium declined"),
    "treasury.fx_conversion_proposed": _l("conversion proposed"),
    "treasury.fx_conversion_booked": _l("conversion booked"),
    "treasury.fx_conversion_declined": _l("conversion declined"),
    "treasury.fx_conversion_settled": _l("conversion settled"),
    "treasury.premium_invoice_proposed": _l("invoice of premium proposed"),
    "treasury.premium_invoice_booked": _l("invoice of premium booked"),
    "treasury.premium_invoice_declined": _l("invoice of premium declined"),
    "treasury.premium_invoice_taken_back": _l("invoice of premium taken back"),
    "treasury.coop_recipient_proposed": _l("account at the card company entered"),
    "treasury.coop_recipient_confirmed": _l("account at the card company confirmed"),
    "treasury.coop_recipient_declined": _l("account at the card company declined"),
    "treasury.coop_share_proposed": _l("transfer of the co-op's share proposed"),
    "treasury.coop_share_approved": _l("transfer of the co-op's share approved"),
    "treasury.coop_share_declined": _l("transfer of the co-op's share declined"),
    "treasury.coop_share_sent": _l("transfer of the co-op's share sent"),
    "treasury.coop_share_refused": _l("transfer of the co-op's share refused"),
    "treasury.coop_share_booked": _l("transfer of the co-op's share booked"),
    "treasury.community_scheme_proposed": _l("community currency proposed"),
    "treasury.community_scheme_open": _l("community currency opened"),
    "treasury.community_scheme_declined": _l("community currency declined"),
    "treasury.community_holder_proposed": _l("account in the community currency proposed"),
    "treasury.community_holder_open": _l("account in the community currency opened"),
    "treasury.community_holder_declined": _l("account in the community currency declined"),
    "treasury.community_holder_left": _l("account in the community currency given up"),
    "treasury.community_leaving_proposed": _l("leaving the community currency proposed"),
    "treasury.community_leaving_booked": _l("leaving the community currency booked"),
    "treasury.community_leaving_declined": _l("leaving the community currency declined"),
    "treasury.community_paid": _l("paid in the community currency"),
    "treasury.loan_proposed": _l("loan proposed"),
    "treasury.loan_accepted": _l("loan taken on"),
    "treasury.loan_declined": _l("loan declined"),
    "treasury.loan_closed": _l("loan closed"),
    "treasury.loan_repayment_proposed": _l("repayment proposed"),
    "treasury.loan_repayment_booked": _l("repayment booked"),
    "treasury.loan_repayment_declined": _l("repayment declined"),
    "treasury.loan_repayment_taken_back": _l("repayment taken back"),
    "treasury.opening_balance_proposed": _l("opening balances proposed"),
    "treasury.opening_balance_booked": _l("opening balances booked"),
    "treasury.opening_balance_declined": _l("opening balances declined"),
    "treasury.opening_balance_withdrawn": _l("opening balances withdrawn"),
    "term.named": _l("word of a table explained"),
}
"""What was done, by the code that the command writes."""
KINDS: dict[str, Any] = {
    "account": _l("account of a person"),
    "advance": _l("advance"),
    "api_key": _l("key"),
    "booking_rule": _l("booking rule"),
    "cash_box": _l("cash box"),
    "cash_bag": _l("cash bag"),
    "certificate": _l("certificate"),
    "coop": _l("co-op"),
    "coop_floor": _l("own floor"),
    "delivery": _l("delivery"),
    "dispute": _l("dispute"),
    "distribution": _l("sharing out"),
    "fx_conversion": _l("conversion"),
    "fx_evidence": _l("exchange rate"),
    "import_batch": _l("import of prices"),
    "listing": _l("listing"),
    "loan": _l("loan"),
    "coop_recipient": _l("account at the card company"),
    "coop_share": _l("transfer of the co-op's share"),
    "payment": _l("payment"),
    "premium_invoice": _l("invoice of premium"),
    "community_scheme": _l("community currency"),
    "community_holder": _l("account in the community currency"),
    "community_leaving": _l("leaving the community currency"),
    "loan_repayment": _l("repayment of a loan"),
    "opening_balance": _l("opening balances"),
    "lot": _l("lot"),
    "market_quote": _l("market price"),
    "money_account": _l("bank account"),
    "order": _l("order"),
    "packaging": _l("packaging"),
    "payable_correction": _l("correction"),
    "payable_hold": _l("hold"),
    "payee_account": _l("payee account"),
    "payout": _l("payout"),
    "payout_file": _l("bank file"),
    "payout_run": _l("payout run"),
    "period_close": _l("close of a period"),
    "premium_item": _l("use of the premium"),
    "premium_spending": _l("payment of the premium"),
    "price_reference": _l("price row"),
    "processor_line": _l("line of the card processor"),
    "producer": _l("member"),
    "refund": _l("refund"),
    "seller_order": _l("order"),
    "site": _l("the site"),
    "statement_file": _l("statement file"),
    "statement_line": _l("statement line"),
    "term_alias": _l("word of a table"),
}
"""Kinds of records."""
_COMMON: Words = {**words.DECIDED, **words.ROLES, **words.RAILS, **words.BEARERS, **words.BOOKED, **words.CHECKS}
_STATES: Mapping[str, Words] = {
    "payout": words.PAYOUTS,
    "payout_run": words.RUNS,
    "order": words.ORDERS,
    "seller_order": words.ORDERS,
    "refund": words.REFUNDS,
    "statement_line": words.LINES,
    "listing": words.LISTINGS,
    "lot": words.ADVICE,
    "price_reference": words.PRICE_ROWS,
}
_MONEY = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?) ([A-Z]{3})")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(\+[0-9:]+|Z)")
_PRICES = frozenset({"amount", "price", "unit_price", "minimum_price", "premium", "organic_differential"})
_QUANTITIES = _PRICES | {
    "rate",
    "on_hand",
    "quantity",
    "quantities",
    "service_pct",
    "payment_pct",
    "tax_pct",
    "latitude",
    "longitude",
}
_FINGERPRINTS = frozenset({"sha256", "list_sha256"})
_STATED = frozenset({"advice", "state", "status", "outcome", "role", "rail", "bearer", "account"})


def action(code: str) -> str:
    """Return what was done; a code of another time as it stands."""
    return str(ACTIONS.get(code, code.replace(".", " ").replace("_", " ")))


def kind(code: str) -> str:
    """Return what kind of record it was done to."""
    return str(KINDS.get(code, code.replace("_", " ")))


def field(name: str) -> str:
    """Return the name of what changed."""
    return str(FIELDS.get(name, name.replace("_", " ")))


def recorded(values: Mapping[str, Any] | None, of: str = "") -> dict[str, tuple[str, str]]:
    """Return what an entry says, by its names in code: name and value as they are read.

    Minor units and plain prices stand with the currency that is recorded beside them, else with the co-op's.
    """
    said: dict[str, tuple[str, str]] = {}
    currency = (values or {}).get("currency")
    for name, given in (values or {}).items():
        if name.endswith("_minor") and isinstance(given, int):
            said[name] = field(name.removesuffix("_minor")), show_minor(given, currency or _home_currency())
        elif name in _PRICES and currency and isinstance(given, str) and _NUMBER.fullmatch(given):
            said[name] = field(name), show_unit_price(Decimal(given), currency)
        else:
            said[name] = field(name), value(name, given, of)
    amounts = len(said) > 1 and any(name in _PRICES or name.endswith("_minor") for name in said)
    return {name: both for name, both in said.items() if name != "currency" or not amounts}


def changes(
    old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, of: str = ""
) -> list[tuple[str, str | None, str | None]]:
    """Return name, old and new value of everything that an entry says; None where one of them says nothing."""
    before, after = recorded(old, of), recorded(new, of)
    read: list[tuple[str, str | None, str | None]] = []
    for name in dict.fromkeys((*before, *after)):
        words, _value = before.get(name) or after[name]
        read.append((words, before[name][1] if name in before else None, after[name][1] if name in after else None))
    return read


def _home_currency() -> str:
    if "home_currency" not in g:
        with unit_of_work() as session:
            g.home_currency = producers.coop(session, current_coop()).currency
    return str(g.home_currency)


def value(name: str, given: Any, of: str = "") -> str:
    """Return a value as it is read: states of the kind `of` in words, amounts by their currency, lists and tables on one line."""
    if given is None or given == "":
        return "–"
    if isinstance(given, bool):
        return str(_("yes") if given else _("no"))
    if isinstance(given, Mapping):
        if {"minor", "currency"} <= given.keys():
            return show_minor(given["minor"], given["currency"])
        if name == "totals":
            return ", ".join(_total(rail, *each) for rail, sums in given.items() for each in sums.items())
        if name == "quantities":
            return ", ".join(value(name, each, of) for each in given.values())
        return " · ".join(f"{words}: {shown}" for words, shown in recorded(given, of).values())
    if isinstance(given, list) and name == "fields":
        return ", ".join(field(each) for each in given)
    if isinstance(given, list):
        return ", ".join(value(name, each, of) for each in given) or "–"
    if name in _STATED:
        known = _STATES.get(of, {}).get(given) or _COMMON.get(given)
        return str(known[0]) if known else str(given)
    if name in _FINGERPRINTS:
        return f"{given[:16]}…"
    return _number(name, given) if isinstance(given, int | float) else _text(name, given)


def _number(name: str, given: float) -> str:
    """Return a number by the reader's locale; what is a number only in form stays as it is written."""
    return str(given) if name in ("number", "slip") else show_quantity(Decimal(str(given)))


def _text(name: str, given: str) -> str:
    """Return amounts, days, moments and quantities by the reader's locale, a sentence of the house in their language."""
    if money := _MONEY.fullmatch(given):
        return show_money(Money.parse(money[1], money[2]))
    if name in _QUANTITIES and _NUMBER.fullmatch(given):
        return show_quantity(Decimal(given))
    if _ID.fullmatch(given):  # whole in the list's files; people tell records apart by its beginning
        return f"{given[:8]}…"
    filters = current_app.jinja_env.filters
    if _DAY.fullmatch(given):
        return str(filters["day"](date.fromisoformat(given)))
    if _INSTANT.fullmatch(given):
        return str(filters["instant"](datetime.fromisoformat(given)))
    return told(given)


def _total(rail: str, currency: str, sums: tuple[int, int]) -> str:
    """Return what a run pays by one rail: how many, and the sum."""
    count, minor = sums
    return f"{value('rail', rail)}: {count}, {show_minor(minor, currency)}"
