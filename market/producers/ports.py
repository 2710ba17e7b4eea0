"""What producers need from the outside: who a wallet's number belongs to."""

from typing import Protocol


class WalletNames(Protocol):
    """A mobile-money provider's register of names."""

    def holder_of(self, msisdn: str) -> str | None:
        """Return the name under which the provider knows a number; None when it does not say."""
