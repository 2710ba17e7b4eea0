"""The price tables as the rules want them, loaded once per edition and kept in the process.

Rows only grow, and a trigger names each state of them by a fresh id that no rollback can give again; so a table that
was loaded for an id serves every check until the id changes. Co-op floors belong to a tenant and are never kept: they
come with the id in the same statement.
"""

from collections import OrderedDict, defaultdict, namedtuple
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from market.kernel import direct
from market.pricing.models import FxEvidenceRow, MarketQuote, PackagingRow, PriceReference, TermAlias
from market.pricing.rules import (
    Book,
    CoopFloor,
    CostBuildUp,
    FxEvidence,
    Goods,
    MarketPrice,
    Offer,
    Packaging,
    PriceVerdict,
    Reference,
    judge,
)
from market.pricing.rules.market_prices import trusted
from market.pricing.rules.terms import SEPARATOR, SHIPPED, code_of, folded
from market.pricing.rules.verdict import from_json

_KEPT = 4
_VERDICTS_KEPT = 2000
_REFERENCE_FIELDS = (
    "id", "scheme", "price_kind", "product", "currency", "unit", "variety", "form", "characteristic", "quality",
    "geo_level", "geo_code", "setup", "incoterm", "unit_quantity", "valid_from", "valid_from_text", "valid_to",
    "minimum_price", "minimum_basis", "index_name", "premium", "premium_kind", "organic_rule", "organic_differential",
    "relevant_market", "special_terms", "applies_by", "confidence", "status", "source_name",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shelf:
    """All rows of one edition, by product, and the words that name goods."""

    by_product: Mapping[str, tuple[Reference, ...]]
    markets: tuple[MarketPrice, ...]
    fx: tuple[FxEvidence, ...]
    packagings: Mapping[str, Packaging]
    aliases: Mapping[tuple[str, str], str]
    _known: OrderedDict[tuple[Offer, tuple[CoopFloor, ...]], PriceVerdict] = field(default_factory=OrderedDict)

    def judge(self, offer: Offer, floors: Sequence[CoopFloor]) -> PriceVerdict:
        """Return the verdict on an offer. The rules are pure, so the same offer is judged once per edition."""
        mine = tuple(floor for floor in floors if floor.coop_id == offer.coop_id)
        verdict = self._known.get((offer, mine))
        if verdict is None:
            book = Book(self.by_product.get(offer.goods.product, ()), self.markets, mine, self.fx)
            verdict = self._known[offer, mine] = judge(book, offer)
            if len(self._known) > _VERDICTS_KEPT:
                self._known.popitem(last=False)
        return verdict

    def goods(self, goods: Goods) -> Goods:
        """Return the goods in the codes of the tables, whatever words a listing uses for them."""
        product, _, variety = self._code("product", goods.product).partition(SEPARATOR)
        form, _, characteristic = self._code("form", goods.form).partition(SEPARATOR)
        return Goods(
            product=product,
            variety=variety or self._code("variety", goods.variety),
            form=form,
            characteristic=characteristic or goods.characteristic,
            quality=goods.quality or "conventional",
            origin_country=goods.origin_country,
            incoterm=goods.incoterm,
        )

    def _code(self, kind: str, term: str) -> str:
        return self.aliases.get((kind, folded(term)), code_of(term))


_shelves: OrderedDict[UUID, Shelf] = OrderedDict()


def reference_of(row: PriceReference, packagings: Mapping[UUID, Packaging]) -> Reference:
    """Return a stored row as the rules know it."""
    values = {name: getattr(row, name) for name in _REFERENCE_FIELDS}
    packaging = packagings.get(row.packaging_id) if row.packaging_id else None
    return Reference(**values, packaging=packaging, confirmed=row.confirmed_at is not None)


def _market_of(row: MarketQuote) -> MarketPrice:
    parts: tuple[tuple[str, Decimal], ...] = ((row.market, row.price),)
    if row.addition:
        parts = (*parts, (row.addition_label or "differential", row.addition))
    return MarketPrice(row.market, parts, row.currency, row.unit, row.quoted_on, row.source_name, row.per, row.id)


def load_packagings(session: Session) -> dict[UUID, Packaging]:
    """Return the declared packagings by id."""
    rows = session.execute(select(PackagingRow)).scalars()
    return {row.id: Packaging(row.code, row.net_quantity, row.unit) for row in rows}


def load_aliases(session: Session) -> dict[tuple[str, str], str]:
    """Return the words that ship and those that people added, which count before them."""
    added = {(row.kind, row.term): row.code for row in session.execute(select(TermAlias)).scalars()}
    return {**SHIPPED, **added}


def _load(session: Session) -> Shelf:
    packagings = load_packagings(session)
    by_product: defaultdict[str, list[Reference]] = defaultdict(list)
    rows = session.execute(select(PriceReference).where(PriceReference.status.in_(("active", "needs_review")))).scalars()
    for row in rows:
        by_product[row.product].append(reference_of(row, packagings))
    quotes = session.execute(select(MarketQuote).order_by(MarketQuote.entered_at, MarketQuote.id)).scalars()
    rates = session.execute(
        select(FxEvidenceRow)
        .ext(distinct_on(FxEvidenceRow.base, FxEvidenceRow.quote))
        .order_by(
            FxEvidenceRow.base,
            FxEvidenceRow.quote,
            FxEvidenceRow.rate_on.desc(),
            FxEvidenceRow.entered_at.desc(),
            FxEvidenceRow.id.desc(),
        )
    ).scalars()
    return Shelf(
        by_product={product: tuple(found) for product, found in by_product.items()},
        markets=tuple(trusted((_market_of(row), row.checked_by is not None) for row in quotes)),
        fx=tuple(FxEvidence(row.base, row.quote, row.rate, row.rate_on.isoformat(), row.source_name) for row in rates),
        packagings={packaging.code: packaging for packaging in packagings.values()},
        aliases=load_aliases(session),
    )


def floor_of(row: Any) -> CoopFloor:
    """Return a co-op's floor as the rules know it."""
    return CoopFloor(
        row.id,
        row.coop_id,
        row.product,
        row.amount,
        row.currency,
        row.unit,
        row.decided_by_body,
        row.decided_on,
        row.valid_from,
        row.review_by,
        row.variety,
        row.form,
        row.title,
        None if row.build_up is None else from_json(CostBuildUp, row.build_up),
    )


_FloorRow = namedtuple(
    "_FloorRow",
    "id coop_id product amount currency unit decided_by_body decided_on valid_from review_by variety form title build_up",
)
_EDITION_AND_FLOORS = (
    f"SELECT e.edition, {', '.join(f'f.{name}' for name in _FloorRow._fields)} FROM price_edition AS e"  # noqa: S608
    " LEFT JOIN coop_floor AS f ON f.coop_id = ANY(%(coops)s::uuid[]) AND f.status = 'active'"
)


def open_shelf(session: Session, coop_ids: Iterable[UUID]) -> tuple[Shelf, list[CoopFloor]]:
    """Return the price tables and the active floors of some co-ops: one small statement when nothing changed."""
    rows = direct.run(session, _EDITION_AND_FLOORS, {"coops": direct.array(set(coop_ids))})
    edition: UUID = rows[0][0]
    shelf = _shelves.get(edition)
    if shelf is None:
        shelf = _shelves[edition] = _load(session)
        while len(_shelves) > _KEPT:
            _shelves.popitem(last=False)
    return shelf, [floor_of(_FloorRow(*row[1:])) for row in rows if row[1] is not None]
