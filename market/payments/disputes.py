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


def dispute_lost(money: Money, dispute: UUID, *, claim_on: UUID | None = None) -> tuple[Leg, ...]:
    """E27: the co-op bears the loss; for a fault of the goods the producer owes it instead (E20)."""
    return legs((f"claim:{claim_on}" if claim_on else "dispute_loss", "disputed", money), subject=dispute)


def transfer_reversed(suspense: str, payee: UUID, money: Money, payout: UUID) -> tuple[Leg, ...]:
    """E22: a transfer to a payee was taken back and settles the claim."""
    return legs((suspense, f"claim:{payee}", money), subject=payout)
