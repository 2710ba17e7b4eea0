"""Refusals of the staff's own things."""

from market.kernel.errors import Conflict, Invalid, Missing


class ViewMissing(Missing):
    """No such saved view of this person."""

    code = "desks.view_missing"


class ViewUnnamed(Invalid):
    """A view needs a name that tells it from the others."""

    code = "desks.view_unnamed"


class JobMissing(Missing):
    """No such report of this person."""

    code = "desks.job_missing"


class JobNotReady(Conflict):
    """The report is not made yet, or never will be."""

    code = "desks.job_not_ready"


class TakenByAnother(Conflict):
    """Somebody else took it in the meantime."""

    code = "desks.taken"


class ReasonMissing(Invalid):
    """Everybody who is kept from writing should read why."""

    code = "desks.reason_missing"
