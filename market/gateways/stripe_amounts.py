"""Amounts as Stripe writes them, which is not always as ISO 4217 does (money.md 3; docs.stripe.com/currencies).

Zero-decimal currencies are sent in whole units, also MGA, which has two decimals by the standard; ISK has none by
the standard and is sent with two; amounts with three decimals must end in 0. Sources disagree on UGX, so it is
refused until somebody has tried it with a live test account.
"""

from market.kernel.money import EXPONENTS, Money

ZERO_DECIMAL = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
)
THREE_DECIMAL = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])
_TWO = (
    "USD AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BND BOB BRL BSD BWP BZD CAD CDF CHF CNY COP CRC CVE "
    "CZK DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR ISK JMD KES KGS "
    "KHR KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD "
    "PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SEK SGD SHP SLE SOS SRD SZL THB TJS TOP TRY TTD TWD "
    "TZS UAH UYU UZS WST XCD YER ZAR ZMW"
)
TWO_DECIMAL = frozenset(_TWO.split())


class NotTaken(ValueError):
    """Stripe does not take this currency, or cannot express this amount."""


def places(currency: str) -> int:
    """Return how many decimals Stripe's amounts have in `currency`. Raises NotTaken."""
    if currency in ZERO_DECIMAL:
        return 0
    if currency in THREE_DECIMAL:
        return 3
    if currency in TWO_DECIMAL and currency in EXPONENTS:
        return 2
    raise NotTaken(f"Cards cannot be charged in {currency}.")


def to_stripe(money: Money) -> int:
    """Return the integer that Stripe expects. Raises NotTaken when the amount cannot be said exactly."""
    shift = places(money.currency) - EXPONENTS[money.currency]
    amount, rest = _scaled(money.minor, shift)
    if rest or (money.currency in THREE_DECIMAL and amount % 10):
        raise NotTaken(f"{money.text} has more digits than cards can carry.")
    return amount


def from_stripe(amount: int, currency: str) -> Money:
    """Return Stripe's integer as money. Raises NotTaken for an unknown currency or an impossible amount."""
    code = currency.upper()
    shift = EXPONENTS.get(code, 0) - places(code)
    minor, rest = _scaled(amount, shift)
    if rest:
        raise NotTaken(f"{amount} is no whole amount of {code}.")
    return Money(minor, code)


def _scaled(number: int, shift: int) -> tuple[int, int]:
    factor: int = 10 ** abs(shift)
    return (number * factor, 0) if shift >= 0 else divmod(number, factor)
