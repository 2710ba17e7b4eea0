"""Rows of the price tables and what each changed, imports, market prices, exchange rates and the co-ops' own floors."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Numeric, Row, Subquery, Text, case, cast, func, literal, or_, select, true
from sqlalchemy.orm import Session

from market.pricing.models import CoopFloorRow, FxEvidenceRow, ImportBatch, ImportRow, MarketQuote, PriceReference
from market.pricing.queries import GOODS
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

NUMBERS = ("minimum_price", "premium", "organic_differential")
EDITIONS = ("needs_review", "active", "superseded")
"""States of the rows that are held against the row before them; those that were set aside are not."""
_GRAVEST_FIRST = ("conflict", "rejected", "needs_review", "accepted")
IMPORT_ROWS = ("accepted", "needs_review", "conflict", "unchanged", "rejected")


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


def _editions() -> Subquery:
    """Return the rows of price tables, each beside the row of the same goods that was in force before it (`old_...`)."""
    same = [getattr(PriceReference, name) for name in GOODS]
    values = (
        PriceReference.minimum_price,
        PriceReference.premium,
        PriceReference.organic_differential,
        PriceReference.valid_from,
    )
    order = (PriceReference.valid_from, PriceReference.entered_at, PriceReference.id)
    before = [func.lag(value).over(partition_by=same, order_by=order).label(f"old_{value.key}") for value in values]
    goods = func.concat_ws(" ", PriceReference.product, PriceReference.variety, PriceReference.form).label("goods")
    known = PriceReference.status.in_(EDITIONS)
    facts = (PriceReference.geo_code, PriceReference.quality, PriceReference.unit, PriceReference.currency, PriceReference.status)
    return select(PriceReference.id, PriceReference.scheme, goods, *facts, *values, *before).where(known).subquery("editions")


def _differs(seen: Any) -> Any:
    return or_(*(seen[name].is_distinct_from(seen[f"old_{name}"]) for name in NUMBERS))


def price_change(session: Session, reference_id: UUID) -> Row[Any] | None:
    """Return a row of a price table beside the one before it; None where it says the same, or was set aside."""
    seen = _editions()
    return session.execute(select(seen).where(seen.c.id == reference_id, _differs(seen.c))).one_or_none()


def price_changes(viewer: Viewer) -> Source:
    """Return the rows of price tables that differ from the row before them, the newest day first; they are everybody's."""
    del viewer
    seen = _editions().c
    return Source(
        select(*seen).where(_differs(seen), seen.old_valid_from.is_not(None)),
        {"newest": by_day(func.coalesce(seen.valid_from, date.min), kind=date.fromisoformat, unique=seen.id)},
        {
            "q": lambda text: contains(seen.goods, text.replace(" ", "_")) | contains(seen.goods, text),
            "scheme": lambda text: seen.scheme == text,
            "status": one_of(seen.status, EDITIONS),
            "way": one_named(_ways(seen.minimum_price, seen.old_minimum_price)),
            **between_dates(seen.valid_from),
        },
        keyed=False,
    )


def _ways(new: Any, old: Any) -> dict[str, Any]:
    return {"rises": new > old, "falls": new < old, "same": ~new.is_distinct_from(old)}


def import_rows(viewer: Viewer, *, batch_id: UUID) -> Source:
    """Return the rows of an import in the file's order, each beside what was in force before it for the same goods."""
    del viewer
    values = ImportRow.values
    said: Any = {name: values[name].astext for name in (*GOODS, "valid_from", *NUMBERS)}
    day = cast(said["valid_from"], Date)
    old = (
        select(PriceReference)
        .where(
            PriceReference.status.in_(("active", "superseded")),
            PriceReference.valid_from < day,
            *(func.coalesce(getattr(PriceReference, name), "") == func.coalesce(said[name], "") for name in GOODS),
        )
        .order_by(PriceReference.valid_from.desc(), PriceReference.entered_at.desc(), PriceReference.id.desc())
        .limit(1)
        .lateral("old")
        .c
    )
    numbers = {name: cast(said[name], Numeric(18, 6)) for name in NUMBERS}
    columns = (
        ImportRow.number.label("id"), ImportRow.cells, ImportRow.state, ImportRow.notes, day.label("valid_from"),
        func.concat_ws(" ", said["product"], said["variety"], said["form"]).label("goods"), said["geo_code"].label("geo_code"),
        said["quality"].label("quality"), said["currency"].label("currency"), said["unit"].label("unit"),
        old.id.label("old_id"), old.valid_from.label("old_valid_from"),
        *(number.label(name) for name, number in numbers.items()), *(old[name].label(f"old_{name}") for name in NUMBERS),
    )  # fmt: skip
    changed = or_(*(number.is_distinct_from(old[name]) for name, number in numbers.items()))
    grave = case({code: place for place, code in enumerate(_GRAVEST_FIRST)}, value=ImportRow.state, else_=len(_GRAVEST_FIRST))
    kinds = {"new": old.id.is_(None) & said["product"].is_not(None), "changes": old.id.is_not(None) & changed}
    return Source(
        select(*columns).outerjoin(old.id.table, true()).where(ImportRow.batch_id == batch_id),
        {
            "waiting": Sorting(((grave, int), (ImportRow.number, int))),
            "file": Sorting(((ImportRow.number, int),)),
        },
        {
            "q": lambda text: contains(cast(ImportRow.cells, Text), text),
            "state": one_of(ImportRow.state, IMPORT_ROWS),
            "change": one_named(kinds | _ways(numbers["minimum_price"], old.minimum_price)),
        },
    )


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
    stale = (CoopFloorRow.status == "active") & (CoopFloorRow.review_by < viewer.today)
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
