"""Numbers of runs and payouts, and the reference that travels with the money (money.md 5; ISO 11649).

`RF`, two check digits (ISO 7064 mod 97-10), the digit 2 for payouts, nine digits of the payout's number. Digits only,
because then every mistyped digit and every swap of two digits is caught.
"""

LARGEST = 999_999_999
_PAYOUT = 2
_RF_AS_DIGITS = 271500  # R = 27, F = 15, and 00 where the check digits will stand


def reference_of(number: int) -> str:
    """Return the creditor reference of payout `number`. Raises ValueError outside nine digits."""
    if not 1 <= number <= LARGEST:
        raise ValueError(f"{number} is not a payout number")
    digits = _PAYOUT * 10**9 + number
    return f"RF{98 - (digits * 10**6 + _RF_AS_DIGITS) % 97:02d}{digits}"


def shown(reference: str) -> str:
    """Return a reference in groups of four, as people read it."""
    return " ".join(reference[start : start + 4] for start in range(0, len(reference), 4))


def payout_number(number: int) -> str:
    """Return the number of a payout as people and banks see it."""
    return f"PO-{number:09d}"


def run_number(number: int) -> str:
    """Return the number of a payout run as people and banks see it."""
    return f"RUN-{number:06d}"
