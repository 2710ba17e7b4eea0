"""The desks of the treasury: the premium fund's plan, conversions between currencies."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, cast, func, select

from market.producers.models import Producer
from market.reports.queries.lists import Sorting, Source, Viewer, contains, one_of
from market.treasury.models import FxConversion, PremiumItem, PremiumSpending

ITEM_STATES = ("proposed", "approved", "declined", "closed")
CONVERSION_STATES = ("proposed", "booked", "declined", "settled")


def premium_items(viewer: Viewer) -> Source:
    """Return the plan items of the fund, newest first, with what was paid of each and what waits for a second person."""
    spent = PremiumSpending.item_id == PremiumItem.id
    total = cast(func.coalesce(func.sum(PremiumSpending.amount_minor), 0), BigInteger)
    paid = select(total).where(spent, PremiumSpending.state == "booked")
    waits = select(func.count()).where(spent, PremiumSpending.state == "proposed")
    statement = select(
        PremiumItem.id,
        PremiumItem.name,
        PremiumItem.currency,
        PremiumItem.amount_minor,
        paid.correlate(PremiumItem).scalar_subquery().label("spent_minor"),
        waits.correlate(PremiumItem).scalar_subquery().label("waiting"),
        PremiumItem.state,
        PremiumItem.proposed_at,
    ).where(PremiumItem.coop_id == viewer.coop_id)
    return Source(
        statement,
        {"newest": Sorting(((PremiumItem.proposed_at, datetime.fromisoformat), (PremiumItem.id, UUID)), descending=True)},
        {"q": lambda text: contains(PremiumItem.name, text), "state": one_of(PremiumItem.state, ITEM_STATES)},
        PremiumItem.amount_minor,
        PremiumItem.currency,
    )


def conversions(viewer: Viewer) -> Source:
    """Return the conversions, newest first."""
    statement = (
        select(
            FxConversion.id,
            Producer.name.label("payee"),
            FxConversion.currency,
            FxConversion.amount_minor,
            FxConversion.agreed_minor,
            FxConversion.agreed_currency,
            FxConversion.rate,
            FxConversion.rate_on,
            FxConversion.state,
        )
        .outerjoin(Producer, Producer.id == FxConversion.producer_id)
        .where(FxConversion.coop_id == viewer.coop_id)
    )
    return Source(
        statement,
        {"newest": Sorting(((FxConversion.proposed_at, datetime.fromisoformat), (FxConversion.id, UUID)), descending=True)},
        {"q": lambda text: contains(Producer.name, text), "state": one_of(FxConversion.state, CONVERSION_STATES)},
        FxConversion.amount_minor,
        FxConversion.currency,
    )
