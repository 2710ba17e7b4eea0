"""RF creditor references (ISO 11649): what a payer writes on a transfer so that we know what it is for.

`RF` + two check digits (ISO 7064 mod 97-10) + a digit for the kind + nine digits of a number. Digits only, because
then every wrong digit and every swap of two digits is caught; with letters mixed in, not (money.md 5). Finding them
in what a bank delivers is the statements' affair.
"""

import re
from enum import IntEnum

NUMBERS = 10**9
_REFERENCE = re.compile(r"RF[0-9]{2}[1-5][0-9]{9}")


class Kind(IntEnum):
    """What a reference stands for: the digit after the check digits."""

    PAYMENT = 1
    PAYOUT = 2
    REFUND = 3
    PREMIUM = 4
    LOAN = 5


def reference(kind: Kind, number: int) -> str:
    """Return the reference of `number`, such as RF261000004711. Raises ValueError beyond nine digits."""
    if not 0 < number < NUMBERS:
        raise ValueError(f"{number} does not fit into nine digits")
    body = f"{int(kind)}{number:09d}"
    return f"RF{98 - int(body + '271500') % 97:02d}{body}"


def parse(text: str) -> tuple[Kind, int] | None:
    """Return kind and number of a reference, spaces, hyphens and case aside, or None when it is none or mistyped."""
    plain = re.sub(r"[\s-]", "", text).upper()
    if _REFERENCE.fullmatch(plain) is None or not checks(plain):
        return None
    return Kind(int(plain[4])), int(plain[5:])


def bare(text: str) -> str:
    """Return what somebody typed of a reference or number as they are kept: capitals and figures alone."""
    return "".join(sign for sign in text.upper() if sign.isalnum())


def checks(plain: str) -> bool:
    """Return whether the check digits of RF and twelve digits are those of the rest."""
    return 2 <= int(plain[2:4]) <= 98 and int(f"{plain[4:]}2715{plain[2:4]}") % 97 == 1


def grouped(plain: str) -> str:
    """Return the reference as people read it: RF26 1000 0047 11."""
    return " ".join(plain[i : i + 4] for i in range(0, len(plain), 4))
