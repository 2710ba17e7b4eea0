"""Rows of published price tables, and which one applies on a day (fair-prices.md 2, R-03).

A row's end is the next row's start. Rows that nobody confirmed never decide; they are named, so that a price between
the confirmed and the unconfirmed row is a warning and never a silent ok.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from market.kernel.words import N_, Term, say, sentences
from market.pricing.rules.units import Packaging, Price
from market.pricing.rules.verdict import Finding, Outcome, rule

REGIONS: dict[str, frozenset[str]] = {"CI-GH": frozenset({"CI", "GH"})}
"""Regions that tables name, by the countries in them."""

WORLD = "world"
_GEO_RANK = {"country": 2, "region": 1, "world": 0}
_SCHEME_MINIMUMS = frozenset({"FMP", "SPP_MIN", "COMMERCIAL", "PCT_INDEX"})


@dataclass(frozen=True, slots=True)
class Goods:
    """What is sold, in the codes of the tables: an empty field means not said."""

    product: str
    variety: str = ""
    form: str = ""
    characteristic: str = ""
    quality: str = "conventional"
    origin_country: str = ""
    incoterm: str = ""

    @property
    def text(self) -> str:
        """The goods in words: `coffee, arabica, washed green`."""
        parts = (self.product, self.variety, self.form, self.characteristic)
        return sentences(*(Term(part.replace("_", " ")) for part in parts if part), between=", ")


@dataclass(frozen=True, slots=True)
class Reference:
    """One line of a published table, as it is stored: values never change after entry."""

    id: UUID
    scheme: str
    price_kind: str
    product: str
    currency: str | None = None
    unit: str | None = None
    variety: str = ""
    form: str = ""
    characteristic: str = ""
    quality: str = "conventional"
    geo_level: str = "world"
    geo_code: str = WORLD
    setup: str = ""
    incoterm: str = ""
    packaging: Packaging | None = None
    unit_quantity: Decimal = Decimal(1)
    valid_from: date | None = None
    valid_from_text: str = ""
    valid_to: date | None = None
    minimum_price: Decimal | None = None
    minimum_basis: str = "abs"
    index_name: str | None = None
    premium: Decimal | None = None
    premium_kind: str = "abs"
    organic_rule: str = "none"
    organic_differential: Decimal | None = None
    relevant_market: str | None = None
    special_terms: bool = False
    applies_by: str = "contract_signed"
    confidence: str = "high"
    confirmed: bool = False
    status: str = "active"
    source_name: str = ""

    @property
    def decides(self) -> bool:
        """Whether the row may block anything: active, dated, and confirmed unless its source is first-hand."""
        trusted = self.confidence == "high" or (self.confidence == "medium" and self.confirmed)
        return self.status == "active" and self.valid_from is not None and trusted

    @property
    def measure(self) -> Price:
        """The currency and measure in which the row speaks, as a price of zero to compare others with."""
        return self.priced(Decimal(0))

    def priced(self, amount: Decimal) -> Price:
        """Return `amount` as a price in the row's currency and measure."""
        return Price(amount, self.currency or "USD", self.unit or "", self.unit_quantity, self.packaging)

    @property
    def title(self) -> str:
        """The row's name in words, with its day and source, as every screen shows it."""
        goods = Goods(self.product, self.variety, self.form, self.characteristic).text
        place = "" if self.geo_level == "world" else self.geo_code
        return say(
            "%(scheme)s row for %(goods)s (%(terms)s), in force from %(day)s",
            scheme=Term(SCHEME_NAMES.get(self.scheme, self.scheme)),
            goods=goods,
            terms=sentences(Term(self.quality), place, self.incoterm, between=", "),
            day=self.valid_from or self.valid_from_text or N_("no date"),
        )


SCHEME_NAMES = {
    "fairtrade": "Fairtrade",
    "fairtrade_usa": "Fair Trade USA",
    "spp": "SPP",
    "wfto": "WFTO",
    "law": N_("Statutory price"),
    "living_income": N_("Living income reference"),
}


@dataclass(frozen=True, slots=True)
class Resolution:
    """The row that decides, the newer one nobody confirmed, and the next one already known."""

    row: Reference | None = None
    newer_unconfirmed: Reference | None = None
    ahead: Reference | None = None

    @property
    def rows(self) -> tuple[Reference, ...]:
        """The rows named, which are all that is needed to resolve again to the same answer."""
        return tuple(row for row in (self.row, self.newer_unconfirmed, self.ahead) if row is not None)


def span_of(text: str) -> tuple[date, date] | None:
    """Return the first and last day that a full or partial date (`2018`, `2021-07`) can mean, or None."""
    match = re.fullmatch(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?", text.strip())
    if match is None:
        return None
    try:
        year, month, day = (int(part or 0) for part in match.groups())
        if day:
            return (exact := date(year, month, day)), exact
        last = date(year + (month or 12) // 12, (month or 12) % 12 + 1, 1) - timedelta(days=1)
        return date(year, month or 1, 1), last
    except ValueError:
        return None


def _may_start(row: Reference, on: date) -> bool:
    """Say whether a row without a full date may already be in force."""
    if row.valid_from is not None:
        return row.valid_from <= on
    span = span_of(row.valid_from_text)
    return span is None or span[0] <= on


def _may_be_newer(row: Reference, chosen: Reference | None) -> bool:
    if chosen is None or chosen.valid_from is None:
        return True
    if row.valid_from is not None:
        return row.valid_from > chosen.valid_from
    span = span_of(row.valid_from_text)
    return span is None or span[1] > chosen.valid_from


def matches(row: Reference, goods: Goods) -> bool:
    """Say whether a row's key covers the goods: an empty field of the row covers everything."""
    place = (
        row.geo_level == "world"
        or row.geo_code == goods.origin_country
        or goods.origin_country in REGIONS.get(row.geo_code, frozenset())
    )
    named = ((row.variety, goods.variety), (row.form, goods.form), (row.characteristic, goods.characteristic))
    return place and row.product == goods.product and all(mine in ("", theirs) for mine, theirs in named)


def _rank(row: Reference, goods: Goods) -> tuple[int, int, int, date]:
    """Country before region before world, the same incoterm before another, then the closer key, then the latest."""
    closeness = sum(bool(part) for part in (row.variety, row.form, row.characteristic))
    level = int(row.incoterm in ("", goods.incoterm))
    return _GEO_RANK[row.geo_level], level, closeness, row.valid_from or date.min


def resolve(
    rows: Iterable[Reference],
    *,
    goods: Goods,
    scheme: str,
    on: date,
    qualities: frozenset[str],
    kinds: frozenset[str] = _SCHEME_MINIMUMS,
    until: date | None = None,
) -> Resolution:
    """Return the row of `scheme` for `goods` on the day `on` (R-03), and what stands beside or ahead of it.

    `until` is the last day of an offer's validity; a row that starts by then is returned as `ahead`.
    """
    mine = [
        row
        for row in rows
        if row.scheme == scheme and row.price_kind in kinds and row.quality in qualities and matches(row, goods)
    ]
    ended = [row for row in mine if row.valid_to is not None and row.valid_to < on]
    deciding = [row for row in mine if row.decides and row not in ended]
    chosen = max((r for r in deciding if r.valid_from and r.valid_from <= on), key=lambda r: _rank(r, goods), default=None)
    beside = [
        row
        for row in mine
        if row.status in ("active", "needs_review")
        and not row.decides
        and row not in ended
        and _may_start(row, on)
        and _may_be_newer(row, chosen)
        and (chosen is None or _GEO_RANK[row.geo_level] >= _GEO_RANK[chosen.geo_level])
    ]
    coming = [row for row in deciding if row.valid_from and until and on < row.valid_from <= until]
    return Resolution(
        row=chosen,
        newer_unconfirmed=max(beside, key=lambda row: row.minimum_price or Decimal(0), default=None),
        ahead=min(coming, key=lambda row: row.valid_from or date.max, default=None),
    )


@rule("R-03")
def which_row(
    *, rows: tuple[Reference, ...], goods: Goods, scheme: str, on: date, qualities: frozenset[str], until: date | None = None
) -> Finding:
    """Say which row applies on the day `on`, and warn when a known later row starts before the offer ends (R-03)."""
    found = resolve(rows, goods=goods, scheme=scheme, on=on, qualities=qualities, until=until)
    name = SCHEME_NAMES.get(scheme, scheme)
    if found.row is None:
        newer = found.newer_unconfirmed
        unconfirmed = "" if newer is None else say("The %(row)s, is not confirmed.", row=newer.title)
        return Finding(
            Outcome.NOT_CHECKABLE,
            "no_row",
            sentences(
                say(
                    "No confirmed row of the %(scheme)s table covers %(goods)s on %(day)s,"
                    " so the price cannot be called %(scheme)s.",
                    scheme=Term(name),
                    goods=goods.text,
                    day=on,
                ),
                unconfirmed,
            ),
        )
    words = say(
        "On %(day)s the %(row)s, applies (source: %(source)s).",
        day=on,
        row=found.row.title,
        source=found.row.source_name or Term(N_("not named")),
    )
    if found.ahead is not None:
        now, then = _minimum_words(found.row), _minimum_words(found.ahead)
        return Finding(
            Outcome.WARNING,
            "row_change_ahead",
            sentences(
                words,
                say(
                    "From %(day)s another row applies: %(now)s becomes %(then)s.", day=found.ahead.valid_from, now=now, then=then
                ),
            ),
            facts={"row": found.row, "ahead": found.ahead},
        )
    return Finding(Outcome.OK, "row_found", words, facts={"row": found.row})


def _minimum_words(row: Reference) -> str:
    return Term(N_("no fixed minimum")) if row.minimum_price is None else row.priced(row.minimum_price).text
