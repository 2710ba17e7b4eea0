"""What a statement file says, whatever its format: statements, lines and their parts (money.md 7).

Amounts are signed minor units: a credit to our account is positive. Texts are kept as the bank wrote them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

MAX_MINOR = 10**15
"""Largest amount of the ledger, in minor units (money.md 1.4)."""


class Unreadable(Exception):
    """A whole file is refused; the message says where and what was expected (money.md 7.2)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person should know about a file. `hold`: nothing is imported before somebody confirms."""

    code: str
    text: str
    hold: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One transaction inside a batch entry."""

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


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of a statement. `parts` is empty unless the bank listed several transactions in it."""

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

    @property
    def booked(self) -> bool:
        """Return whether the bank calls the entry final; anything else is provisional and never posts."""
        return self.status == "BOOK"


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
