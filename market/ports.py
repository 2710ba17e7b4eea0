"""The outside world as one object. Each member is a Protocol of the capability that needs it."""

from dataclasses import dataclass
from typing import Any

from market.payments.ports import CardProcessor
from market.payouts.ports import Documents, Rail


@dataclass(frozen=True)
class Ports:
    """What the product reaches outside itself; `market.wiring` chooses the implementations by settings."""

    cards: CardProcessor = None  # type: ignore[assignment]
    transfers: Rail = None  # type: ignore[assignment]
    mailer: Any = None
    files: Any = None
    documents: Documents = None  # type: ignore[assignment]
