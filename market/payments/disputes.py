"""What a card dispute and a transfer taken back move, as legs (money.md 2, E22, E23, E25 to E27); pure."""

from uuid import UUID

from market.kernel.money import Money
from market.ledger.rules import Leg, legs


def dispute_opened(suspense: str, taken: Money, fee: Money, dispute: UUID) -> tuple[Leg, ...]:
    """E25: the card network took the amount and the processor its fee, on one line of the processor's statement."""
    return legs(("disputed", suspense, taken), ("dispute_cost", suspense, fee), subject=dispute)


def dispute_won(suspense: str, money: Money, dispute: UUID) -> tuple[Leg, ...]:
    """E26: the money is back."""
    return legs((suspense, "disputed", money), subject=dispute)


def dispute_lost(money: Money, dispute: UUID) -> tuple[Leg, ...]:
    """E27: the co-op bears the loss, until a person names others."""
    return legs(("dispute_loss", "disputed", money), subject=dispute)


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
