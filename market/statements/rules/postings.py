"""What a line of a bank's statement moves, as legs (money.md 1.1 and 2); pure.

A line is booked as it came, and each match explains a part of it: undoing one posts its mirror and touches nothing else.
"""

from uuid import UUID

from market.kernel.money import Money
from market.ledger.rules import Leg


def line_booked(mirror: str, suspense: str, money: Money, line: UUID) -> Leg:
    """First half of all that a bank shows: money that came, or (below zero) went, wants an explanation."""
    return Leg(mirror, suspense, money, line) if money.minor > 0 else Leg(suspense, mirror, -money, line)


def explained(suspense: str, account: str, money: Money, subject: UUID) -> Leg:
    """E12, E39, E40, E47, E50 to E52: a part of a line is booked to an account; `money` is below zero where it went out."""
    return Leg(suspense, account, money, subject) if money.minor > 0 else Leg(account, suspense, -money, subject)


def fee_kept(suspense: str, fee: Money, line: UUID) -> tuple[Leg, ...]:
    """E41, E43, E45: what the bank kept for itself inside a line."""
    return (Leg("bank_charges", suspense, fee, line),) if fee else ()
