"""Names that last: random, meaningless slugs with a check character, and the URIs made of them.

A slug is ten characters of Crockford's base 32 and one check character by Luhn mod 32 over the same
alphabet, which catches every single wrong character (`provenance.md` 1). Crockford's own check
symbols would break URLs.
"""

import re
from dataclasses import dataclass

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
BODY = 10
ENTROPY_BITS = 5 * BODY
KINDS = frozenset({"obj", "class", "loc", "bt", "party"})

_VALUE = {letter: number for number, letter in enumerate(ALPHABET)}
_FORGIVEN = str.maketrans("oil", "011")
_OWN_PATH = re.compile(r"/id/(?P<kind>[a-z]+)/(?P<slug>[0-9A-Za-z]+)")


def check_character(body: str) -> str:
    """Return the Luhn mod 32 check character of `body`, which is canonical already."""
    total = 0
    for position, letter in enumerate(reversed(body)):
        doubled = _VALUE[letter] * (1 + (position + 1) % 2)
        total += doubled // 32 + doubled % 32
    return ALPHABET[-total % 32]


def slug_of(entropy: int) -> str:
    """Make the slug of a random number below 2**50; the caller brings the chance."""
    if not 0 <= entropy < 1 << ENTROPY_BITS:
        raise ValueError("a slug needs a number of 50 bits")
    body = "".join(ALPHABET[entropy >> shift & 31] for shift in range(ENTROPY_BITS - 5, -1, -5))
    return body + check_character(body)


def canonical_slug(text: str) -> str | None:
    """Return the slug a person meant, or None: any case, `o` for 0, `i` and `l` for 1."""
    slug = text.lower().translate(_FORGIVEN)
    if len(slug) != BODY + 1 or any(letter not in _VALUE for letter in slug):
        return None
    return slug if check_character(slug[:BODY]) == slug[BODY] else None


@dataclass(frozen=True, slots=True)
class IdHost:
    """Our own id host, such as `https://id.market.example`, promised for good."""

    base: str

    def uri(self, kind: str, slug: str) -> str:
        """Write the URI of a thing of ours."""
        if kind not in KINDS:
            raise ValueError(f"no kind of identifier is called {kind!r}")
        return f"{self.base}/id/{kind}/{slug}"

    def names(self, text: str) -> bool:
        """Tell whether a text is an identifier on this host."""
        return text.startswith(self.base + "/id/")

    def parse(self, uri: str) -> tuple[str, str] | None:
        """Return (kind, slug) of one of our URIs, None for a foreign or a mistyped one."""
        if not uri.startswith(self.base):
            return None
        parts = _OWN_PATH.fullmatch(uri, len(self.base))
        if parts is None or parts["kind"] not in KINDS:
            return None
        slug = canonical_slug(parts["slug"])
        return (parts["kind"], slug) if slug else None


def gtin_is_sound(digits: str) -> bool:
    """Check the last digit of a GTIN of 8, 12, 13 or 14 digits (GS1 General Specifications 7.9)."""
    if len(digits) not in (8, 12, 13, 14) or not (digits.isascii() and digits.isdigit()):
        return False
    total = sum(int(digit) * (1 + 2 * (place % 2)) for place, digit in enumerate(reversed(digits)))
    return total % 10 == 0
