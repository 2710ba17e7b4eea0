"""A bank transfer as a code that banking apps read (EPC069-12, "Girocode")."""

from decimal import Decimal
from functools import lru_cache

from markupsafe import Markup
from segno import helpers

from market.orders.queries import TransferInstructions


def code_of(instructions: TransferInstructions | None) -> Markup | None:
    """Draw the code; None without instructions and for other currencies than the euro, which the standard does not know."""
    if instructions is None or instructions.amount.currency != "EUR":
        return None
    money = instructions.amount.decimal
    return _drawn(instructions.holder, instructions.iban, instructions.bic, money, instructions.reference)


@lru_cache(maxsize=256)
def _drawn(holder: str, iban: str, bic: str | None, amount: Decimal, reference: str) -> Markup:
    code = helpers.make_epc_qr(name=holder[:70], iban=iban, amount=amount, reference=reference.replace(" ", ""), bic=bic)
    return Markup(code.svg_inline(border=4, scale=4, svgclass="qr", lineclass=None, light="#fff", dark="#000"))  # noqa: S704 - numbers
