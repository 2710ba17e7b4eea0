"""Money in integer minor units, and the one place where it is split or rounded (money.md 3).

Exponents follow ISO 4217 as published on 2026-01-01. They are our own table because display
libraries differ from the standard for several currencies (MGA, LAK and MMK among them).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from market.kernel import numbers

_ZERO = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_TWO = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC "
    "CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD "
    "KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO "
    "NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL "
    "THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW"
)
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"
EXPONENTS: dict[str, int] = {
    code: digits for digits, codes in ((0, _ZERO), (2, _TWO), (3, _THREE), (4, _FOUR)) for code in codes.split()
}
COMMUNITY = {"XCC": 2}
"""Units of mutual credit that books may hold beside money; nobody is paid or priced in them (money.md 1.2, `lc`)."""
_AMOUNT = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]+))?")
_DIGITS = EXPONENTS | COMMUNITY


def exponent(currency: str) -> int:
    """Return the number of minor digits of `currency` by ISO 4217, or of a community's. Raises ValueError when unknown."""
    digits = _DIGITS.get(currency)
    if digits is None:
        raise ValueError(f"{currency!r} is not a currency of ISO 4217")
    return digits


class Unclear(numbers.Unclear):
    """An amount that can be read with thousands or with decimals, such as `1.250` or `1,250` euros.

    Nobody's language tells: many write one way and read pages in another, and between the two lies a factor of a thousand.
    `thousands` is the one reading; `plain` and `decimals` are how to write either so that it is clear.
    """

    def __init__(self, thousands: int, fraction: str, currency: str) -> None:
        decimals = f"{str(thousands)[:-3]}.{fraction.ljust(4, '0')[: exponent(currency)]}"
        super().__init__(f"{thousands} {currency}", plain=str(thousands), decimals=decimals)
        self.thousands = Money(thousands * 10 ** exponent(currency), currency)


def round_half_up(value: Decimal) -> int:
    """Round to a whole number, half away from zero: the one rounding rule, applied once per line."""
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount of `minor` units in one ISO 4217 currency. Adding two currencies raises ValueError."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"money is whole minor units, not {self.minor!r}")
        exponent(self.currency)

    @classmethod
    def zero(cls, currency: str) -> "Money":
        """Return nothing, in `currency`."""
        return cls(0, currency)

    @classmethod
    def of(cls, amount: Decimal, currency: str) -> "Money":
        """Round a decimal amount of major units half up to the currency's minor unit."""
        return cls(round_half_up(amount.scaleb(exponent(currency))), currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> "Money":
        """Read a plain decimal such as `-12.50`; more digits than the currency has must be zeros.

        Raises ValueError for anything else: no exponent notation, no grouping, no float.
        """
        match = _AMOUNT.fullmatch(text.strip())
        digits = exponent(currency)
        if match is None:
            raise ValueError(f"{text!r} is not a plain decimal amount")
        sign, whole, fraction = match[1], match[2], match[3] or ""
        if fraction[digits:].strip("0"):
            raise ValueError(f"{text!r} has more digits than {currency} has")
        minor = int(whole + fraction[:digits].ljust(digits, "0"))
        return cls(-minor if sign else minor, currency)

    @classmethod
    def written(cls, text: str, currency: str) -> "Money":
        """Read an amount as people write it: `12.50`, `12,50`, `1,250.00`, `1.250,00`, `1 250,00 EUR`, in any digits of Unicode.

        One point or comma before three digits groups thousands where the currency has no minor digits, and begins the
        decimals where it has three; where it has two or four it may mean either, and is refused. Raises Unclear, ValueError.
        """
        plain = numbers.ascii_signs(text.upper().replace(currency, ""))
        marks = [sign for sign in plain if sign in ".,"]
        whole, mark, fraction = plain.rpartition(marks[-1]) if marks else (plain, "", "")
        alone = len(marks) == 1 and len(fraction) == 3 and exponent(currency) != 3
        if mark and (marks.count(mark) > 1 or alone):
            whole, fraction = plain, ""
        digits = numbers.grouped(whole)
        if digits is None:
            raise ValueError(f"{text!r} is not an amount")
        if alone and exponent(currency):
            raise Unclear(int(digits), digits[-3:], currency)
        return cls.parse(digits + (f".{fraction}" if fraction else ""), currency)

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    @property
    def text(self) -> str:
        """The amount as `12.50 EUR`, for messages and files; pages format by locale."""
        return f"{self.decimal:f} {self.currency}"

    def share(self, part: Decimal, whole: Decimal) -> "Money":
        """Return `part` of `whole` of the amount, rounded half up."""
        return Money(round_half_up(Decimal(self.minor) * part / whole), self.currency)

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor <= other.minor

    def __bool__(self) -> bool:
        return self.minor != 0


def total(amounts: Sequence[Money], currency: str) -> Money:
    """Return the sum of `amounts`, all of which must be in `currency`."""
    result = Money(sum(amount.minor for amount in amounts), currency)
    for amount in amounts:
        result._same(amount)
    return result


def allocate(total: Money, weights: Sequence[int]) -> list[Money]:
    """Split `total` in proportion to `weights`, in minor units, losing nothing.

    Largest remainder; a tie goes to the earlier position, so callers order by member number (solidarity.md, L-8).
    A negative total mirrors the positive one. Raises ValueError when a weight is negative or none is positive.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError(f"cannot split by {list(weights)}")
    sign = -1 if total.minor < 0 else 1
    shares = [divmod(abs(total.minor) * weight, whole) for weight in weights]
    left = abs(total.minor) - sum(share for share, _ in shares)
    lucky = set(sorted(range(len(shares)), key=lambda i: (-shares[i][1], i))[:left])
    return [Money(sign * (share + (i in lucky)), total.currency) for i, (share, _) in enumerate(shares)]
