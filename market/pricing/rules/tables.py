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
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from market.kernel.words import N_, say
from market.pricing.errors import TableUnreadable
from market.pricing.rules.comparison import level_of
from market.pricing.rules.references import Reference
from market.pricing.rules.table_rows import (
    CONFIDENCE,
    PREMIUM_KINDS,
    Note,
    Notes,
    check_cells,
    hold_against_held,
    judge_row,
    judge_words,
    key_of,
    read_day,
    read_number,
)
from market.pricing.rules.terms import MARKETS, SEPARATOR, SHIPPED, code_of, folded
from market.pricing.rules.units import Packaging, unit_code

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
MARKS = (",", ";", "\t")
_KINDS = {"GOV_FLOOR": "STATUTE", "PCT_OF_LBMA": "PCT_INDEX", "PCT_OF_LPPM": "PCT_INDEX"}
_OWN_SCHEME = {"STATUTE": "law", "LIRP": "living_income", "SPP_MIN": "spp"}


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
    rows = _rows(_text(data), heads)
    if not rows or _trimmed(rows[0]) != heads:
        raise TableUnreadable(say("The heads are not those of %(profile)s: %(heads)s.", profile=profile, heads=heads), rule="E01")
    for number, row in enumerate(rows[1:], start=2):
        if row and len(row) != len(heads):
            raise TableUnreadable(
                say(
                    "Row %(number)s has %(num)s fields and the heads are %(heads)s.",
                    number=number,
                    num=len(row),
                    heads=len(heads),
                ),
                rule="E01",
            )
    found = [dict(zip(heads, row, strict=True)) for row in rows[1:] if any(_trimmed(row))]
    if not found:
        raise TableUnreadable("Below its heads the file has no rows.", rule="E01")
    return found


def _text(data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        detail = say("The file is not UTF-8: byte %(start)s cannot be read. Save it as “CSV UTF-8”.", start=problem.start)
        raise TableUnreadable(detail, rule="E01") from None
    if "\x00" in text:
        raise TableUnreadable("The file is no text: it holds zero bytes. Save it as “CSV UTF-8”.", rule="E01")
    return text


def _rows(text: str, heads: tuple[str, ...]) -> list[list[str]]:
    """Return the rows as fields, by the mark that spreadsheets of the country put between them: the heads say which it is."""
    mark = next((mark for mark in MARKS if _trimmed(text.partition("\n")[0].replace('"', "").split(mark)) == heads), MARKS[0])
    lines = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=mark)
    try:
        return list(lines)
    except csv.Error:
        detail = say("The file cannot be read up to line %(line)s: a quote is not closed there, or before.", line=lines.line_num)
        raise TableUnreadable(detail, rule="E01") from None


def _trimmed(row: Sequence[str]) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in row)


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
    held = {key_of(reference): reference for _, reference in existing if reference.status in ("active", "needs_review")}
    for number, cells in enumerate(read_file(data, facts.profile), start=1):
        row_hash = _row_hash(cells, facts)
        notes = Notes()
        if row_hash in hashes:
            notes.add("E08", "unchanged", N_("The same row is already held; nothing changes."))
            rows.append(ReadRow(number, cells, row_hash, tuple(notes.found)))
            continue
        check_cells(cells, notes)
        raw = _seed_values(cells) if facts.profile == "project_seed_v1" else _official_values(cells, notes)
        values = _reference(raw, facts, notes, aliases, packagings or {})
        judge_row(values, raw, on, notes)
        hold_against_held(values, held, notes)
        rejected = any(note.effect == "rejected" for note in notes.found)
        rows.append(ReadRow(number, cells, row_hash, tuple(notes.found), None if rejected else values))
        if not rejected:
            held.setdefault(key_of(values), values)
            hashes.add(row_hash)
    return _implausible_pairs(rows)


def _row_hash(cells: Mapping[str, str], facts: FileFacts) -> str:
    whole = {"cells": dict(cells), "scheme": facts.scheme, "profile": facts.profile}
    return hashlib.sha256(json.dumps(whole, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _seed_values(cells: Mapping[str, str]) -> dict[str, str]:
    kind = cells["price_kind"].strip().upper()
    index = kind.removeprefix("PCT_OF_") if kind.startswith("PCT_OF_") else ""
    return {
        **{head: cells[head].strip() for head in ("product", "variety", "form", "origin", "incoterm", "currency", "unit")},
        "quality": cells["quality"].strip().lower(),
        "characteristic": "",
        "setup": {"statutory": "", "SPP": "SPO"}.get(cells["scope"].strip(), cells["scope"].strip()),
        "minimum": cells["minimum_price"].strip(),
        "premium": cells["premium"].strip(),
        "valid_from": cells["valid_from"].strip(),
        "source": cells["source"].strip(),
        "confidence": cells["confidence"].strip().lower(),
        "price_kind": _KINDS.get(kind, kind),
        "premium_kind": cells["premium_kind"].strip(),
        "index": index,
        "unit_quantity": "1",
        "market": "",
        "special": "",
    }


def _official_values(cells: Mapping[str, str], notes: Notes) -> dict[str, str]:
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


def _term(kind: str, text: str, aliases: Mapping[tuple[str, str], str], notes: Notes) -> str:
    if not text:
        if kind in ("product", "place"):
            notes.add("E13", "needs_review", N_("The product or the place is missing; without it the row is a floor of nothing."))
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
    notes: Notes,
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
    level_said = level_of(raw["incoterm"])
    unit_quantity = read_number(raw["unit_quantity"], "quantity", facts.decimal_mark, notes)
    if unit_quantity == 0:
        notes.add("E06", "needs_review", N_("The quantity that the price is for is 0; a person must say which it is."))
    judge_words(raw, level_said, notes)
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
        incoterm=level_said or raw["incoterm"],
        currency=raw["currency"] or None,
        unit=unit,
        packaging=packagings.get(unit) if unit else None,
        unit_quantity=unit_quantity or Decimal(1),
        minimum_price=read_number(raw["minimum"], "minimum price", facts.decimal_mark, notes),
        minimum_basis="pct_index" if kind == "PCT_INDEX" else "abs",
        index_name=raw["index"] or None,
        premium=read_number(raw["premium"], "premium", facts.decimal_mark, notes),
        premium_kind=PREMIUM_KINDS.get(raw["premium_kind"], "abs"),
        relevant_market=raw["market"] or _market(facts, kind, product, variety),
        special_terms="*" in raw["special"],
        valid_from=read_day(raw["valid_from"], facts.date_style, notes),
        valid_from_text=raw["valid_from"],
        applies_by=facts.applies_by,
        confidence=raw["confidence"] if raw["confidence"] in CONFIDENCE else "low",
        status="needs_review",
        source_name=raw["source"] or facts.source_name,
    )


def _market(facts: FileFacts, kind: str, product: str, variety: str) -> str | None:
    """Return the market of a scheme's row from a file that has no column for it: not said is not "none needed"."""
    if facts.profile == "official_table_v1" or kind in _OWN_SCHEME:
        return None
    return MARKETS.get((product, variety))


def _implausible_pairs(rows: list[ReadRow]) -> list[ReadRow]:
    """Send an organic minimum at or below the conventional one of the same key and day to a person (E14)."""
    conventional = {
        key_of(replace(row.values, quality="organic")): row.values.minimum_price
        for row in rows
        if row.values and row.values.quality == "conventional" and row.values.minimum_basis == "abs"
    }
    out = []
    for row in rows:
        other = conventional.get(key_of(row.values)) if row.values and row.values.quality == "organic" else None
        if row.values and other is not None and row.values.minimum_price is not None and row.values.minimum_price <= other:
            note = Note(
                "E14",
                "needs_review",
                say("implausible: the organic minimum is not above the conventional one of %(other)s.", other=other),
            )
            row = replace(row, notes=(*row.notes, note))
        out.append(row)
    return out
