"""The code of a bank transfer says what EPC069-12 asks for, line by line, and nothing for other currencies."""

import pytest
import segno

from market.kernel.money import Money
from market.orders.queries import TransferInstructions
from market.web.transfers import code_of


def instructions(**values) -> TransferInstructions:
    known = {"holder": "Kooperativa Mlima", "iban": "DE89370400440532013000", "bic": "COBADEFFXXX"}
    return TransferInstructions(**known | {"amount": Money(10005, "EUR"), "reference": "RF26 1000 0047 11"} | values)


@pytest.mark.parametrize("bic", ["COBADEFFXXX", None])
def test_the_code_is_the_one_that_the_standard_writes(bic):
    service, letters = ["BCD", "002", "2", "SCT"], [bic or "", "Kooperativa Mlima", "DE89370400440532013000", "EUR100.05"]
    payload = "\n".join([*service, *letters, "", "RF261000004711"])  # 002: no BIC needed; 2: ISO 8859-1; no purpose
    wanted = segno.make_qr(payload, error="m", boost_error=False)
    shape = {"border": 4, "scale": 4, "svgclass": "qr", "lineclass": None, "light": "#fff", "dark": "#000"}
    assert str(code_of(instructions(bic=bic))) == wanted.svg_inline(**shape)


def test_there_is_none_without_instructions_or_in_another_currency():
    assert code_of(None) is None
    assert code_of(instructions(amount=Money(100, "RWF"))) is None
