"""What wallets, bags and written-off claims move, as legs (money.md 2, E45, E46, E49); pure."""

from uuid import UUID

from market.kernel.money import Money
from market.ledger.rules import Leg, legs


def wallet_paid(suspense: str, sent: Money, fee: Money, payout: UUID) -> tuple[Leg, ...]:
    """E45: rows of a mobile-money wallet, the fee a row of its own, are matched to a payout."""
    return legs(("in_transit:momo", suspense, sent), ("bank_charges", suspense, fee), subject=payout)


def bag_issued(bag: str, box: str, money: Money, subject: UUID) -> tuple[Leg, ...]:
    """E46: cash leaves the box in a cashier's bag; the reverse is `bag_returned`."""
    return legs((f"cash_bag:{bag}", box, money), subject=subject)


def paid_from_bag(bag: str, money: Money, payout: UUID) -> tuple[Leg, ...]:
    """E46: a receipt shows that a payee was paid from the bag."""
    return legs(("in_transit:cash", f"cash_bag:{bag}", money), subject=payout)


def bag_returned(bag: str, box: str, back: Money, cashier: str, subject: UUID, *, missing: Money) -> tuple[Leg, ...]:
    """E46: issued = paid + returned; what is missing stays on the cashier until somebody owns it."""
    return legs((box, f"cash_bag:{bag}", back), (f"claim:{cashier}", f"cash_bag:{bag}", missing), subject=subject)


def claim_written_off(debtor: str, money: Money, subject: UUID) -> tuple[Leg, ...]:
    """E49: a small claim is given up, with a reason and above a limit a second person."""
    return legs(("write_off", f"claim:{debtor}", money), subject=subject)
