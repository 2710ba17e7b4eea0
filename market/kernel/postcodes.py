"""Postcodes: which countries have them, how they are written, and the form in which they are kept.

Shapes: 9 is a digit, A a letter, X either; small letters and everything else stand for themselves. Only countries whose
postcode belongs to every address and has a plain, settled shape are held to one; in the others any text of up to 16
characters passes, or none. Sources: UPU, General Addressing Issues (who has postcodes), the UPU's pages of countries (how
they are written), compared with `postalCodeData` of CLDR 41. GB has six shapes by Royal Mail, IE is the Eircode.
"""

import re
from collections.abc import Mapping
from functools import cache
from itertools import cycle

from market.kernel.errors import Invalid
from market.kernel.words import say

LONGEST = 16
"""What ISO 20022 takes as a postcode (PstCd, Max16Text)."""

_OF_SHAPE = {
    "999": "FO IS",
    "9999": "AL AM AT AU BD BE BG CH CY DK GE GL HU LI LU MK NO NZ PH SI SJ TN ZA",
    "99999": "AX BA BL CU DE DZ EE ES FI FR GF GP HR ID IT KR LK MA MC ME MF MQ MX MY NC PF PK PM RE RS SA SM TH TR UA UY"
    " VA WF YT",
    "999999": "BY CN IN KG KZ RO RU SG TJ TM UZ",
    "999 99": "CZ GR SE SK",
    "99999|99999-9999": "AS GU MP PR US VI",
    "A9 9AA|A99 9AA|A9A 9AA|AA9 9AA|AA99 9AA|AA9A 9AA": "GB GG GI IM JE",
    "9999 AA": "NL",
    "99-999": "PL",
    "9999-999": "PT",
    "99999-999": "BR",
    "999-9999": "JP",
    "A9A 9A9": "CA",
    "A9X XXXX": "IE",
    "AAA 9999": "MT",
    "ad999": "AD",
    "lv-9999": "LV",
    "lt-99999": "LT",
    "md-9999": "MD",
    "9999|A9999AAA": "AR",
    "999|99999|999999": "TW",
    "99999|9999999": "IL",
}
_SHAPES: Mapping[str, tuple[str, ...]] = {
    country: tuple(shapes.split("|")) for shapes, countries in _OF_SHAPE.items() for country in countries.split()
}
_WITHOUT = (
    "AE AG AO AW BI BJ BO BS BW BZ CF CG CI CM CW DM ER FJ GA GD GM GQ GY HK KM KN KP MO MR QA RW SB SC SL SR ST SX SY TD TG"
    " TK TO TV VU YE ZW"
)
_NONE = frozenset(_WITHOUT.split())
_SIGNS = {"9": "[0-9]", "A": "[A-Z]", "X": "[A-Z0-9]"}


class BadPostcode(Invalid):
    """The text is no postcode of the country."""

    code = "address.bad_postcode"


def checked(text: str, country: str, *, needed: bool = False) -> str:
    """Return a postcode as it is written in the country (code of ISO 3166-1): capitals, blanks and dashes in their places.

    A country's sign before the figures (D-10115) is left out. An empty text stays empty, except where every address has
    a postcode and it is `needed`. Raises BadPostcode.
    """
    typed = "".join(str(int(sign)) if sign.isdecimal() else sign for sign in " ".join(text.upper().split()))
    if typed and country in _NONE:
        raise BadPostcode("This country has no postcodes. Leave the field empty.", pointer="/postcode")
    if len(typed) > LONGEST:
        raise BadPostcode(say("A postcode has at most %(most)s characters.", most=LONGEST), pointer="/postcode")
    shapes = _SHAPES.get(country, ())
    if not shapes or (not typed and not needed):
        return typed
    bare = re.sub(r"[ .-]", "", typed)
    for shape in shapes:
        if found := _pattern(shape).fullmatch(bare):
            return _written(shape, found[1])
    raise BadPostcode(
        say("Please enter a postcode of this country. It looks like %(example)s.", example=example(country)),
        pointer="/postcode",
    )


def example(country: str) -> str:
    """Return a made-up postcode in a country's shape, the first where it has several; empty where no shape is settled."""
    if country not in _SHAPES:
        return ""
    (shape, *_) = _SHAPES[country]
    samples = {"9": cycle("1234567890"), "A": cycle("ABCDEF"), "X": cycle("F4E2")}
    return _written(shape, "".join(next(samples[sign]) for sign in shape if sign in samples))


@cache
def _pattern(shape: str) -> re.Pattern[str]:
    """Return what the letters and figures of a postcode must be; group 1 is without what stands in every one of them."""
    fixed = "".join(sign for sign in shape if sign.islower()).upper()
    before = fixed or ("" if set(shape) & {"A", "X"} else "[A-Z]{1,3}")
    return re.compile(f"(?:{before})?(" + "".join(_SIGNS[sign] for sign in shape if sign in _SIGNS) + ")")


def _written(shape: str, signs: str) -> str:
    rest = iter(signs)
    return "".join(next(rest) if sign in _SIGNS else sign.upper() for sign in shape)
