"""What stands on an invoice, from the frozen parts of a price: lines, tax by rate and supply, sums that agree."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from market.invoices.ports import PaperLine, TaxLine
from market.kernel.money import Money, allocate

INVOICE, CREDIT_NOTE, REQUEST = "invoice", "credit_note", "request"
_LETTERS = {INVOICE: "INV", CREDIT_NOTE: "CN"}
SUPPLIES = ("goods", "premium", "charges")


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of a price without its tax, and the tax on it; `supply` is the component it belongs to."""

    supply: str
    net_minor: int
    rate: Decimal
    tax_minor: int


@dataclass(frozen=True, slots=True)
class Item:
    """One ordered quantity with its pieces."""

    title: str
    quantity: Decimal
    unit: str
    pieces: tuple[Piece, ...]


def number_text(kind: str, year: int, number: int) -> str:
    """Return a number as it is printed, `INV-2026-000017`."""
    return f"{_LETTERS[kind]}-{year}-{number:06d}"


def lines_of(items: Iterable[Item], currency: str) -> tuple[PaperLine, ...]:
    """Return one line per ordered quantity: its price without tax, and the tax in it."""
    lines = []
    for item in items:
        net = sum(piece.net_minor for piece in item.pieces)
        tax = sum(piece.tax_minor for piece in item.pieces)
        unit_net = round(Money(net, currency).decimal / item.quantity, 4).normalize()
        quantity = f"{item.quantity.normalize():f}"
        lines.append(PaperLine(item.title, "", quantity, item.unit, f"{unit_net:f}", net, tax))
    return tuple(lines)


def taxes_of(pieces: Iterable[Piece]) -> tuple[TaxLine, ...]:
    """Return the tax by rate and kind of supply, fees among them; what bears no tax has a line at rate 0."""
    sums: dict[tuple[Decimal, str], list[int]] = {}
    for piece in pieces:
        row = sums.setdefault((piece.rate, piece.supply), [0, 0])
        row[0] += piece.net_minor
        row[1] += piece.tax_minor
    order = sorted(sums, key=lambda key: (-key[0], SUPPLIES.index(key[1])))
    return tuple(TaxLine(f"{rate.normalize():f}", supply, *sums[rate, supply]) for rate, supply in order)


def credited(pieces: Sequence[Piece], given: Mapping[str, int], currency: str) -> tuple[Piece, ...]:
    """Return what a refund takes back of what was invoiced, with its tax.

    `given` is the refund by component (`goods`, `premium`, `charges`, `tax`). Rates are those of the invoice; a component
    or tax that was invoiced at several rates is split in proportion, by the largest remainder.
    """
    out: list[Piece] = []
    for supply in SUPPLIES:
        invoiced = [piece for piece in pieces if piece.supply == supply and piece.net_minor > 0]
        if given[supply]:
            shares = allocate(Money(given[supply], currency), [piece.net_minor for piece in invoiced])
            out += [Piece(supply, share.minor, piece.rate, 0) for piece, share in zip(invoiced, shares, strict=True)]
    if given["tax"]:
        if not any(piece.rate for piece in out):  # tax came back alone
            out += [Piece(piece.supply, 0, piece.rate, 0) for piece in pieces if piece.tax_minor > 0]
        weights = [int(piece.rate * 10_000) * max(piece.net_minor, 1) for piece in out]
        shares = allocate(Money(given["tax"], currency), weights)
        out = [replace(piece, tax_minor=share.minor) for piece, share in zip(out, shares, strict=True)]
    return tuple(out)


def swapped(old: Item, new: Item, given: Mapping[str, int], currency: str) -> tuple[tuple[PaperLine, ...], tuple[Piece, ...]]:
    """Return the lines and pieces of a credit note for goods that were replaced: all of the old, less all of the new.

    The invoice named other goods than were sent, so the difference alone would correct its sum and not what it says
    (Directive 2006/112/EC, articles 219 and 226). `given` is the refund: old minus new, by component.
    """
    sold = {supply: sum(piece.net_minor for piece in new.pieces if piece.supply == supply) for supply in SUPPLIES}
    sold["tax"] = sum(piece.tax_minor for piece in new.pieces)
    back = credited(old.pieces, {name: given[name] + sold[name] for name in sold}, currency)
    whole = sum(piece.net_minor for piece in back) == sum(piece.net_minor for piece in old.pieces)
    (first,) = lines_of([replace(old, pieces=back)], currency)
    (second,) = lines_of([new], currency)
    if not whole:  # a part of it was given back before, by a note of its own
        first = replace(first, quantity="", unit_net="")
    second = replace(second, quantity=f"-{second.quantity}", net_minor=-second.net_minor, tax_minor=-second.tax_minor)
    taken = tuple(replace(piece, net_minor=-piece.net_minor, tax_minor=-piece.tax_minor) for piece in new.pieces)
    return (first, second), back + taken


def credit_lines(pieces: Iterable[Piece]) -> tuple[PaperLine, ...]:
    """Return one line per kind of supply that is credited."""
    sums = {supply: [0, 0] for supply in SUPPLIES}
    for piece in pieces:
        sums[piece.supply][0] += piece.net_minor
        sums[piece.supply][1] += piece.tax_minor
    return tuple(PaperLine("", supply, "", "", "", *row) for supply, row in sums.items() if any(row))


def sums_agree(lines: Iterable[PaperLine], taxes: Iterable[TaxLine], total_minor: int) -> bool:
    """Whether lines, and net and tax by rate, both come to the total."""
    by_line = sum(line.net_minor + line.tax_minor for line in lines)
    return by_line == total_minor == sum(line.net_minor + line.tax_minor for line in taxes)


def digest(facts: Mapping[str, Any]) -> str:
    """Return the SHA-256 of frozen facts, in hex, over their JSON with sorted keys."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()
