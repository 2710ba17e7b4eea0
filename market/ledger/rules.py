"""The chart of accounts and what a transaction is, without a database (money.md 1.2)."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from market.kernel.money import Money
from market.kernel.words import say
from market.ledger.errors import UnknownAccount

DEBIT, CREDIT = 1, -1
MOST_MINOR = 10**15
"""The largest amount of a posting, in minor units (money.md 1.4)."""
_CODE = re.compile(r"[a-z][a-z0-9_]*(:[A-Za-z0-9_-]+)*")


@dataclass(frozen=True, slots=True)
class Kind:
    """How accounts of one kind behave: the side on which they grow, a floor, how hot they are."""

    side: int
    floor: int | None = None
    slots: int = 1


_HOT = 16
CHART: dict[str, Kind] = {
    "card_clearing": Kind(DEBIT, slots=_HOT),
    "stripe": Kind(DEBIT),
    "bank": Kind(DEBIT),
    "wallet": Kind(DEBIT),
    "suspense": Kind(DEBIT),
    "sweep_transit": Kind(DEBIT),
    "own_transit": Kind(DEBIT),
    "cash": Kind(DEBIT, floor=0),
    "cash_bag": Kind(DEBIT, floor=0),
    "premium_bank": Kind(DEBIT, floor=0),
    "advance": Kind(DEBIT, floor=0),
    "claim": Kind(DEBIT, floor=0),
    "premium_receivable": Kind(DEBIT),
    "buyer_receivable": Kind(DEBIT),
    "disputed": Kind(DEBIT),
    "fx": Kind(DEBIT),
    "held": Kind(CREDIT, slots=_HOT),
    "payable": Kind(CREDIT, floor=0),
    "payable_on_hold": Kind(CREDIT, floor=0),
    "in_transit": Kind(CREDIT),
    "premium_in_transit": Kind(CREDIT),
    "refund_payable": Kind(CREDIT, floor=0),
    "buyer_credit": Kind(CREDIT, floor=0),
    "unidentified": Kind(CREDIT, floor=0),
    "fund_available": Kind(CREDIT, floor=0),
    "fund_committed": Kind(CREDIT, floor=0),
    "prefinance_payable": Kind(CREDIT, floor=0),
    "deposit_liability": Kind(CREDIT, floor=0),
    "season_pool": Kind(CREDIT, floor=0),
    "retained_patronage": Kind(CREDIT, floor=0),
    "tax_payable": Kind(CREDIT, slots=_HOT),
    "transport_payable": Kind(CREDIT),
    "fee_income": Kind(CREDIT, slots=_HOT),
    "goods_sales": Kind(CREDIT),
    "cost_recovered": Kind(CREDIT),
    "fx_result": Kind(CREDIT),
    "rounding": Kind(CREDIT),
    "purchases": Kind(DEBIT),
    "payment_cost": Kind(DEBIT),
    "bank_charges": Kind(DEBIT),
    "dispute_cost": Kind(DEBIT),
    "dispute_loss": Kind(DEBIT),
    "refund_cost": Kind(DEBIT),
    "interest_cost": Kind(DEBIT),
    "write_off": Kind(DEBIT),
    "lc": Kind(CREDIT),
    "lc_held": Kind(CREDIT),
    "opening": Kind(CREDIT),
    "surplus": Kind(CREDIT),
    "reserve": Kind(CREDIT),
}


def kind_of(code: str) -> Kind:
    """Return how an account behaves by the first word of its code. Raises UnknownAccount, also for signs that no code has."""
    kind = CHART.get(code.partition(":")[0])
    if kind is None or not _CODE.fullmatch(code):
        raise UnknownAccount(say("The chart of accounts has no account '%(code)s'.", code=code))
    return kind


@dataclass(frozen=True, slots=True)
class Leg:
    """A positive amount moved from the account `credit` to the account `debit`; `subject` is what it is about."""

    debit: str
    credit: str
    money: Money
    subject: UUID | None = None

    def about(self, subject: UUID) -> "Leg":
        """Return the same movement with `subject` as what it is about."""
        return Leg(self.debit, self.credit, self.money, subject)

    def mirrored(self) -> "Leg":
        """Return the leg that takes this one back."""
        return Leg(self.credit, self.debit, self.money, self.subject)


@dataclass(frozen=True, slots=True)
class Entry:
    """A transaction to be booked: `key` names the business fact, never the attempt; `on` is its own day, never today."""

    book_id: int
    kind: str
    key: str
    on: date
    actor: str
    legs: tuple[Leg, ...]
    reverses: int | None = None
    note: dict[str, Any] | None = None


def legs(*moves: tuple[str, str, Money], subject: UUID | None = None) -> tuple[Leg, ...]:
    """Return legs about one subject, leaving out moves of nothing."""
    return tuple(Leg(debit, credit, money, subject) for debit, credit, money in moves if money)
