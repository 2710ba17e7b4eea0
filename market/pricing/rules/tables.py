"""Reading a price table: two profiles, every row answered with codes E01 to E18 (fair-prices.md 9).

Nothing is guessed: a partial date, an ambiguous number or an unknown term sends the row to a person. Notes of the file
are kept as text and never parsed; prices are neither divided nor converted.
"""

import csv
import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from market.kernel.words import N_, say
from market.pricing.errors import TableUnreadable
from market.pricing.rules.references import Reference, span_of
from market.pricing.rules.terms import MARKETS, SEPARATOR, SHIPPED, code_of, folded, known_currency
from market.pricing.rules.units import NOT_UNITS, UNITS, Packaging, unit_code

_SEED_HEADS = (
    "product,variety,form,origin,scope,incoterm,currency,unit,quality,minimum_price,premium,valid_from,source,confidence,"
    "price_kind,premium_kind,note"
)
_OFFICIAL_HEADS = (
    "Product Category,Product,Product Form,Product Characteristic,Quality,Country/Region,Incoterm Level,Special Price Terms(*),"
    "Unit,Quantity,Currency,Minimum Price,Premium,Relevant Market Price,Effective Date"
)
HEADS: dict[str, tuple[str, ...]] = {
    "project_seed_v1": tuple(_SEED_HEADS.split(",")),
    "official_table_v1": tuple(_OFFICIAL_HEADS.split(",")),
}
_KINDS = {"GOV_FLOOR": "STATUTE", "PCT_OF_LBMA": "PCT_INDEX", "PCT_OF_LPPM": "PCT_INDEX"}
_PREMIUM_KINDS = {
    "": "abs", "abs": "abs", "pct_of_index": "pct_index", "pct_of_commercial_price": "pct_commercial",
    "pct_of_negotiated_price": "pct_negotiated", "pct_of_FOB": "pct_fob",
}  # fmt: skip
_OWN_SCHEME = {"STATUTE": "law", "LIRP": "living_income", "SPP_MIN": "spp"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is asked once per file, because the file does not say it (9.1)."""

    profile: str
    scheme: str
    source_name: str = ""
    source_on: date | None = None
    document_hash: str = ""
    setup: str = "SPO"
    applies_by: str = "contract_signed"
    decimal_mark: str = "."
    date_style: str = "iso"


@dataclass(frozen=True, slots=True)
class Note:
    """One answer to a row: its code, what it does to the row, and a sentence."""

    code: str
    effect: str
    """rejected | conflict | needs_review | unchanged | informs | note."""
    words: str


@dataclass(slots=True)
class _Notes:
    found: list[Note] = field(default_factory=list)

    def add(self, code: str, effect: str, words: str) -> None:
        self.found.append(Note(code, effect, words))


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row of the file with its answer; `values` is None where it was rejected."""

    number: int
    cells: Mapping[str, str]
    row_hash: str
    notes: tuple[Note, ...]
    values: Reference | None = None

    @property
    def state(self) -> str:
        """rejected, conflict, unchanged, needs_review or accepted: the gravest of its notes."""
        effects = {note.effect for note in self.notes}
        order = ("rejected", "unchanged", "conflict", "needs_review")
        return next((state for state in order if state in effects), "accepted")

    @property
    def only_informs(self) -> bool:
        """Whether the row, once active, can block nothing: a reference income, an unconfirmed or undated one."""
        return any(note.effect == "informs" for note in self.notes)

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of its notes, in order."""
        return tuple(note.code for note in self.notes)


def read_file(data: bytes, profile: str) -> list[dict[str, str]]:
    """Return the rows as cells by head. Raises TableUnreadable (E01) for encoding, heads or field count."""
    heads = HEADS.get(profile)
    if heads is None:
        raise TableUnreadable(
            say("There is no profile '%(profile)s'; known are %(heads)s.", profile=profile, heads=HEADS), rule="E01"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise TableUnreadable(
            say("The file is not UTF-8: byte %(start)s cannot be read.", start=problem.start), rule="E01"
        ) from None
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True)) if text.strip() else []
    if not rows or tuple(cell.strip() for cell in rows[0]) != heads:
        raise TableUnreadable(say("The heads are not those of %(profile)s: %(heads)s.", profile=profile, heads=heads), rule="E01")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(heads):
            raise TableUnreadable(
                say(
                    "Row %(number)s has %(num)s fields and the heads are %(heads)s.",
                    number=number,
                    num=len(row),
                    heads=len(heads),
                ),
                rule="E01",
            )
    return [dict(zip(heads, row, strict=True)) for row in rows[1:]]


def read_table(
    data: bytes,
    facts: FileFacts,
    *,
    on: date,
    existing: Sequence[tuple[str, Reference]] = (),
    aliases: Mapping[tuple[str, str], str] = SHIPPED,
    packagings: Mapping[str, Packaging] | None = None,
) -> list[ReadRow]:
    """Return every row of a table with its answer; nothing is stored.

    `existing` are the rows already held, with their hashes; `on` tells which rows are still to come (E10).
    """
    hashes = {known for known, _ in existing}
    rows: list[ReadRow] = []
    held = {_key(reference): reference for _, reference in existing if reference.status in ("active", "needs_review")}
    for number, cells in enumerate(read_file(data, facts.profile), start=1):
        row_hash = _row_hash(cells, facts)
        notes = _Notes()
        if row_hash in hashes:
            notes.add("E08", "unchanged", N_("The same row is already held; nothing changes."))
            rows.append(ReadRow(number, cells, row_hash, tuple(notes.found)))
            continue
        _check_cells(cells, notes)
        raw = _seed_values(cells) if facts.profile == "project_seed_v1" else _official_values(cells, notes)
        values = _reference(raw, facts, notes, aliases, packagings or {})
        _judge_row(values, raw, on, notes)
        _against_held(values, held, notes)
        rejected = any(note.effect == "rejected" for note in notes.found)
        rows.append(ReadRow(number, cells, row_hash, tuple(notes.found), None if rejected else values))
        if not rejected:
            held.setdefault(_key(values), values)
            hashes.add(row_hash)
    return _implausible_pairs(rows)


def _row_hash(cells: Mapping[str, str], facts: FileFacts) -> str:
    whole = {"cells": dict(cells), "scheme": facts.scheme, "profile": facts.profile}
    return hashlib.sha256(json.dumps(whole, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _key(row: Reference) -> tuple[object, ...]:
    day = row.valid_from or row.valid_from_text
    return (
        row.scheme, row.price_kind, row.product, row.variety, row.form, row.characteristic, row.quality, row.geo_level,
        row.geo_code, row.setup, row.incoterm, row.unit, row.currency, day,
    )  # fmt: skip


def _check_cells(cells: Mapping[str, str], notes: _Notes) -> None:
    for head, cell in cells.items():
        if _CONTROL.search(cell):
            notes.add("E18", "rejected", say("The field %(head)s holds control characters.", head=head))
        elif cell[:1] in "=+-@" and cell and not re.fullmatch(r"-?[\d.,]+", cell):
            notes.add(
                "E18",
                "note",
                say("The field %(head)s begins like a formula; it is kept as text and escaped on export.", head=head),
            )


def _seed_values(cells: Mapping[str, str]) -> dict[str, str]:
    kind = cells["price_kind"]
    index = kind.removeprefix("PCT_OF_") if kind.startswith("PCT_OF_") else ""
    return {
        **{
            head: cells[head].strip()
            for head in ("product", "variety", "form", "origin", "incoterm", "currency", "unit", "quality")
        },
        "characteristic": "",
        "setup": {"statutory": "", "SPP": "SPO"}.get(cells["scope"].strip(), cells["scope"].strip()),
        "minimum": cells["minimum_price"].strip(),
        "premium": cells["premium"].strip(),
        "valid_from": cells["valid_from"].strip(),
        "source": cells["source"].strip(),
        "confidence": cells["confidence"].strip(),
        "price_kind": _KINDS.get(kind, kind),
        "premium_kind": cells["premium_kind"].strip(),
        "index": index,
        "unit_quantity": "1",
        "market": "",
        "special": "",
    }


def _official_values(cells: Mapping[str, str], notes: _Notes) -> dict[str, str]:
    minimum, premium = cells["Minimum Price"].strip(), cells["Premium"].strip()
    if re.match(r"commercial", minimum, re.IGNORECASE):
        minimum = ""
    if minimum.endswith("%") or premium.endswith("%"):
        notes.add("E12", "rejected", N_("A percentage stands without the index or price it is a share of."))
    return {
        "product": cells["Product"].strip(),
        "variety": "",
        "form": cells["Product Form"].strip(),
        "characteristic": cells["Product Characteristic"].strip(),
        "quality": cells["Quality"].strip().lower(),
        "origin": cells["Country/Region"].strip(),
        "incoterm": cells["Incoterm Level"].strip(),
        "setup": "",
        "currency": cells["Currency"].strip(),
        "unit": cells["Unit"].strip(),
        "unit_quantity": cells["Quantity"].strip() or "1",
        "minimum": minimum.rstrip("% "),
        "premium": premium.rstrip("% "),
        "valid_from": cells["Effective Date"].strip(),
        "source": "",
        "confidence": "high",
        "price_kind": "FMP" if minimum else "COMMERCIAL",
        "premium_kind": "abs",
        "index": "",
        "market": cells["Relevant Market Price"].strip(),
        "special": cells["Special Price Terms(*)"].strip(),
    }


def _number(text: str, name: str, mark: str, notes: _Notes) -> Decimal | None:
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
    return Decimal(bare.replace(other, "").replace(mark, "."))


def _day(text: str, style: str, notes: _Notes) -> date | None:
    if style != "iso" and (found := re.fullmatch(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})", text)):
        first, second, year = (int(part) for part in found.groups())
        text = f"{year:04}-{second:02}-{first:02}" if style == "dmy" else f"{year:04}-{first:02}-{second:02}"
    span = span_of(text)
    if span is None or span[0] != span[1]:
        said = say("The date '%(text)s' is not a whole day", text=text) if text else N_("The date is missing")
        notes.add("E02", "needs_review", say("%(said)s; a person must supply it from the source.", said=said))
        return None
    return span[0]


def _term(kind: str, text: str, aliases: Mapping[tuple[str, str], str], notes: _Notes) -> str:
    if not text:
        return ""
    code = aliases.get((kind, folded(text)))
    if code is None:
        notes.add(
            "E13",
            "needs_review",
            say(
                "'%(text)s' is not a known %(kind)s; name the code it stands for, or a new row cannot replace the old.",
                text=text,
                kind=kind,
            ),
        )
        return code_of(text)
    return code


def _reference(
    raw: Mapping[str, str],
    facts: FileFacts,
    notes: _Notes,
    aliases: Mapping[tuple[str, str], str],
    packagings: Mapping[str, Packaging],
) -> Reference:
    product, _, variety = _term("product", raw["product"], aliases, notes).partition(SEPARATOR)
    variety = variety or _term("variety", raw["variety"], aliases, notes)
    form, _, characteristic = _term("form", raw["form"], aliases, notes).partition(SEPARATOR)
    place = _term("place", raw["origin"], aliases, notes)
    level, _, geo_code = place.partition(":") if ":" in place else ("country", ":", place.upper())
    unit = unit_code(raw["unit"]) if raw["unit"] else None
    kind, quality = raw["price_kind"], raw["quality"] or "both"
    if quality not in ("conventional", "organic", "both"):
        notes.add("E13", "needs_review", say("The quality '%(quality)s' is not known.", quality=quality))
        quality = "both"
    return Reference(
        id=UUID(int=0),
        scheme=_OWN_SCHEME.get(kind, facts.scheme),
        price_kind=kind,
        product=product,
        variety=variety,
        form=form,
        characteristic=characteristic or _term("characteristic", raw["characteristic"], aliases, notes),
        quality=quality,
        geo_level=level,
        geo_code=geo_code,
        setup=raw["setup"] or ("" if kind == "STATUTE" else facts.setup),
        incoterm=raw["incoterm"],
        currency=raw["currency"] or None,
        unit=unit,
        packaging=packagings.get(unit) if unit else None,
        unit_quantity=_number(raw["unit_quantity"], "quantity", facts.decimal_mark, notes) or Decimal(1),
        minimum_price=_number(raw["minimum"], "minimum price", facts.decimal_mark, notes),
        minimum_basis="pct_index" if kind == "PCT_INDEX" else "abs",
        index_name=raw["index"] or None,
        premium=_number(raw["premium"], "premium", facts.decimal_mark, notes),
        premium_kind=_PREMIUM_KINDS.get(raw["premium_kind"], "abs"),
        relevant_market=raw["market"] or _market(facts, kind, product, variety),
        special_terms="*" in raw["special"],
        valid_from=_day(raw["valid_from"], facts.date_style, notes),
        valid_from_text=raw["valid_from"],
        applies_by=facts.applies_by,
        confidence=raw["confidence"],
        status="needs_review",
        source_name=raw["source"] or facts.source_name,
    )


def _market(facts: FileFacts, kind: str, product: str, variety: str) -> str | None:
    """Return the market of a scheme's row from a file that has no column for it: not said is not "none needed"."""
    if facts.profile == "official_table_v1" or kind in _OWN_SCHEME:
        return None
    return MARKETS.get((product, variety))


def _judge_row(row: Reference, raw: Mapping[str, str], on: date, notes: _Notes) -> None:
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
    if (kind == "PCT_INDEX" and not row.index_name) or raw["premium_kind"] not in _PREMIUM_KINDS:
        notes.add("E12", "rejected", N_("A percentage stands without the index or price it is a share of."))
    if ("differential" in row.characteristic and kind != "DIFFERENTIAL") or (
        kind == "DIFFERENTIAL" and row.minimum_price is not None
    ):
        notes.add("E15", "needs_review", N_("A differential is filed as a floor, or a floor as a differential."))
    if not row.incoterm and row.minimum_price is not None and kind not in ("LIRP", "STATUTE"):
        notes.add("E16", "needs_review", N_("A scheme's minimum needs its incoterm."))
    if kind == "STATUTE" and row.valid_to is None:
        notes.add("E17", "informs", N_("The statutory price has no end date: it informs and is marked stale."))


def _judge_unit(row: Reference, raw: Mapping[str, str], share: bool, notes: _Notes) -> None:
    unit = row.unit
    if unit in UNITS or (unit is None and share) or row.packaging is not None:
        return
    if unit is not None and unit.split("_")[0] in NOT_UNITS:
        notes.add("E06", "needs_review", say("packaging_unknown: nobody declared what one '%(raw)s' holds.", raw=raw["unit"]))
    else:
        notes.add("E06", "rejected", say("The unit '%(raw)s' is not known.", raw=raw["unit"]))


def _against_held(row: Reference, held: Mapping[tuple[object, ...], Reference], notes: _Notes) -> None:
    same = held.get(_key(row))
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
        if _key(other)[:-1] == _key(row)[:-1] and other.minimum_price and other.valid_from and other.valid_from < row.valid_from
    ]
    former = max(before, key=lambda other: other.valid_from or date.min, default=None)
    if former is not None and former.minimum_price and row.minimum_price > 2 * former.minimum_price:
        notes.add(
            "E14",
            "needs_review",
            say(
                "implausible: more than twice the former row's %(minimum_price)s of %(valid_from)s.",
                minimum_price=former.minimum_price,
                valid_from=former.valid_from,
            ),
        )


def _implausible_pairs(rows: list[ReadRow]) -> list[ReadRow]:
    """Send an organic minimum at or below the conventional one of the same key and day to a person (E14)."""
    conventional = {
        _key(replace(row.values, quality="organic")): row.values.minimum_price
        for row in rows
        if row.values and row.values.quality == "conventional" and row.values.minimum_basis == "abs"
    }
    out = []
    for row in rows:
        other = conventional.get(_key(row.values)) if row.values and row.values.quality == "organic" else None
        if row.values and other is not None and row.values.minimum_price is not None and row.values.minimum_price <= other:
            note = Note(
                "E14",
                "needs_review",
                say("implausible: the organic minimum is not above the conventional one of %(other)s.", other=other),
            )
            row = replace(row, notes=(*row.notes, note))
        out.append(row)
    return out
