"""The form in which an account to pay to is entered, by a producer or by the co-op's staff."""

from collections.abc import Mapping

from market.http.forms import text
from market.producers.rules import PayTo, PostalAddress


def pay_to(form: Mapping[str, str]) -> PayTo:
    """Return what was typed; the rules check it."""
    address = PostalAddress(
        **{part: text(form, part) for part in ("street", "building", "town", "postcode")}, country=text(form, "country").upper()
    )
    return PayTo(
        rail=text(form, "rail"),
        currency=text(form, "currency").upper(),
        holder=text(form, "holder"),
        address=address,
        iban=text(form, "iban") or None,
        bic=text(form, "bic") or None,
        stripe_account=text(form, "stripe_account") or None,
        msisdn=text(form, "msisdn") or None,
    )
