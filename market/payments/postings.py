"""What the processor's lines, refunds and card disputes move, as legs (money.md 2); pure.

A line of the processor's statement is booked twice: as it came (`line_booked`), and as what it means (`line_matched`), so that
the mirror always agrees with the processor.
"""

from collections.abc import Mapping
from uuid import UUID

from market.kernel.money import Money
from market.ledger.rules import Leg, legs
from market.payments.rules import Amounts

MIRROR, SUSPENSE = "stripe:1", "suspense:s"
COUNTER = {
    "charge": "card_clearing",
    "payment": "card_clearing",
    "refund": "refund_payable",
    "payment_refund": "refund_payable",
    "refund_failure": "refund_payable",
    "payment_failure_refund": "refund_payable",
    "transfer": "in_transit:stripe",
    "transfer_refund": "claim",  # of the payee, by whoever knows the payout
    "payout": "sweep_transit",
    "payout_failure": "sweep_transit",
    "payout_cancel": "sweep_transit",
    "adjustment": "disputed",
}
"""Kind of a processor's line -> the account against which its amount is matched."""
FEES = {"adjustment": "dispute_cost"}
"""Where the fee of a line is booked that is not the cost of a payment."""


def line_booked(net: Money, subject: UUID) -> tuple[Leg, ...]:
    """First half of E03, E04, E15, E22, E23, E25, E26, E44: what moved on the processor's account wants an explanation."""
    return signed(MIRROR, SUSPENSE, net, subject)


def line_matched(kind: str, gross: Money, fee: Money, subject: UUID) -> tuple[Leg, ...]:
    """Second half of E03, E04, E15, E23, E25, E26: the line is a payment, refund, payout or dispute, its fee a cost.

    What comes back is the reverse: `refund_failure` of `refund`, `payout_failure` of `payout`, a dispute won of one opened.
    """
    return signed(SUSPENSE, COUNTER[kind], gross, subject) + fee_matched(kind, fee, subject)


def fee_matched(kind: str, fee: Money, subject: UUID) -> tuple[Leg, ...]:
    """Return what the fee of a line costs."""
    return signed(FEES.get(kind, "payment_cost"), SUSPENSE, fee, subject)


def explained(account: str, money: Money, subject: UUID) -> tuple[Leg, ...]:
    """E51, E52: a person says what a line is that nothing of ours explains; `money` is below zero where it went out."""
    return signed(SUSPENSE, account, money, subject)


def signed(debit: str, credit: str, money: Money, subject: UUID) -> tuple[Leg, ...]:
    """A negative amount moves the other way, nothing moves nothing."""
    if not money:
        return ()
    return (Leg(debit, credit, money, subject) if money.minor > 0 else Leg(credit, debit, -money, subject),)


def refund_decided(amounts: Amounts, subject: UUID) -> tuple[Leg, ...]:
    """E15, E16: what was paid and not yet earned is owed to the buyer again: the reverse of E02 and E05, by quantity."""
    return tuple(Leg(f"held:{name}", "refund_payable", money, subject) for name, money in amounts.components() if money)


def surplus_given_back(source: str | None, credit: str, money: Money, subject: UUID) -> tuple[Leg, ...]:
    """E09: money that nothing wanted goes back over the buyer's credit; without a `source` it lies there already."""
    there = (Leg(source, credit, money, subject),) if source else ()
    return (*there, Leg(credit, "refund_payable", money, subject))


def refund_paid(suspense: str, money: Money, subject: UUID) -> tuple[Leg, ...]:
    """E24: the bank's line shows that a refund was paid."""
    return legs(("refund_payable", suspense, money), subject=subject)


def dispute_lost(money: Money, dispute: UUID) -> tuple[Leg, ...]:
    """E27: the co-op bears the loss, until a person names others."""
    return legs(("dispute_loss", "disputed", money), subject=dispute)


def refund_met(money: Money, refund: UUID) -> tuple[Leg, ...]:
    """After E27: a refund was owed when the dispute was lost; the buyer has it, and the loss is the smaller by it."""
    return legs(("refund_payable", "dispute_loss", money), subject=refund)


def loss_borne(payee: UUID, *, off: Money, claim: Money, premium: Money, subject: UUID) -> tuple[Leg, ...]:
    """Take from the co-op's loss what others bear, as after a refund: the producer what is not yet paid out (E17) and what
    they owe from now on (E20), the fund the premium of goods that nobody bought.
    """
    return legs(
        (f"payable:{payee}", "dispute_loss", off),
        (f"claim:{payee}", "dispute_loss", claim),
        ("fund_available", "dispute_loss", premium),
        ("bank:1", "premium_bank", premium),
        subject=subject,
    )


def transfer_reversed(suspense: str, payee: UUID, money: Money, payout: UUID) -> tuple[Leg, ...]:
    """E22: a transfer to a payee was taken back and settles the claim."""
    return legs((suspense, f"claim:{payee}", money), subject=payout)


def cash_sale(box: str, held: Mapping[str, Money], paid: Money, order: UUID) -> tuple[Leg, ...]:
    """E48: a sale for cash, rounded by rule to the coins there are; the difference is `rounding`, never goods or premium."""
    due = sum(held.values(), Money.zero(paid.currency))
    over = paid - due
    parts = [(box, f"held:{name}", money) for name, money in held.items()]
    if over.minor >= 0:
        return legs(*parts, (box, "rounding", over), subject=order)
    return legs(*parts, ("rounding", box, -over), subject=order)
