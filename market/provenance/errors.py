"""Refusals of provenance."""

from collections.abc import Sequence

from market.kernel.errors import Conflict, Invalid, Missing
from market.provenance.rules.faults import Fault


class EventRefused(Invalid):
    """An event breaks a rule of the standard or of the house; the facts list every finding."""

    code = "epcis.refused"

    def __init__(self, faults: Sequence[Fault]) -> None:
        first = faults[0]
        lines = [{"pointer": one.pointer, "rule": one.rule, "detail": one.detail, "code": one.code} for one in faults[:100]]
        super().__init__(first.detail[:1].upper() + first.detail[1:] + ".", pointer=first.pointer, faults=lines)
        self.faults = list(faults)


class CaptureUnreadable(Invalid):
    """A capture document is no JSON that can be kept, or no EPCIS document."""

    code = "epcis.unreadable"


class CaptureTooLarge(Invalid):
    """A capture document holds more events or bytes than one call takes."""

    code = "epcis.capture_limit"


class LotMissing(Missing):
    """No lot has this address."""

    code = "provenance.lot_missing"


class CaptureMissing(Missing):
    """There is no capture job of the caller with this id."""

    code = "provenance.capture_missing"


class QuantityWrong(Invalid):
    """A lot needs a quantity above zero in a trade unit."""

    code = "provenance.quantity"


class PlaceUnfit(Conflict):
    """A place cannot be registered under this identifier."""

    code = "provenance.place_unfit"


class DatesWrong(Invalid):
    """A lot's days cannot be."""

    code = "provenance.dates"


class LotWithdrawn(Conflict):
    """The lot is withdrawn: it is neither sold nor made into something else, nor withdrawn once more."""

    code = "provenance.lot_withdrawn"


class LotNotWithdrawn(Conflict):
    """No withdrawal of this lot is in force."""

    code = "provenance.lot_not_withdrawn"


class WithdrawalFaulty(Invalid):
    """A withdrawal, or its end, does not say why or what to do."""

    code = "provenance.withdrawal_faulty"


class LineageTooLarge(Conflict):
    """More than 10,000 edges lead to a lot: not to be answered at once."""

    code = "lineage.too_large"
