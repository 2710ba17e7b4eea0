"""Refusals of the treasury."""

from market.kernel.errors import Conflict, Forbidden, Invalid, Missing


class NoRecord(Missing):
    """There is no such plan item, spending or conversion here."""

    code = "treasury.no_record"


class AmountRefused(Invalid):
    """An amount or rate outside what may be."""

    code = "treasury.amount_refused"


class EvidenceMissing(Invalid):
    """A decision or payment without the paper that proves it."""

    code = "treasury.evidence_missing"


class FundTooSmall(Conflict):
    """The premium fund, or what an item has left, is less than this."""

    code = "treasury.fund_too_small"


class BeyondLimit(Conflict):
    """More than a holder of the community currency may spend or hold."""

    code = "treasury.beyond_limit"


class NotOpen(Conflict):
    """It was decided or closed already."""

    code = "treasury.not_open"


class SecondPerson(Forbidden):
    """Who proposed it may not decide it."""

    code = "treasury.second_person"


class NotYours(Forbidden):
    """Only whoever proposed something withdraws it."""

    code = "treasury.not_yours"
