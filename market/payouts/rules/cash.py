"""Cash paid out by hand: what a receipt must say before the money counts as paid (money.md 6.2, solidarity.md 4).

Cash has no bank statement. The signed receipt is the only proof, so it names the cashier, how the payee signed, and
a witness where the payee gives a thumb print. Nobody takes money for another person without a written mandate.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from market.kernel.money import Money
from market.kernel.words import N_, say
from market.payouts.errors import ReceiptRefused

_NUMBER = re.compile(r"[A-Z0-9][A-Z0-9/-]{0,29}")


class Signed(StrEnum):
    """How the payee confirmed the money."""

    SIGNATURE = "signature"
    THUMB = "thumb"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt as it stands on paper. `taken_by` is whoever took the money, `mandate` the paper if not the payee."""

    number: str
    paid_on: date
    money: Money
    cashier: str
    taken_by: str
    signed: Signed
    witness: str | None = None
    mandate: str | None = None


def check_receipt(receipt: Receipt, *, owed: Money, payee: str, approved_on: date, today: date) -> Receipt:
    """Return the receipt with its number in capitals. Raises ReceiptRefused, saying what is missing or does not fit."""
    number = receipt.number.strip().upper()
    problems = [
        ("number", N_("The receipt number has 1 to 30 letters, digits, - or /."), _NUMBER.fullmatch(number) is None),
        ("amount", say("The receipt must say %(owed)s: cash is paid whole or not at all.", owed=owed), receipt.money != owed),
        ("paid_on", N_("The day cannot lie before the approval or after today."), not approved_on <= receipt.paid_on <= today),
        ("cashier", N_("Say who paid the money out."), not receipt.cashier.strip()),
        ("witness", N_("A thumb print needs a witness."), receipt.signed is Signed.THUMB and not (receipt.witness or "").strip()),
        (
            "witness",
            N_("The witness must be a third person."),
            any(_same(receipt.witness, other) for other in (receipt.cashier, receipt.taken_by, payee)),
        ),
        (
            "cashier",
            N_("Nobody pays cash to themselves."),
            any(_same(receipt.cashier, other) for other in (receipt.taken_by, payee)),
        ),
        (
            "mandate",
            say("Only %(payee)s can take this money, or somebody with a written mandate.", payee=payee),
            not _same(receipt.taken_by, payee) and not (receipt.mandate or "").strip(),
        ),
    ]
    for field, sentence, wrong in problems:
        if wrong:
            raise ReceiptRefused(sentence, pointer=f"/{field}")
    return Receipt(
        number=number,
        paid_on=receipt.paid_on,
        money=receipt.money,
        cashier=receipt.cashier.strip(),
        taken_by=receipt.taken_by.strip(),
        signed=receipt.signed,
        witness=(receipt.witness or "").strip() or None,
        mandate=(receipt.mandate or "").strip() or None,
    )


def _same(one: str | None, other: str | None) -> bool:
    return bool(one and other) and _folded(one or "") == _folded(other or "")


def _folded(name: str) -> str:
    """Return a name as it is compared: an é may be one sign or an e with an accent, as the phone writes it."""
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())
