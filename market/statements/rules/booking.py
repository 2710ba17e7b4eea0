"""Rules that staff made from a choice: lines like this one are always booked so (money.md 8.1, rule 9).

They come last, for lines that nothing of ours explains, and only where all rules that fit say the same. They never touch
goods, premium or payouts, and act by themselves only after CONFIRMED confirmations.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from market.kernel.text import fold

CONFIRMED = 3
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True, slots=True)
class BookingRule:
    """Conditions, all of which must hold, and the account to book to; empty ones are no conditions."""

    id: UUID
    sign: int
    account_code: str
    max_minor: int
    counterparty_account: str = ""
    counterparty_name: str = ""
    words: tuple[str, ...] = ()
    confirmations: int = 1

    @property
    def automatic(self) -> bool:
        """Return whether people have agreed often enough."""
        return self.confirmations >= CONFIRMED

    def fits(self, amount_minor: int, account: str, name: str, text: str) -> bool:
        """Return whether a line is like those that the rule was made for."""
        if amount_minor * self.sign <= 0 or abs(amount_minor) > self.max_minor:
            return False
        if self.counterparty_account and account != self.counterparty_account:
            return False
        if self.counterparty_name and plain(name) != self.counterparty_name:
            return False
        return set(self.words) <= set(words_of(text))


def plain(name: str) -> str:
    """Return a name as it is compared: without accents, case and the spaces around its words."""
    return " ".join(fold(name).split())


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text that say what it is: three letters or more, no numbers, in order and once each."""
    return tuple(dict.fromkeys(_WORD.findall(fold(text))))


def choose(
    rules: Sequence[BookingRule], amount_minor: int, account: str, name: str, text: str, rejected: frozenset[UUID]
) -> BookingRule | None:
    """Return the rule for a line, the most confirmed one; None when none fits, or when those that fit disagree.

    A line for which somebody rejected a rule's answer is left to people altogether.
    """
    fitting = [rule for rule in rules if rule.fits(amount_minor, account, name, text)]
    if not fitting or len({rule.account_code for rule in fitting}) > 1 or any(rule.id in rejected for rule in fitting):
        return None
    return max(fitting, key=lambda rule: (rule.confirmations, str(rule.id)))
