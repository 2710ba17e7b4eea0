"""Letters: folding for search, slugs for addresses, and how many of them make a reason."""

import re
import unicodedata

_LETTERS = str.maketrans({"đ": "d", "ð": "d", "ø": "o", "ł": "l", "ß": "ss", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i", "ħ": "h"})

SHORTEST_REASON = 10
"""A reason of fewer letters says nothing to whoever reads it next year."""


def fold(text: str) -> str:
    """Return `text` in lower case without accents, as the search index holds it."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).translate(_LETTERS)


def slug(text: str, *, limit: int = 60) -> str:
    """Return `text` as a part of an address: folded words joined by hyphens, at most `limit` characters."""
    return re.sub(r"[^a-z0-9]+", "-", fold(text)).strip("-")[:limit].rstrip("-") or "x"


def says_why(reason: str) -> bool:
    """Return whether a reason has as many letters as one needs."""
    return len(reason.strip()) >= SHORTEST_REASON
