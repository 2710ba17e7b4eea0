"""The lots of a co-op."""

from typing import Any

from sqlalchemy import case, or_, select

from market.producers.models import Producer
from market.provenance.models import Lot
from market.reports.queries.lists import Source, Viewer, between_days, by_day, contains, one_of

_STATE: Any = case((Lot.withdrawn_at.is_not(None), "withdrawn"), else_="usable")


def lots(viewer: Viewer) -> Source:
    """Return the co-op's lots, newest first."""
    columns = (
        Lot.id, Lot.slug, Lot.name, Lot.label, Lot.process, Lot.uom, Lot.produced, (Lot.produced - Lot.drawn).label("left"),
        Lot.made_on, Lot.recorded_at, Producer.name.label("producer"), _STATE.label("state"),
    )  # fmt: skip
    return Source(
        select(*columns).outerjoin(Producer, Producer.id == Lot.producer_id).where(Lot.coop_id == viewer.coop_id),
        {"newest": by_day(Lot.recorded_at, unique=Lot.id)},
        {
            "q": lambda text: or_(
                contains(Lot.name, text),
                contains(Lot.label, text),
                contains(Producer.name, text),
                Lot.slug == text.strip().lower(),
            ),
            "state": one_of(_STATE, ("usable", "withdrawn")),
            **between_days(viewer, Lot.recorded_at),
        },
    )
