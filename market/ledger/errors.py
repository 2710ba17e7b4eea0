"""Refusals of the books."""

from market.kernel.errors import Conflict, Invalid, Missing


class KeyUsedDifferently(Conflict):
    """The fact was booked before with other content (FM001)."""

    code = "ledger.key_used_differently"


class PeriodClosed(Conflict):
    """No open period covers the day (FM002)."""

    code = "ledger.period_closed"


class NotTheLastDays(Conflict):
    """Only the last closed days open again, and none while others are being closed (FM005)."""

    code = "ledger.not_the_last_days"


class NotAMirror(Conflict):
    """A reversal must mirror its original exactly and once (FM003)."""

    code = "ledger.not_a_mirror"


class LimitExceeded(Conflict):
    """An account would leave its limits (FM004)."""

    code = "ledger.limit_exceeded"


class UnknownAccount(Invalid):
    """The chart of accounts has no such account."""

    code = "ledger.unknown_account"


class NoBook(Missing):
    """The co-op has no book, or it is outside this scope."""

    code = "ledger.no_book"
