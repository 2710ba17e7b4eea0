"""Refusals of earnings."""

from market.kernel.errors import Conflict, Forbidden, Invalid, Missing


class SlipRefused(Invalid):
    """A weigh slip whose figures cannot be."""

    code = "earnings.slip_refused"


class SlipUsed(Conflict):
    """The slip's number was entered before, with other figures."""

    code = "earnings.slip_used"


class AmountRefused(Invalid):
    """An amount, share or percentage outside what may be."""

    code = "earnings.amount_refused"


class ReasonMissing(Invalid):
    """What nobody explained cannot be understood next year."""

    code = "earnings.reason_missing"


class SecondPerson(Forbidden):
    """Whoever proposed it cannot approve it."""

    code = "earnings.second_person"


class NotOpen(Conflict):
    """The record was decided or moved on in the meantime."""

    code = "earnings.not_open"


class NoRecord(Missing):
    """No such record in this scope."""

    code = "earnings.no_record"
