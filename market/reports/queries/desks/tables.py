"""Rows of the price tables and what each changed, imports, market prices, exchange rates and the co-ops' own floors."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, literal, or_, select
from sqlalchemy.orm import Session

from market.pricing.models import CoopFloorRow, FxEvidenceRow, ImportBatch, ImportRow, MarketQuote, PriceReference
from market.reports.queries.lists import (
    Sorting,
    Source,
    Viewer,
    between_dates,
    between_days,
    by_day,
    contains,
    one_named,
    one_of,
    search_of,
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


def imports(viewer: Viewer) -> Source:
    """Return the price tables that were read, those that wait for a second person first; they are everybody's."""
    waiting = case((ImportBatch.state == "waiting", 0), else_=1)
    rows = select(func.count()).where(ImportRow.batch_id == ImportBatch.id).correlate(ImportBatch).scalar_subquery()
    columns = (
        ImportBatch.id, ImportBatch.entered_at, ImportBatch.source_name, ImportBatch.scheme, rows.label("rows"),
        ImportBatch.state, ImportBatch.decided_at,
    )  # fmt: skip
    return Source(
        select(*columns),
        {
            "newest": by_day(ImportBatch.entered_at, unique=ImportBatch.id),
            "waiting": Sorting(((waiting, int), (ImportBatch.id, UUID))),
        },
        {
            "q": search_of(ImportBatch.source_name),
            "state": one_of(ImportBatch.state, ("waiting", "approved", "refused")),
            "scheme": lambda text: ImportBatch.scheme == text,
            **between_days(viewer, ImportBatch.entered_at),
        },
    )


def quotes(viewer: Viewer) -> Source:
    """Return the market prices, the newest day first; they are everybody's."""
    del viewer
    columns = (
        MarketQuote.id, MarketQuote.market, MarketQuote.price, MarketQuote.addition, MarketQuote.addition_label,
        MarketQuote.unit, MarketQuote.currency, MarketQuote.quoted_on, MarketQuote.source_name, MarketQuote.entered_by,
        MarketQuote.entered_at, MarketQuote.checked_by,
    )  # fmt: skip
    checked = case((MarketQuote.checked_by.is_(None), "once"), else_="twice")
    return Source(
        select(*columns, checked.label("checked")),
        {
            "newest": by_day(MarketQuote.quoted_on, kind=date.fromisoformat, unique=MarketQuote.id),
            "market": Sorting(((MarketQuote.market, str), (MarketQuote.id, UUID))),
        },
        {
            "q": search_of(MarketQuote.market, MarketQuote.source_name),
            "market": lambda text: MarketQuote.market == text,
            "checked": one_named({"once": MarketQuote.checked_by.is_(None), "twice": MarketQuote.checked_by.is_not(None)}),
            **between_dates(MarketQuote.quoted_on),
        },
    )


def rates(viewer: Viewer) -> Source:
    """Return the exchange rates, the newest day first; they are everybody's."""
    del viewer
    pair = FxEvidenceRow.base + literal(" → ") + FxEvidenceRow.quote
    columns = (
        FxEvidenceRow.id, pair.label("pair"), FxEvidenceRow.rate, FxEvidenceRow.rate_on, FxEvidenceRow.source_name,
        FxEvidenceRow.entered_at,
    )  # fmt: skip
    return Source(
        select(*columns),
        {"newest": by_day(FxEvidenceRow.rate_on, kind=date.fromisoformat, unique=FxEvidenceRow.id)},
        {
            "q": search_of(FxEvidenceRow.source_name),
            "currency": lambda text: or_(FxEvidenceRow.base == text.upper(), FxEvidenceRow.quote == text.upper()),
            **between_dates(FxEvidenceRow.rate_on),
        },
    )


def floors(viewer: Viewer) -> Source:
    """Return the co-op's own floors by name, those that a newer decision replaced included."""
    assert viewer.now is not None
    stale = (CoopFloorRow.status == "active") & (CoopFloorRow.review_by < viewer.now.date())
    state = case((stale, "stale"), else_=CoopFloorRow.status)
    columns = (
        CoopFloorRow.id, CoopFloorRow.title, CoopFloorRow.amount, CoopFloorRow.currency, CoopFloorRow.unit,
        CoopFloorRow.decided_by_body, CoopFloorRow.decided_on, CoopFloorRow.review_by, state.label("state"),
    )  # fmt: skip
    return Source(
        select(*columns).where(CoopFloorRow.coop_id == viewer.coop_id),
        {
            "title": Sorting(((CoopFloorRow.title, str), (CoopFloorRow.id, UUID))),
            "newest": by_day(CoopFloorRow.decided_on, kind=date.fromisoformat, unique=CoopFloorRow.id),
            "review": Sorting(((CoopFloorRow.review_by, date.fromisoformat), (CoopFloorRow.id, UUID))),
        },
        {
            "q": search_of(CoopFloorRow.title, CoopFloorRow.product),
            "state": _floor_state(state),
            **between_dates(CoopFloorRow.decided_on),
        },
    )


def _floor_state(state: Any) -> Any:
    counts = {"counts": CoopFloorRow.status == "active"}
    return one_named(counts | {code: state == code for code in ("active", "stale", "superseded")})
