"""What payouts, wallets, bags and written-off claims move, as legs (money.md 2, E18, E19, E21, E41 to E46, E49); pure."""

from uuid import UUID

from market.kernel.money import Money
from market.ledger.rules import Leg, legs


def scheduled(payee: UUID, rail: str, money: Money, payout: UUID, *, deducted: Money) -> tuple[Leg, ...]:
    """E18, E21: an approved payout is on its way, and a claim is netted against what was owed; the reverse is `undone`."""
    payable = f"payable:{payee}"
    return legs((payable, f"in_transit:{rail}", money), (payable, f"claim:{payee}", deducted), subject=payout)


def settled(rail: str, suspense: str, money: Money, payout: UUID) -> tuple[Leg, ...]:
    """E19, E41, E44: a statement's line shows the payout; the reverse is `returned`, or the match undone."""
    return legs((f"in_transit:{rail}", suspense, money), subject=payout)


def undone(payee: UUID, rail: str, money: Money, payout: UUID, *, deducted: Money) -> tuple[Leg, ...]:
    """E42: nothing was paid, so that all is owed again, both ways; the exact reverse of `scheduled`."""
    return tuple(leg.mirrored() for leg in scheduled(payee, rail, money, payout, deducted=deducted))


def returned(payee: UUID, suspense: str, back: Money, kept: Money, payout: UUID, *, deducted: Money) -> tuple[Leg, ...]:
    """E43: a paid payout came back, less what the bank `kept`: the debt is whole again, and so is a netted claim.

    The reverse is the match undone (`payouts.service.stay_paid`).
    """
    payable = f"payable:{payee}"
    return legs((suspense, payable, back), ("bank_charges", payable, kept), (f"claim:{payee}", payable, deducted), subject=payout)


def paid_from_box(box: str, money: Money, payout: UUID) -> tuple[Leg, ...]:
    """E46 without a bag: a receipt shows that a payee was paid from the box."""
    return legs(("in_transit:cash", box, money), subject=payout)


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
