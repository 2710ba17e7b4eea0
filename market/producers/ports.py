"""What producers need from the outside: who a wallet's number belongs to, and accounts to be paid to at the card processor."""

from dataclasses import dataclass
from typing import Protocol


class WalletNames(Protocol):
    """A mobile-money provider's register of names."""

    def holder_of(self, msisdn: str) -> str | None:
        """Return the name under which the provider knows a number; None when it does not say."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """An account at the card processor: whether money can be sent there, and what is still asked of its holder."""

    account: str
    ready: bool
    missing: tuple[str, ...]


class Recipients(Protocol):
    """The card processor's accounts for those who want to be paid there. Raises ProcessorRefused, ProcessorUnsure."""

    def open(self, *, key: str, name: str, email: str, country: str, about: str) -> Recipient:
        """Open an account, once per `key`; `about` is our id of its holder."""

    def look(self, account: str) -> Recipient:
        """Say how far an account is."""

    def page(self, account: str, *, back: str, again: str) -> str:
        """Return the address of the processor's page that asks for what is missing; it works once, for minutes.

        It leads `back` when it is done, and `again` when it is too late.
        """
