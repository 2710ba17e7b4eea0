"""What a statement file says, whatever its format: statements, lines and their parts (money.md 7).

Amounts are signed minor units: a credit to our account is positive. Texts are kept as the bank wrote them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from market.kernel.money import Money

MAX_MINOR = 10**15
"""Largest amount of the ledger, in minor units (money.md 1.4)."""

INTERIM = frozenset({"camt.052", "camt.054", "MT942"})
"""Formats of which each line comes again in a booked statement."""

WITHOUT_OPENING = frozenset({"OFX"})
"""Formats that give a closing balance only: the opening is what the statement before closed with."""


class Unreadable(Exception):
    """A whole file is refused; the message says where and what was expected (money.md 7.2).

    `code` is stable: programs and translations go by it.
    """

    def __init__(self, text: str, code: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person should know about a file. `hold`: nothing is imported before somebody confirms."""

    code: str
    text: str
    hold: bool


@dataclass(slots=True)
class Part:
    """One transaction inside a batch entry. Not frozen, as Line is not: a million are made, and freezing doubles that."""

    n: int
    amount_minor: int | None
    refs: tuple[str, ...] = ()
    batch_refs: tuple[str, ...] = ()
    counterparty_name: str = ""
    counterparty_account: str = ""
    text: str = ""
    returned: bool = False
    return_reason: str = ""
    charges_minor: int = 0


@dataclass(slots=True)
class Line:
    """One entry of a statement. `parts` is empty unless the bank listed several transactions in it.

    `running_minor` is the balance after it, where the file gives one with every row.
    """

    statement: int
    n: int
    source_line: int
    booked_on: date | None
    value_on: date | None
    amount_minor: int
    currency: str
    status: str
    bank_ref: str = ""
    refs: tuple[str, ...] = ()
    batch_refs: tuple[str, ...] = ()
    batch_count: int = 0
    counterparty_name: str = ""
    counterparty_account: str = ""
    text: str = ""
    bank_code: str = ""
    reversal: bool = False
    returned: bool = False
    return_reason: str = ""
    charges_minor: int = 0
    parts: tuple[Part, ...] = ()
    interim: bool = False
    running_minor: int | None = None

    @property
    def money(self) -> Money:
        """Return the amount with its currency."""
        return Money(self.amount_minor, self.currency)

    @property
    def booked(self) -> bool:
        """Return whether the entry is final; anything else, and all that an interim report says, never posts."""
        return self.status == "BOOK" and not self.interim


@dataclass(frozen=True, slots=True)
class Balance:
    """A balance as given by the bank; negative when the account is overdrawn."""

    minor: int
    currency: str
    on: date | None


@dataclass(slots=True)
class Totals:
    """Counts and sums of booked lines in one currency, both sums positive."""

    credits: int = 0
    credits_minor: int = 0
    debits: int = 0
    debits_minor: int = 0

    def add(self, minor: int) -> None:
        """Count one booked line."""
        if minor >= 0:
            self.credits += 1
            self.credits_minor += minor
        else:
            self.debits += 1
            self.debits_minor -= minor


@dataclass(slots=True)
class Statement:
    """The head of a statement, complete once all its lines were read."""

    index: int
    format: str = ""
    account: str = ""
    currency: str = ""
    number: str = ""
    from_on: date | None = None
    to_on: date | None = None
    opening: Balance | None = None
    closing: Balance | None = None
    lines: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    booked: dict[str, Totals] = field(default_factory=dict)
    currencies: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    last_page: bool = True
    skipped: int = 0

    @property
    def interim(self) -> bool:
        """Return whether a booked statement will say all this again: its lines are shown and never post."""
        return self.format in INTERIM

    def find(self, code: str, text: str, *, hold: bool) -> None:
        """Note a finding, once of a kind: a habit of the bank is told once, with the first place."""
        if not any(each.code == code for each in self.findings):
            self.findings.append(Finding(code, text, hold))

    @property
    def booked_lines(self) -> int:
        """Return how many of its lines are final; none of an interim report."""
        return 0 if self.interim else sum(each.credits + each.debits for each in self.booked.values())

    @property
    def kept_in(self) -> str:
        """Return the currency in which the account is kept: that of all its booked lines, else what the head says."""
        return next(iter(self.booked)) if len(self.booked) == 1 else self.currency

    @property
    def booked_minor(self) -> int:
        """Return the sum of booked lines in the account's currency."""
        totals = self.booked.get(self.currency, Totals())
        return totals.credits_minor - totals.debits_minor

    @property
    def difference_minor(self) -> int | None:
        """Return closing - opening - booked; None when a balance is missing or currencies disagree."""
        if self.opening is None or self.closing is None or len(self.currencies) > 1:
            return None
        return self.closing.minor - self.opening.minor - self.booked_minor
