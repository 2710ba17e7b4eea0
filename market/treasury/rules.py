"""What treasury events move, as legs (money.md 2, E10, E14, E35 to E40, E47, E53); pure.

The premium fund is a fund of its own (F-1): whatever leaves or reaches it moves on `premium_bank` by the same amount.
"""

from collections.abc import Iterable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from market.kernel.money import Money, exponent
from market.ledger.rules import Leg, legs


def premium_invoiced(money: Money, invoice: UUID) -> tuple[Leg, ...]:
    """E35: premium on account is held until it is there."""
    return legs(("premium_receivable", "held:premium", money), subject=invoice)


def premium_received(suspense: str, bank: str, money: Money, invoice: UUID) -> tuple[Leg, ...]:
    """E35: the invoice is paid, the premium is available and set aside."""
    return legs(
        (suspense, "premium_receivable", money),
        ("held:premium", "fund_available", money),
        ("premium_bank", bank, money),
        subject=invoice,
    )


def item_approved(item: UUID | str, money: Money, subject: UUID) -> tuple[Leg, ...]:
    """E36: the members' plan commits part of the fund; the reverse while nothing is scheduled is `item_closed`."""
    return legs(("fund_available", f"fund_committed:{item}", money), subject=subject)


def item_scheduled(item: UUID | str, money: Money, subject: UUID) -> tuple[Leg, ...]:
    """E36: a payment of a plan item is on its way."""
    return legs((f"fund_committed:{item}", "premium_in_transit", money), subject=subject)


def item_paid(suspense: str, bank: str, money: Money, subject: UUID) -> tuple[Leg, ...]:
    """E37: the statement shows it: the fund's own money went."""
    return legs(("premium_in_transit", suspense, money), (bank, "premium_bank", money), subject=subject)


def item_closed(item: UUID | str, rest: Money, subject: UUID) -> tuple[Leg, ...]:
    """E37: what an item did not need is available again."""
    return legs((f"fund_committed:{item}", "fund_available", rest), subject=subject)


def premium_owed_back(debtor: UUID | str, money: Money, subject: UUID) -> tuple[Leg, ...]:
    """E38: premium to be refunded was spent already: the organisation owes it, the fund never goes below zero."""
    return legs((f"claim:{debtor}", "refund_payable", money), subject=subject)


def loan_received(suspense: str, loan: UUID | str, money: Money, subject: UUID) -> tuple[Leg, ...]:
    """E39: pre-finance of a lender arrived."""
    return legs((suspense, f"prefinance_payable:{loan}", money), subject=subject)


def loan_repaid(loan: UUID | str, rail: str, principal: Money, interest: Money, subject: UUID) -> tuple[Leg, ...]:
    """E40: principal and interest are on their way to the lender, before members' money is computed."""
    transit = f"in_transit:{rail}"
    return legs((f"prefinance_payable:{loan}", transit, principal), ("interest_cost", transit, interest), subject=subject)


def share_taken(suspense: str, money: Money, share: UUID) -> tuple[Leg, ...]:
    """E52: the co-op's own money left the card processor for the co-op's account there; the bank's line ends it."""
    return legs(("own_transit", suspense, money), subject=share)


def loan_share_max(goods: Money, cap_percent: Decimal) -> Money:
    """Return the most that may be lent on goods, rounded down; the premium is never part of it (PFN-1)."""
    return Money(int(goods.minor * cap_percent // 100), goods.currency)


def interest(owed: Iterable[tuple[date, Money]], rate_percent: Decimal, until: date) -> int:
    """Return simple interest in minor units on what was owed from each day on, up to `until`, half up once (PFN-5).

    Actual days over 365; no interest on interest. `owed` is in the order of days.
    """
    steps = list(owed)
    ends = [day for day, _ in steps[1:]] + [until] * bool(steps)
    days = sum((money.minor * max((min(end, until) - day).days, 0) for (day, money), end in zip(steps, ends, strict=True)), 0)
    return int((Decimal(days) * rate_percent / 36_500).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def conversion_agreed(payee: UUID | str, owed: Money, agreed: Money, subject: UUID) -> tuple[Leg, ...]:
    """E47: a debt changes its currency at the rate that both sides saw; the position waits on `fx`."""
    return legs((f"payable:{payee}", "fx", owed), ("fx", f"payable:{payee}", agreed), subject=subject)


def conversion_settled(given: Money, given_from: str, got: Money, got_on: str, agreed: Money, subject: UUID) -> tuple[Leg, ...]:
    """E47: the bank exchanged `given` for `got`; what it took beyond the `agreed` amount is the co-op's, never a fund's."""
    exchanged = legs(("fx", given_from, given), (got_on, "fx", got), subject=subject)
    return exchanged + conversion_ended(given - agreed, subject)


def conversion_ended(over: Money, subject: UUID) -> tuple[Leg, ...]:
    """E47: what the bank took `over` the debt (below zero: less) is the co-op's result; nothing is left on `fx`."""
    result = ("fx_result", "fx", over) if over.minor > 0 else ("fx", "fx_result", -over)
    return legs(result, subject=subject)


def converted(owed: Money, currency: str, rate: Decimal) -> Money:
    """Return an amount at a rate, rounded half up once at the digits of the new currency (money.md 3)."""
    digits = Decimal(1).scaleb(-exponent(currency))
    return Money.of((owed.decimal * rate).quantize(digits, rounding=ROUND_HALF_UP), currency)


def community_paid(holder: UUID | str, money: Money, order: UUID) -> tuple[Leg, ...]:
    """E10: the part of an order that a holder pays in a community currency waits like the money does (M-7)."""
    return legs((f"lc:{holder}", "lc_held", money), subject=order)


def community_released(to: UUID | str, money: Money, order: UUID) -> tuple[Leg, ...]:
    """E14: the goods came, the community part is the co-op's."""
    return legs(("lc_held", f"lc:{to}", money), subject=order)


def community_back(source: str, holder: UUID | str, money: Money, order: UUID) -> tuple[Leg, ...]:
    """Take back E10 from `lc_held`, E14 from the co-op's account: what was paid in a tender goes back in it."""
    return legs((source, f"lc:{holder}", money), subject=order)


def community_transferred(payer: UUID | str, payee: UUID | str, money: Money, transfer: UUID) -> tuple[Leg, ...]:
    """One holder pays another: what one has less the other has more, and the sum over all stays zero (M-1)."""
    return legs((f"lc:{payer}", f"lc:{payee}", money), subject=transfer)


def community_loss_shared(holder: UUID | str, debt: Money, decision: UUID) -> tuple[Leg, ...]:
    """E53: a member left with a debt; the members' decision moves it to the shared loss, the sum stays zero (M-9)."""
    return legs(("lc:shared_loss", f"lc:{holder}", debt), subject=decision)
