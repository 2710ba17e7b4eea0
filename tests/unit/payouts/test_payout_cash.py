"""Cash receipts: what must stand on the paper before cash counts as paid."""

from dataclasses import replace
from datetime import date

import pytest

from market.kernel.money import Money
from market.payouts.errors import ReceiptRefused
from market.payouts.rules.cash import Receipt, Signed, check_receipt

OWED = Money(1860000, "RWF")
RECEIPT = Receipt(
    number="a7-0412",
    paid_on=date(2026, 11, 25),
    money=OWED,
    cashier="Claudine Uwase",
    taken_by="Jean Habimana",
    signed=Signed.SIGNATURE,
)


def check(receipt: Receipt) -> Receipt:
    return check_receipt(receipt, owed=OWED, payee="Jean  Habimana", approved_on=date(2026, 11, 24), today=date(2026, 11, 25))


def test_a_signed_receipt_is_accepted_with_its_number_in_capitals() -> None:
    assert check(RECEIPT).number == "A7-0412"


def test_a_thumb_print_counts_with_a_witness() -> None:
    assert check(replace(RECEIPT, signed=Signed.THUMB, witness="Odette Mukamana")).witness == "Odette Mukamana"


def test_somebody_with_a_mandate_may_take_the_money() -> None:
    assert check(replace(RECEIPT, taken_by="Rose Habimana", mandate="letter of 20 Nov")).taken_by == "Rose Habimana"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"number": " "}, "number"),
        ({"number": "A" * 31}, "number"),
        ({"money": Money(1859999, "RWF")}, "amount"),
        ({"paid_on": date(2026, 11, 23)}, "paid_on"),
        ({"paid_on": date(2026, 11, 26)}, "paid_on"),
        ({"cashier": ""}, "cashier"),
        ({"cashier": "jean habimana"}, "cashier"),
        ({"signed": Signed.THUMB}, "witness"),
        ({"signed": Signed.THUMB, "witness": "claudine  uwase"}, "witness"),
        ({"signed": Signed.THUMB, "witness": "Jean Habimana"}, "witness"),
        ({"taken_by": "Rose Habimana"}, "mandate"),
        ({"taken_by": "Rose Habimana", "mandate": "M-1", "cashier": "Jean Habimana"}, "cashier"),
        ({"taken_by": "Rose Habimana", "mandate": "M-1", "signed": Signed.THUMB, "witness": "Jean Habimana"}, "witness"),
        ({"cashier": "Ine\u0301s", "signed": Signed.THUMB, "witness": "In\u00e9s"}, "witness"),
    ],
)
def test_a_receipt_that_proves_nothing_is_refused(change: dict[str, object], field: str) -> None:
    with pytest.raises(ReceiptRefused) as refusal:
        check(replace(RECEIPT, **change))  # type: ignore[arg-type]
    assert refusal.value.pointer == f"/{field}"
