"""What the rules of matching compare: lines as claims, open things as targets, and what they propose."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from uuid import UUID

from market.kernel.text import fold

Evidence = dict[str, str | int]


@dataclass(frozen=True, slots=True)
class Target:
    """Something a line may mean. `amount_minor` is what is still open, or what was paid once it is settled.

    `state`: open, settled, returned, or dead (failed, cancelled, expired). `since` is the first day on which a line
    can mean it; `batches` name the file it was sent in (MsgId, PmtInfId), `cheque` is the number of a cheque.
    """

    kind: str
    id: UUID
    reference: str
    amount_minor: int
    since: date
    state: str = "open"
    account: str = ""
    name: str = ""
    batches: tuple[str, ...] = ()
    cheque: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """A line, or one transaction of a batch line, as the rules see it. `part` 0 is the whole line."""

    line_id: UUID
    booked_on: date
    amount_minor: int
    part: int = 0
    references: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()
    batch_count: int = 0
    account: str = ""
    name: str = ""
    text: str = ""
    bank_code: str = ""
    returned: bool = False
    return_reason: str = ""
    charges_minor: int = 0

    @property
    def sign(self) -> int:
        """Return 1 for a credit, -1 for a debit."""
        return 1 if self.amount_minor > 0 else -1


@dataclass(frozen=True, slots=True)
class Proposal:
    """`amount_minor` of the line (positive) means `target`; `fee_minor` of the line is the bank's.

    For a return the fee is what the bank kept, on top of the line. `kind`: full, partial, return, fee, duplicate,
    alarm. `rule` is the rule's name, `evidence` facts from which a sentence is made. `account_code` is what a line
    without a target is booked to.
    """

    line_id: UUID
    part: int
    target_kind: str
    target_id: UUID | None
    amount_minor: int
    kind: str
    rule: str
    automatic: bool
    evidence: Evidence = field(default_factory=dict)
    fee_minor: int = 0
    account_code: str | None = None


def claims_of(whole: Claim, parts: Sequence[Claim]) -> list[Claim]:
    """Return the parts of a line where they explain it exactly, else the line itself."""
    if len(parts) > 1 and sum(part.amount_minor for part in parts) == whole.amount_minor:
        return list(parts)
    return [whole]


def cheque_numbers(text: str) -> frozenset[str]:
    """Return what in a text can be the number of a cheque: words with three digits or more, zeros in front left out."""
    words = (word.strip("-/").lstrip("0") for word in re.findall(r"[A-Z0-9][A-Z0-9/-]*", text.upper()))
    return frozenset(word for word in words if sum(sign.isdigit() for sign in word) >= 3)


def similar_names(one: str, other: str) -> bool:
    """Return whether two names share at least half of their words, accents, case and order aside."""
    ours, theirs = name_words(one), name_words(other)
    return bool(ours and theirs) and 2 * len(ours & theirs) >= len(ours | theirs)


def same_name(one: str, other: str) -> bool:
    """Return whether one of two names is the other, with words added at most; a single word is too little."""
    ours, theirs = name_words(one), name_words(other)
    return len(ours & theirs) >= 2 and (ours <= theirs or theirs <= ours)


@lru_cache(maxsize=20_000)
def name_words(name: str) -> frozenset[str]:
    """Return the words of a name, without accents, punctuation and single letters."""
    return frozenset(word for word in re.findall(r"\w+", fold(name)) if len(word) > 1)
