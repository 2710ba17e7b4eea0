"""The outside world as one object. Each member is a Protocol of the capability that needs it."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Ports:
    """What the product reaches outside itself; `market.wiring` chooses the implementations by settings."""

    cards: Any = None
    transfers: Any = None
    mailer: Any = None
    files: Any = None
    documents: Any = None
