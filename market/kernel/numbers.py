"""Numbers as people write them: any digits, marks and groups, read once for all forms."""

import re
import unicodedata
from decimal import Decimal

_MARKS = str.maketrans({"٫": ".", "٬": ","})
_FIRST_GROUP = re.compile(r"-?[1-9][0-9]{0,2}")
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,12})?")


class Unclear(ValueError):
    """A number that may have thousands or decimals; `plain` and `decimals` are how to write either so that it is clear."""

    def __init__(self, text: str, *, plain: str, decimals: str) -> None:
        super().__init__(f"thousands or decimals: {text}")
        self.plain, self.decimals = plain, decimals


def ascii_signs(text: str) -> str:
    """Return digits of any script as ASCII and Arabic marks as point and comma; spaces, quotes, currency and direction go."""
    signs = (
        "-" if sign == "−" else str(unicodedata.decimal(sign, "")) or sign.translate(_MARKS)
        for sign in text
        if not sign.isspace() and sign not in "'’" and unicodedata.category(sign) not in ("Sc", "Cf")
    )
    return "".join(signs)


def grouped(whole: str) -> str | None:
    """Return the digits of a whole number without the marks between its groups of three; None when they stand elsewhere."""
    groups = re.split("[.,]", whole)
    if len(groups) > 1 and not (_FIRST_GROUP.fullmatch(groups[0]) and all(len(group) == 3 for group in groups[1:])):
        return None
    return "".join(groups)


def written(text: str, grouping: str = "") -> Decimal:
    """Read a number as people write it: `12.5`, `12,5`, `1,250.5`, `1.250,5`, `1 250`.

    One point or comma alone begins the decimals, since weights often have three of them. `grouping` is the mark by which the
    reader's language groups thousands: where it stands alone before three digits, it may mean either, a factor of a thousand
    apart, and is refused. Raises Unclear, ValueError.
    """
    plain = ascii_signs(text)
    marks = [sign for sign in plain if sign in ".,"]
    whole, mark, fraction = plain.rpartition(marks[-1]) if marks else (plain, "", "")
    if mark and marks.count(mark) > 1:
        whole, fraction = plain, ""
    elif mark and mark == grouping and len(marks) == 1 and len(fraction) == 3 and _FIRST_GROUP.fullmatch(whole):
        raise Unclear(text, plain=whole + fraction, decimals=f"{whole}.{fraction}0")
    digits = grouped(whole)
    number = f"{digits}.{fraction}" if fraction else digits
    if number is None or not _NUMBER.fullmatch(number):
        raise ValueError(f"{text!r} is not a number")
    return Decimal(number)
