"""What payouts need from the outside: rails that move money, and a printer for the payee's statement.

A rail never raises for an outcome. A definite no, an unsure outcome and "never heard of it" lead to different states,
so they are different types; anything that a rail did not expect must be answered with `Unsure`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from market.kernel.money import Money
from market.payouts.rules.timing import Capabilities


@dataclass(frozen=True, slots=True)
class TransferOrder:
    """One payment to make. `key` is the idempotency key: committed before the first call, the same in every call."""

    payout_id: UUID
    key: str
    reference: str
    money: Money
    details: Mapping[str, str]
    group: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The rail has it. Not proof that the money arrived."""

    provider_ref: str


@dataclass(frozen=True, slots=True)
class Pending:
    """The rail has it and has not decided: only asking helps, because its later word is yes or no."""

    provider_ref: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A definite no: nothing has moved and nothing will."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unsure:
    """Time-out, dropped connection, conflict, fault of the rail: the money may or may not have moved."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotFound:
    """The rail knows for certain that the order never arrived."""


Answer = Accepted | Pending | Refused | Unsure | NotFound


class Reverses(Protocol):
    """A rail that can take back what it has transferred."""

    def reverse(self, order: TransferOrder, provider_ref: str, money: Money) -> Answer:
        """Take back a part of a transfer under a key made of `order.key` and the amount."""

    def reversal(self, order: TransferOrder, provider_ref: str) -> Answer:
        """Say whether a part of a transfer was taken back under `order.key`."""


class Rail(Protocol):
    """A way to move money to a payee through a program."""

    capabilities: Capabilities

    def check_details(self, details: Mapping[str, str]) -> str | None:
        """Return why these details cannot be paid to, in words for staff; None when they can."""

    def send(self, order: TransferOrder) -> Answer:
        """Order the payment under `order.key`; repeating it with the same key must not pay again."""

    def ask(self, order: TransferOrder) -> Answer:
        """Return what the rail knows about an earlier order."""

    def cancel(self, order: TransferOrder) -> Answer:
        """Try to stop an order that was accepted: `Refused` means that it is certainly stopped."""


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One thing that was paid for; `unit_price` is for one `unit`, in the currency of the money, where there are goods."""

    on: date
    text: str
    number: str
    money: Money
    quantity: Decimal | None = None
    unit: str = ""
    unit_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class StatementDeduction:
    """One thing that was kept back, with what is still owed afterwards."""

    text: str
    money: Money
    still_owed: Money


@dataclass(frozen=True, slots=True)
class PayeeStatement:
    """All that a payee is told about one payout; the sums are checked where it is made: gross - deductions = paid.

    `came_back` says that the money is with the co-op again: what was paid for is owed to the payee as before.
    """

    language: str
    coop_name: str
    coop_address: tuple[str, ...]
    payee_name: str
    payee_number: str | None
    paid_to: str
    rail: str
    number: str
    reference: str
    paid_on: date
    lines: tuple[StatementLine, ...]
    deductions: tuple[StatementDeduction, ...]
    gross: Money
    paid: Money
    came_back: bool = False


@dataclass(frozen=True, slots=True)
class YearLine:
    """One kind of money over a year: `quarters` are four amounts, `total` their sum; what was given back is negative."""

    text: str
    quarters: tuple[Money, ...]
    total: Money


@dataclass(frozen=True, slots=True)
class YearSection:
    """A payee's year in one currency: earned and kept back by kind, and what arrived."""

    currency: str
    earned: tuple[YearLine, ...]
    kept: tuple[YearLine, ...]
    paid: YearLine


@dataclass(frozen=True, slots=True)
class PayeeYear:
    """What a payee is told about a year."""

    language: str
    coop_name: str
    coop_address: tuple[str, ...]
    payee_name: str
    payee_number: str | None
    year: int
    sections: tuple[YearSection, ...]


class Documents(Protocol):
    """Prints documents."""

    def payee_year(self, year: PayeeYear) -> bytes:
        """Return the summary of a year as PDF: equal years give equal bytes."""

    def payee_statement(self, statement: PayeeStatement) -> bytes:
        """Return the statement as PDF: equal statements give equal bytes."""
