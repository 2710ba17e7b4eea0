"""Periods of the books."""

from datetime import date
from uuid import UUID

from sqlalchemy import func, select

from market.reports.queries.lists import Sorting, Source, Viewer, between_dates, one_of
from market.statements.models import PeriodClose


def periods(viewer: Viewer) -> Source:
    """Return the periods that were prepared or closed, the last one first."""
    differences = func.jsonb_array_length(PeriodClose.items)
    columns = (
        PeriodClose.id, PeriodClose.ends_on, PeriodClose.starts_on, PeriodClose.state, differences.label("differences"),
        PeriodClose.prepared_at, PeriodClose.closed_at,
    )  # fmt: skip
    return Source(
        select(*columns).where(PeriodClose.coop_id == viewer.coop_id),
        {"newest": Sorting(((PeriodClose.ends_on, date.fromisoformat), (PeriodClose.id, UUID)), descending=True)},
        {"state": one_of(PeriodClose.state, ("prepared", "closed")), **between_dates(PeriodClose.ends_on)},
    )
