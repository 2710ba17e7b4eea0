"""What the rows of a price table are told: the codes E02 to E18, cell by cell and row by row (fair-prices.md 9.2)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from market.kernel.words import N_, say
from market.pricing.rules.references import Reference, span_of
from market.pricing.rules.terms import known_currency
from market.pricing.rules.units import NOT_UNITS, UNITS

PREMIUM_KINDS = {
    "": "abs", "abs": "abs", "pct_of_index": "pct_index", "pct_of_commercial_price": "pct_commercial",
    "pct_of_negotiated_price": "pct_negotiated", "pct_of_FOB": "pct_fob",
}  # fmt: skip
"""What a file says of a premium, and the kind it is."""
KINDS = ("FMP", "SPP_MIN", "COMMERCIAL", "PCT_INDEX", "DIFFERENTIAL", "STATUTE", "LIRP")
CONFIDENCE = ("high", "medium", "low")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Note:
    """One answer to a row: its code, what it does to the row, and a sentence."""

    code: str
    effect: str
    """rejected | conflict | needs_review | unchanged | informs | note."""
    words: str


@dataclass(slots=True)
class Notes:
    """The answers to one row, as they are found."""

    found: list[Note] = field(default_factory=list)

    def add(self, code: str, effect: str, words: str) -> None:
        """Answer with a code, its effect and a sentence."""
        self.found.append(Note(code, effect, words))


def check_cells(cells: Mapping[str, str], notes: Notes) -> None:
    """Refuse control characters, and remark on what a spreadsheet would take for a formula (E18)."""
    for head, cell in cells.items():
        if _CONTROL.search(cell):
            notes.add("E18", "rejected", say("The field %(head)s holds control characters.", head=head))
        elif cell[:1] in "=+-@" and cell and not re.fullmatch(r"-?[\d.,]+", cell):
            notes.add(
                "E18",
                "note",
                say("The field %(head)s begins like a formula; it is kept as text and escaped on export.", head=head),
            )


def read_number(text: str, name: str, mark: str, notes: Notes) -> Decimal | None:
    """Return a number, or None with E03 where it cannot be read for certain, or E04 where it is below zero."""
    if not text:
        return None
    other = "," if mark == "." else "."
    bare = text.replace(" ", "")
    if re.fullmatch(r"-[\d.,]+", bare):
        notes.add("E04", "rejected", say("The %(name)s %(text)s is below zero.", name=name, text=text))
        return None
    if re.fullmatch(r"\d{1,3}[.,]\d{3}", bare) and not bare.startswith("0"):
        notes.add(
            "E03",
            "needs_review",
            say("The %(name)s %(text)s could mean thousands or thousandths; a person must say which.", name=name, text=text),
        )
        return None
    if not re.fullmatch(rf"(\d+|\d{{1,3}}(\{other}\d{{3}})+)(\{mark}\d+)?", bare):
        notes.add(
            "E03",
            "needs_review",
            say("The %(name)s %(text)s cannot be read as a number written with '%(mark)s'.", name=name, text=text, mark=mark),
        )
        return None
    number = Decimal(bare.replace(other, "").replace(mark, "."))
    if number >= 10**12 or number != round(number, 6):
        words = say("The %(name)s %(text)s is too large, or has more than six decimals.", name=name, text=text)
        notes.add("E03", "needs_review", words)
        return None
    return number


def read_day(text: str, style: str, notes: Notes) -> date | None:
    """Return a whole day written in the style of the file, or None with E02."""
    if style != "iso" and (found := re.fullmatch(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})", text)):
        first, second, year = (int(part) for part in found.groups())
        text = f"{year:04}-{second:02}-{first:02}" if style == "dmy" else f"{year:04}-{first:02}-{second:02}"
    span = span_of(text)
    if span is None or span[0] != span[1]:
        said = say("The date '%(text)s' is not a whole day", text=text) if text else N_("The date is missing")
        notes.add("E02", "needs_review", say("%(said)s; a person must supply it from the source.", said=said))
        return None
    return span[0]


def key_of(row: Reference) -> tuple[object, ...]:
    """Return what makes two rows the same row of two editions: everything but its values."""
    day = row.valid_from or row.valid_from_text
    return (
        row.scheme, row.price_kind, row.product, row.variety, row.form, row.characteristic, row.quality, row.geo_level,
        row.geo_code, row.setup, row.incoterm, row.unit, row.currency, day,
    )  # fmt: skip


def judge_words(raw: Mapping[str, str], level: str | None, notes: Notes) -> None:
    """Answer a row whose words the rules do not know (E11, E15, E16): unsaid, they would make a floor that is never compared."""
    if raw["price_kind"] not in KINDS:
        known = ", ".join(KINDS)
        notes.add(
            "E15", "rejected", say("'%(kind)s' is no kind of price; known are %(known)s.", kind=raw["price_kind"], known=known)
        )
    if raw["confidence"] not in CONFIDENCE:
        words = say("The confidence '%(said)s' is none of high, medium and low; it is taken as low.", said=raw["confidence"])
        notes.add("E11", "needs_review", words)
    if level is None:
        words = say(
            "'%(incoterm)s' is no incoterm that a price can be compared by; a person must say which.", incoterm=raw["incoterm"]
        )
        notes.add("E16", "needs_review", words)


def judge_row(row: Reference, raw: Mapping[str, str], on: date, notes: Notes) -> None:
    """Answer a read row with E04 to E17, as far as the row alone can tell."""
    kind, share = row.price_kind, row.premium_kind.startswith("pct") and row.minimum_price is None
    if row.minimum_price is not None and row.minimum_price <= 0:
        notes.add(
            "E04",
            "rejected",
            say(
                "The minimum price %(minimum_price)s is not above zero; no minimum is left empty.",
                minimum_price=row.minimum_price,
            ),
        )
    if not known_currency(row.currency or "") and not (share and row.currency is None):
        notes.add("E05", "rejected", say("The currency '%(raw)s' is not one of ISO 4217.", raw=raw["currency"]))
    _judge_unit(row, raw, share, notes)
    if row.minimum_price is None and not raw["minimum"] and not (kind == "COMMERCIAL" and row.premium is not None):
        notes.add("E07", "needs_review", N_("The minimum is empty, and the row is not one of commercial price with a premium."))
    if row.special_terms:
        notes.add("E09", "note", N_("Special price terms: the general formula is switched off for this row."))
    if row.valid_from is not None and row.valid_from > on:
        notes.add("E10", "note", say("The row comes into force on %(valid_from)s.", valid_from=row.valid_from))
    if kind == "LIRP":
        notes.add("E11", "informs", N_("A living income reference informs and never blocks."))
    elif row.confidence != "high":
        notes.add(
            "E11",
            "informs",
            say(
                "Confidence is %(confidence)s: the row informs until a person confirms it with the source.",
                confidence=row.confidence,
            ),
        )
    if (kind == "PCT_INDEX" and not row.index_name) or raw["premium_kind"] not in PREMIUM_KINDS:
        notes.add("E12", "rejected", N_("A percentage stands without the index or price it is a share of."))
    if ("differential" in row.characteristic and kind != "DIFFERENTIAL") or (
        kind == "DIFFERENTIAL" and row.minimum_price is not None
    ):
        notes.add("E15", "needs_review", N_("A differential is filed as a floor, or a floor as a differential."))
    if not row.incoterm and row.minimum_price is not None and kind not in ("LIRP", "STATUTE"):
        notes.add("E16", "needs_review", N_("A scheme's minimum needs its incoterm."))
    if kind == "STATUTE" and row.valid_to is None:
        notes.add("E17", "informs", N_("The statutory price has no end date: it informs and is marked stale."))


def _judge_unit(row: Reference, raw: Mapping[str, str], share: bool, notes: Notes) -> None:
    unit = row.unit
    if unit in UNITS or (unit is None and share) or row.packaging is not None:
        return
    if unit is not None and unit.split("_")[0] in NOT_UNITS:
        notes.add("E06", "needs_review", say("packaging_unknown: nobody declared what one '%(raw)s' holds.", raw=raw["unit"]))
    else:
        notes.add("E06", "rejected", say("The unit '%(raw)s' is not known.", raw=raw["unit"]))


def hold_against_held(row: Reference, held: Mapping[tuple[object, ...], Reference], notes: Notes) -> None:
    """Answer a row with E08 and E14, as rows that are held already tell."""
    same = held.get(key_of(row))
    if same is not None:
        if (same.minimum_price, same.premium) == (row.minimum_price, row.premium):
            notes.add("E08", "unchanged", N_("A row with this key, day and these values is already there."))
        else:
            notes.add("E08", "conflict", N_("A row with this key and day has other values; a correction must supersede it."))
        return
    if row.valid_from is None or row.minimum_price is None:
        return
    before = [
        other
        for other in held.values()
        if key_of(other)[:-1] == key_of(row)[:-1]
        and other.minimum_price
        and other.valid_from
        and other.valid_from < row.valid_from
    ]
    former = max(before, key=lambda other: other.valid_from or date.min, default=None)
    if former is None or not former.minimum_price:
        return
    least, day = former.minimum_price, former.valid_from
    if row.minimum_price > 2 * least:
        words = say(
            "implausible: more than twice the former row's %(minimum_price)s of %(valid_from)s.",
            minimum_price=least,
            valid_from=day,
        )
        notes.add("E14", "needs_review", words)
    if 2 * row.minimum_price < least:
        words = say(
            "implausible: less than half the former row's %(minimum_price)s of %(valid_from)s.",
            minimum_price=least,
            valid_from=day,
        )
        notes.add("E14", "needs_review", words)
