"""What the codes of the books mean, in the reader's words: accounts, kinds of facts, parts of a price and who gets them.

The code stays beside the words, small: it is what files, colleagues and auditors name an account by.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from market.console import words
from market.producers import queries as producers
from market.statements import queries as statements

ACCOUNTS: dict[str, Any] = {
    "card_clearing": _l("Card payments that the processor has not shown yet"),
    "stripe": _l("Account at the card processor"),
    "bank": _l("Bank account"),
    "wallet": _l("Mobile-money account"),
    "suspense": _l("Statement lines that nobody has explained yet"),
    "sweep_transit": _l("On its way from the card processor to the bank"),
    "own_transit": _l("Own money between accounts"),
    "cash": _l("Cash box"),
    "cash_bag": _l("Bag of a cashier"),
    "premium_bank": _l("Money of the premium fund"),
    "advance": _l("Advance to a member"),
    "claim": _l("Owed to the co-op"),
    "premium_receivable": _l("Premium invoiced and not yet paid"),
    "buyer_receivable": _l("Invoiced to buyers and not yet paid"),
    "disputed": _l("Taken by the card processor for a dispute"),
    "fx": _l("Conversions between currencies that are open"),
    "held": _l("Paid by buyers, not yet earned"),
    "payable": _l("Owed to a producer"),
    "payable_on_hold": _l("Owed to a producer, held back"),
    "in_transit": _l("Paid out, on no statement yet"),
    "premium_in_transit": _l("Premium paid out, on no statement yet"),
    "refund_payable": _l("Refunds that were decided"),
    "buyer_credit": _l("Credit of a buyer"),
    "unidentified": _l("Money that came from nobody known"),
    "fund_available": _l("Premium fund, free"),
    "fund_committed": _l("Premium fund, promised to a plan"),
    "prefinance_payable": _l("Loan for a harvest"),
    "deposit_liability": _l("Deposits for packaging"),
    "season_pool": _l("Result of a season, to be shared out"),
    "retained_patronage": _l("Share of a member kept in the co-op"),
    "tax_payable": _l("Tax to be paid"),
    "transport_payable": _l("Owed to carriers"),
    "fee_income": _l("Service of the co-op"),
    "goods_sales": _l("Goods that the co-op sold itself"),
    "cost_recovered": _l("Cost of payments that buyers bore"),
    "fx_result": _l("Gain or loss of conversions"),
    "rounding": _l("Rounding"),
    "purchases": _l("Goods bought from members"),
    "payment_cost": _l("Fees of the card processor"),
    "bank_charges": _l("Bank charges"),
    "dispute_cost": _l("Fees of disputes"),
    "dispute_loss": _l("Disputes that were lost"),
    "refund_cost": _l("Refunds that the co-op bore"),
    "interest_cost": _l("Interest on loans"),
    "write_off": _l("Write-offs"),
    "lc": _l("Community currency of a holder"),
    "lc_held": _l("Community currency paid, not yet earned"),
    "opening": _l("Opening balances"),
    "surplus": _l("Result of the co-op"),
    "reserve": _l("Reserves"),
}
"""First word of an account's code -> what the account is (`ledger.rules.CHART`)."""
HELD: dict[str, Any] = {
    "goods": _l("goods"),
    "premium": _l("premium"),
    "charges": _l("charges"),
    "tax": _l("tax"),
}
FACTS: dict[str, Any] = {
    "advance_granted": _l("advance granted"),
    "advance_recovered": _l("advance recovered"),
    "cash_bag_issued": _l("bag given to a cashier"),
    "cash_bag_returned": _l("bag counted and back"),
    "cash_box_filled": _l("cash box filled"),
    "cash_paid": _l("paid in cash"),
    "cash_returned": _l("receipt taken back"),
    "correction": _l("correction"),
    "delivery_priced": _l("delivery entered"),
    "dispute.borne": _l("loss of a dispute borne"),
    "dispute.lost": _l("dispute lost"),
    "fx_agreed": _l("conversion agreed"),
    "fx_ended": _l("conversion ended"),
    "hold_ended": _l("hold ended"),
    "loan_repaid": _l("loan repaid"),
    "loan_repaid_taken_back": _l("repayment taken back"),
    "claim_given_up": _l("claim given up"),
    "community_transfer": _l("paid in the community currency"),
    "community_loss": _l("debt of a member who left, shared by all"),
    "premium_invoiced": _l("premium invoiced"),
    "premium_invoiced_taken_back": _l("invoice of premium taken back"),
    "processor.taken_back": _l("explanation of a card processor's line taken back"),
    "refund.met": _l("refund met by a lost dispute"),
    "offset": _l("purchase set off"),
    "opening": _l("opening balance"),
    "opening_corrected": _l("opening balance corrected"),
    "patronage": _l("result shared out"),
    "payable_held": _l("money held back"),
    "payment.paid": _l("buyer paid"),
    "payment.taken_less": _l("less was charged than was agreed"),
    "payout_scheduled": _l("payout approved"),
    "payout_undone": _l("payout came back"),
    "premium_closed": _l("plan of the fund closed"),
    "premium_item": _l("premium promised to a plan"),
    "premium_spending": _l("premium spent"),
    "processor.line": _l("line of the card processor"),
    "processor.match": _l("line of the card processor explained"),
    "refund.decided": _l("refund decided"),
    "refund.surplus": _l("surplus given back"),
    "release": _l("goods arrived, producer credited"),
    "season_closed": _l("season closed"),
    "second_payment": _l("second payment"),
    "statement_lines": _l("statement imported"),
    "statement_match": _l("statement line explained"),
    "statement_match_undone": _l("match taken back"),
}
"""Kind of a transaction -> what happened."""
_CORRECTION = re.compile(r"(?P<code>(?P<head>[a-z_]+)\S*): (?P<amounts>.+ → .+)")
PARTS: dict[str, Any] = {
    "producer_goods": _l("Goods"),
    "organic_differential": _l("Organic differential"),
    "premium": _l("Fair-trade premium"),
    "coop_service": _l("Service of the co-op"),
    "inland_transport": _l("Transport"),
    "payment_fee": _l("Payment"),
    "tax": _l("Tax"),
}
PARTIES: dict[str, Any] = {
    "buyer": _l("buyer"),
    "producer": _l("producer"),
    "premium_fund": _l("premium fund"),
    "coop": _l("co-op"),
    "carrier": _l("carrier"),
    "payment_provider": _l("payment provider"),
    "tax_office": _l("tax office"),
}


@dataclass(frozen=True, slots=True)
class Named:
    """A code with its words; `code` is empty where the words say as much."""

    words: str
    code: str = ""


def names(session: Session, coop_id: UUID) -> dict[str, str]:
    """Return what the second part of an account's code names: members by id, bank accounts by their codes."""
    found = {str(each.id): each.name for each in producers.producers_of(session, coop_id=coop_id)}
    for account in statements.accounts(session, coop_id=coop_id):
        found[account.mirror] = found[account.suspense] = account.name
    return found


def account(code: str, known: Mapping[str, str]) -> Named:
    """Return an account in words, with the person, bank account or way of payment that it is about where that is known."""
    head, _colon, rest = code.partition(":")
    what = str(ACCOUNTS[head]) if head in ACCOUNTS else code
    rail = str(words.RAILS[rest][0]) if head == "in_transit" and rest in words.RAILS else ""
    held = str(HELD[rest]) if head == "held" and rest in HELD else ""
    number = rest if head == "cash_bag" else ""
    about = known.get(rest) or known.get(code) or rail or held or number
    if code == "suspense:s":
        about = str(ACCOUNTS["stripe"])
    return Named(_("%(what)s: %(about)s", what=what, about=about) if about else what, code)


def handed_over(name: str) -> str:
    """Return the name of what was handed over; of a correction, which has the account by its code, with that in words."""
    found = _CORRECTION.fullmatch(name)
    if found is None or found["head"] not in ACCOUNTS:
        return name
    return f"{ACCOUNTS[found['head']]} ({found['code']}): {found['amounts']}"


def fact(kind: str) -> Named:
    """Return a kind of transaction in words."""
    return Named(str(FACTS[kind]), kind) if kind in FACTS else Named(kind)


def part(kind: str) -> Named:
    """Return a part of a price in words."""
    return Named(str(PARTS[kind])) if kind in PARTS else Named(kind)


def party(code: str) -> Named:
    """Return who pays or gets a part of a price in words."""
    return Named(str(PARTIES[code])) if code in PARTIES else Named(code)
