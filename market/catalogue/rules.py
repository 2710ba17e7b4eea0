"""Pure rules of the catalogue: what may happen to a listing, and which words find it.

Search (docs/decisions, "Search without extensions"): a listing has *terms*, which are its folded words and its filters
(`#category:coffee`). A query is a conjunction of *groups*; a group is one filter, or the words that begin with what
was typed, or, if there are none, the words one typing error away. Two words are one typing error apart when they share
a spelling: the word itself, or the word with one letter left out (which covers a letter too many, too few, wrong, or two
swapped).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from uuid import UUID

from market.kernel.text import fold

EVERYTHING = "#all"
STATES = ("draft", "published", "withdrawn")
_NEXT = {
    "publish": {"draft": "published", "withdrawn": "published", "published": "published"},
    "withdraw": {"published": "withdrawn"},
}
_WORD = re.compile(r"[^\W_]+")
MAX_WORDS = 6
MAX_WORD_LENGTH = 32
MERGED = 10
"""Reading on in a second list costs a tenth of looking one listing up in it, so it pays up to ten times the length."""
GATHERED = 3000
"""How many listings of several terms are cheaper to sort all at once than to look for 25 of each term."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What a visitor narrows the catalogue by. Prices are of one unit, in major units of `currency`."""

    q: str = ""
    category: str | None = None
    coop: str | None = None
    certificate: str | None = None
    currency: str | None = None
    price_from: Decimal | None = None
    price_to: Decimal | None = None

    @property
    def exact_terms(self) -> list[str]:
        """The filters as terms; nothing chosen is everything."""
        chosen = (
            ("category", self.category),
            ("coop", self.coop),
            ("certificate", self.certificate),
            ("currency", self.currency),
        )
        return [filter_term(name, value) for name, value in chosen if value] or [EVERYTHING]


@dataclass(frozen=True, slots=True)
class Group:
    """Terms of which a listing needs one, and how many listings they have together."""

    terms: tuple[str, ...]
    weight: int


class Walk(Enum):
    """How the listings of the driving group are gone through, newest first."""

    ONE = 1
    """The list of its one term."""
    EACH = 2
    """The list of each term until it has given a page."""
    GATHERED = 3
    """All lists at once, sorted."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a page is found: which group is walked and how, which list is merged with it, which groups each candidate must have."""

    driver: Group
    walk: Walk
    beside: Group | None
    asked: Sequence[Group]


def next_state(state: str, act: str) -> str | None:
    """Return the state after `act` (publish, withdraw), or None when the act is not possible."""
    return _NEXT[act].get(state)


def filter_term(name: str, value: str) -> str:
    """Return the term of a filter. No word begins with `#`, so words and filters never meet."""
    return f"#{name}:{fold(value).replace(' ', '-')}"


def words(text: str) -> list[str]:
    """Return the distinct folded words of `text` in their order; one letter alone is no word."""
    found = (word[:MAX_WORD_LENGTH] for word in _WORD.findall(fold(text)) if len(word) > 1)
    return list(dict.fromkeys(found))


def query_words(text: str) -> list[str]:
    """Return the words of a query, at most six: more narrows nothing that a person means."""
    return words(text)[:MAX_WORDS]


def spellings(word: str) -> list[str]:
    """Return `word` and its spellings with one letter left out; filters and short words allow no error."""
    if word.startswith("#") or len(word) < 4:
        return [word]
    return sorted({word, *(word[:i] + word[i + 1 :] for i in range(len(word)))})


def within_one_error(word: str, other: str) -> bool:
    """Say whether one letter too many, too few or wrong, or two swapped neighbours, make the difference."""
    if abs(len(word) - len(other)) > 1 or word == other:
        return word == other
    start = next((i for i, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), min(len(word), len(other)))
    a, b = word[start:], other[start:]
    return a[1:] == b or a == b[1:] or a[1:] == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])


def plan(groups: Iterable[Group]) -> Plan:
    """Return how to find a page: the rarest group drives, the others are merged or asked (docs/decisions, 0041)."""
    driver, *others = sorted(groups, key=lambda group: group.weight)
    several = Walk.GATHERED if others and driver.weight <= GATHERED else Walk.EACH
    walk = Walk.ONE if len(driver.terms) == 1 else several
    mergeable = (group for group in others if len(group.terms) == 1 and group.weight <= MERGED * driver.weight)
    beside = next(mergeable, None) if walk is not Walk.EACH else None
    return Plan(driver, walk, beside, [group for group in others if group is not beside])


def is_orderable(quantity: Decimal, step: Decimal) -> bool:
    """Say whether `quantity` is a positive multiple of the listing's step."""
    return quantity > 0 and quantity % step == 0


def ordered_wants(wants: Iterable[tuple[UUID, Decimal]]) -> list[tuple[UUID, Decimal]]:
    """Return one want per lot, in the order in which lots are locked."""
    totals: dict[UUID, Decimal] = {}
    for lot_id, quantity in wants:
        totals[lot_id] = totals.get(lot_id, Decimal(0)) + quantity
    return sorted(totals.items())


def listing_terms(*, texts: Sequence[str], category: str, coop: str, certificates: Sequence[str], currency: str) -> list[str]:
    """Return all terms of a published listing, sorted, which is also the order in which term rows are locked."""
    found = {EVERYTHING, filter_term("category", category), filter_term("coop", coop), filter_term("currency", currency)}
    found |= {filter_term("certificate", scheme) for scheme in certificates}
    for text in texts:
        found |= set(words(text))
    return sorted(found)
