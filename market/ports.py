"""The outside world as one object. Each member is a Protocol of the capability that needs it."""

from dataclasses import dataclass
from typing import Any

from market.notifications.ports import Mailer
from market.payments.ports import CardProcessor
from market.payouts.ports import Documents, Rail


@dataclass(frozen=True)
class Ports:
    """What the product reaches outside itself; `market.wiring` chooses the implementations by settings."""

    cards: CardProcessor = None  # type: ignore[assignment]
    transfers: Rail = None  # type: ignore[assignment]
    mailer: Mailer = None  # type: ignore[assignment]
    files: Any = None
    documents: Documents = None  # type: ignore[assignment]
