"""Refusals about prices; each says which rule, by how much, and what would pass."""

from market.kernel.errors import Conflict, Forbidden, Invalid, Missing


class PriceBelowFloor(Invalid):
    """The price is below a blocking floor. Facts: rule, row, amount_short, passing_price, unit, currency."""

    code = "price_below_floor"


class FloorTouched(Invalid):
    """A fee or discount would come out of the floor (R-16)."""

    code = "floor_touched"


class ClaimNotProven(Invalid):
    """A claim stands on the offer and no valid certificate carries it (R-04, R-21)."""

    code = "claim_not_proven"


class TableUnreadable(Invalid):
    """The file as a whole was refused (E01); nothing of it was stored."""

    code = "price_table_unreadable"


class ReferenceUnknown(Missing):
    """There is no such row."""

    code = "price_reference_unknown"


class SamePerson(Forbidden):
    """The person who entered it cannot be the second one who approves it."""

    code = "second_person_needed"


class ReferenceNotReady(Conflict):
    """The row cannot be activated as it stands: something is missing or another row holds its key."""

    code = "price_reference_not_ready"


class BatchClosed(Conflict):
    """The import was approved or refused before."""

    code = "import_batch_closed"
