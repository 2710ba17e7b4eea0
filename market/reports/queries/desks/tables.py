"""Rows of the price tables, and what each changed."""

from typing import Any
from uuid import UUID

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from market.pricing.models import PriceReference
from market.reports.queries.lists import (
    Sorting,
    Source,
    Viewer,
    by_day,
    contains,
    one_of,
)


def price_rows(viewer: Viewer) -> Source:
    """Return the rows of the price tables, those that wait for a person first; they are everybody's."""
    del viewer
    waiting = case((PriceReference.status == "needs_review", 0), else_=1)
    goods = func.concat_ws(" ", PriceReference.product, PriceReference.variety, PriceReference.form)
    statement = select(
        PriceReference.id, goods.label("goods"), PriceReference.quality, PriceReference.geo_code, PriceReference.scheme,
        PriceReference.minimum_price, PriceReference.premium, PriceReference.currency, PriceReference.valid_from,
        PriceReference.status, PriceReference.confidence,
    )  # fmt: skip
    return Source(
        statement,
        {
            "waiting": Sorting(((waiting, int), (goods, str), (PriceReference.id, UUID))),
            "newest": by_day(PriceReference.entered_at, unique=PriceReference.id),
        },
        {
            "q": lambda text: contains(goods, text.replace("_", " ")) | contains(goods, text),
            "product": lambda text: PriceReference.product == text,
            "status": one_of(PriceReference.status, ("needs_review", "active", "superseded", "rejected")),
            "scheme": lambda text: PriceReference.scheme == text,
        },
    )


def price_changes(
    session: Session, *, scheme: str | None = None, reference_id: UUID | None = None, limit: int = 300
) -> list[Any]:
    """Return rows of price tables beside the row of the same goods that was in force before, the newest day first.

    Of one scheme, of one row, or of all; rows that say the same as before are left out, and those that were set aside.
    """
    same = (
        PriceReference.scheme, PriceReference.price_kind, PriceReference.product, PriceReference.variety, PriceReference.form,
        PriceReference.characteristic, PriceReference.quality, PriceReference.geo_level, PriceReference.geo_code,
        PriceReference.setup, PriceReference.incoterm, PriceReference.currency, PriceReference.unit,
    )  # fmt: skip
    values = (
        PriceReference.minimum_price,
        PriceReference.premium,
        PriceReference.organic_differential,
        PriceReference.valid_from,
    )
    order = (PriceReference.valid_from, PriceReference.entered_at, PriceReference.id)
    before = [func.lag(value).over(partition_by=same, order_by=order).label(f"old_{value.key}") for value in values]
    goods = func.concat_ws(" ", PriceReference.product, PriceReference.variety, PriceReference.form).label("goods")
    known = PriceReference.status.in_(("needs_review", "active", "superseded"))
    facts = (PriceReference.geo_code, PriceReference.quality, PriceReference.unit, PriceReference.currency, PriceReference.status)
    seen = select(PriceReference.id, PriceReference.scheme, goods, *facts, *values, *before).where(known).subquery()
    pairs = [(seen.c[value.key], seen.c[f"old_{value.key}"]) for value in values[:3]]
    statement = select(seen).where(or_(*(new.is_distinct_from(old) for new, old in pairs)))
    if reference_id is not None:
        statement = statement.where(seen.c.id == reference_id)
    else:
        statement = statement.where(seen.c.old_valid_from.is_not(None))
    if scheme is not None:
        statement = statement.where(seen.c.scheme == scheme)
    return list(session.execute(statement.order_by(seen.c.valid_from.desc().nulls_last(), seen.c.goods, seen.c.id).limit(limit)))
