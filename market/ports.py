"""The outside world as one object. Each member is a Protocol of the capability that needs it."""

from dataclasses import dataclass
from typing import Any, Protocol

from market.invoices.ports import Printer
from market.notifications.ports import Mailer
from market.payments.ports import CardProcessor
from market.payouts.ports import Documents as PayeeDocuments
from market.payouts.ports import Rail
from market.producers.ports import Recipients, WalletNames


class Documents(PayeeDocuments, Printer, Protocol):
    """Prints every kind of document."""


class Wallets(Rail, WalletNames, Protocol):
    """A mobile-money provider: the rail, and who a number belongs to."""


@dataclass(frozen=True)
class Ports:
    """What the product reaches outside itself; `market.wiring` chooses the implementations by settings."""

    cards: CardProcessor = None  # type: ignore[assignment]
    transfers: Rail = None  # type: ignore[assignment]
    wallets: Wallets | None = None
    """None: no mobile-money provider is set up, and such payouts wait."""
    recipients: Recipients | None = None
    """None: nobody can open an account at the card processor here."""
    mailer: Mailer = None  # type: ignore[assignment]
    files: Any = None
    documents: Documents = None  # type: ignore[assignment]
