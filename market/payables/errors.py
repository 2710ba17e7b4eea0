"""Refusals of payables."""

from market.kernel.errors import Conflict, Invalid, Missing


class PayableNotFound(Missing):
    """Nothing, or too little, is open for this source."""

    code = "payables.missing"


class RaisedDifferently(Conflict):
    """The source has raised another amount or payee before."""

    code = "payables.raised_differently"


class AlreadyOnItsWay(Conflict):
    """A run has taken the money."""

    code = "payables.on_its_way"


class NotAboveZero(Invalid):
    """Amounts owed are above zero."""

    code = "payables.not_above_zero"


class TooLittleOwed(Conflict):
    """Less is open for the payee than is to be held, netted or taken off."""

    code = "payables.too_little_owed"


class MovedOn(Conflict):
    """What a return had made owed again is not open any more: the return is not taken back."""

    code = "payables.moved_on"
