"""Kinds of goods that every language has a word for, and the search by these words in whichever language they are typed."""

from functools import cache

from market.catalogue.rules import filter_term, words
from market.kernel import languages
from market.kernel.words import N_

CATEGORIES = {
    "cocoa": N_("Cocoa"),
    "coffee": N_("Coffee"),
    "craft": N_("Craft"),
    "fibre": N_("Fibre"),
    "fruit": N_("Fruit"),
    "honey": N_("Honey"),
    "oil": N_("Oil"),
    "sugar": N_("Sugar"),
    "tea": N_("Tea"),
}
"""Kinds of goods that every language has a word for; others stand as they were written."""
BEGINNING = 3
"""Letters that are enough to know a word by, while it is still being typed."""


@cache
def _named() -> dict[str, str]:
    """Return the words of all languages, folded, with the filter term of their kind; of several words, not the little ones."""
    found: dict[str, str] = {}
    for language in languages.LANGUAGES:
        for category, name in CATEGORIES.items():
            said = words(languages.catalogue(language).gettext(name))
            found |= {word: filter_term("category", category) for word in said if len(said) == 1 or len(word) >= BEGINNING}
    return found


def term_of(word: str) -> str | None:
    """Return the filter term of the kind of goods that a folded word, or its beginning, names in one of our languages."""
    named = _named()
    if word in named or len(word) < BEGINNING:
        return named.get(word)
    return next((term for name, term in named.items() if name.startswith(word)), None)
