"""Orders without a database: states, which account each part of a price belongs to, terms."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from market.kernel.money import Money, total
from market.kernel.words import N_, Term, say
from market.ledger.rules import Leg, legs
from market.orders.errors import WrongState
from market.payments.rules import Amounts

CARD_MINUTES = 60  # how long goods are held for a card payment; for a transfer the co-op says how many days
CONFIRM_DAYS = 14  # silence of the buyer counts as confirmation after this many days from dispatch
PAY_DAYS = 7  # what is earned falls due this many days later

HELD = ("paid", "shipped", "confirmed")  # paid and not yet earned
# part of a price -> component of the ledger's `held:*` accounts (L-5: they never share one)
COMPONENT = {
    "producer_goods": "goods",
    "organic_differential": "goods",
    "premium": "premium",
    "tax": "tax",
    "coop_service": "charges",
    "processing": "charges",
    "inland_transport": "charges",
    "export": "charges",
    "freight": "charges",
    "platform_fee": "charges",
    "payment_fee": "charges",
    "discount": "charges",
}
# where charges go when they are earned (E13); a discount lowers the co-op's own income
EARNED = {
    "coop_service": "fee_income",
    "processing": "fee_income",
    "platform_fee": "fee_income",
    "discount": "fee_income",
    "inland_transport": "transport_payable",
    "export": "transport_payable",
    "freight": "transport_payable",
    "payment_fee": "cost_recovered",
}
BEARERS = (("coop", "the co-op"), ("producer", "the producer"), ("carrier", "the carrier"))
_NEXT = {
    "placed": {"authorised", "paid", "cancelled"},
    "authorised": {"paid", "cancelled"},
    "paid": {"shipped", "refunded", "placed"},  # placed again: the payment was somebody else's
    "shipped": {"confirmed", "refunded"},
    "confirmed": {"settled", "refunded"},
    "settled": set(),
    "refunded": set(),
    "cancelled": set(),
}
STATES = tuple(_NEXT)
_WORDS = {
    "placed": N_("waits for payment"),
    "authorised": N_("is to be packed before it is charged"),
    "paid": N_("is paid and not yet sent"),
    "shipped": N_("is on its way"),
    "confirmed": "has arrived",
    "settled": N_("is settled with the producer"),
    "refunded": "was refunded",
    "cancelled": "was cancelled",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one buyer may have ordered and not paid; 0 is no limit. Kept goods are kept from everybody else.

    `per_email` and `per_address` count orders without an account in an hour; `unpaid` orders that wait for a transfer, four
    times as many from one network address, which a household or a shop may share; `unpaid_value` is what those of a buyer
    without an account may come to, in whole units of the currency.
    """

    per_email: int
    per_address: int
    unpaid: int
    unpaid_value: int


SHARED = 4


def next_state(now: str, wanted: str) -> str:
    """Return `wanted` when a seller order may go there from `now`. Raises WrongState in words."""
    if wanted not in _NEXT[now]:
        raise WrongState(
            say(
                "This order %(words)s; it cannot become “%(wanted)s” now.",
                words=Term(_WORDS[now]),
                wanted=Term(wanted.replace("_", " ")),
            ),
            state=now,
        )
    return wanted


def by_component(parts: Iterable[tuple[str, Money]], currency: str) -> dict[str, Money]:
    """Return the parts of a price summed as goods, premium, charges and tax."""
    sums = {name: Money.zero(currency) for name in ("goods", "premium", "charges", "tax")}
    for kind, money in parts:
        sums[COMPONENT[kind]] = sums[COMPONENT[kind]] + money
    return sums


def release_legs(parts: list[tuple[str, Money]], *, currency: str, payee: str) -> tuple[Leg, ...]:
    """Return the postings of E13: what was held is earned, the premium is set aside on its own account (law 3)."""
    sums = by_component(parts, currency)
    charges: dict[str, list[Money]] = {}
    for kind, money in parts:
        if COMPONENT[kind] == "charges":
            charges.setdefault(EARNED[kind], []).append(money)
    # A discount makes an amount negative: then the co-op's own income gives back to what is held.
    earned = [
        ("held:charges", account, amount) if amount.minor > 0 else (account, "held:charges", -amount)
        for account, amounts in charges.items()
        if (amount := total(amounts, currency))
    ]
    return legs(
        ("held:goods", f"payable:{payee}", sums["goods"]),
        ("held:premium", "fund_available", sums["premium"]),
        ("premium_bank", "bank:1", sums["premium"]),
        ("held:tax", "tax_payable", sums["tax"]),
        *earned,
    )


def taken_back_legs(
    amounts: Amounts, *, payee: UUID, off: Money, claim: Money, cost: Money, fee: Money, subject: UUID
) -> tuple[Leg, ...]:
    """Return the postings of E17 and E20: what was earned is owed to the buyer again, the reverse of E13 by quantity.

    Of the goods the producer bears `off` (not paid out yet) and `claim` (paid out: they owe it), the co-op `cost`; the premium
    leaves the fund with its quantity (R-02), `fee` is the co-op's own income, other charges are not got back.
    """
    return legs(
        (f"payable:{payee}", "refund_payable", off),
        (f"claim:{payee}", "refund_payable", claim),
        ("refund_cost", "refund_payable", cost),
        ("fund_available", "refund_payable", amounts.premium),
        ("bank:1", "premium_bank", amounts.premium),
        ("fee_income", "refund_payable", fee),
        ("refund_cost", "refund_payable", amounts.charges - fee),
        ("tax_payable", "refund_payable", amounts.tax),
        subject=subject,
    )


def earned_fee(parts: Iterable[tuple[str, Money]], currency: str) -> Money:
    """Return what of the charges became the co-op's own income; a discount can only use it up."""
    own = [money for kind, money in parts if EARNED.get(kind) == "fee_income"]
    return max(total(own, currency), Money.zero(currency))


def release_day(shipped_on: date) -> date:
    """Return the day on which silence counts as confirmation."""
    return shipped_on + timedelta(days=CONFIRM_DAYS)


def due_day(earned_on: date) -> date:
    """Return the day on which what was earned falls due."""
    return earned_on + timedelta(days=PAY_DAYS)
