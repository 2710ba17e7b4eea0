"""What kind of file is this, by its content; its name says nothing (money.md 7)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from market.statements.rules.shapes import Line, Statement, Unreadable

from . import mt940, ofx
from .camt import read_camt
from .delimited import CsvMapping, fits, read_csv
from .source import Readable, Source

_PAYMENT_STATUS = re.compile(r"<(?:[A-Za-z0-9_]{1,20}:)?CstmrPmtStsRpt[\s/>]|iso:20022:tech:xsd:pain\.002")
_STATUS = "pain.002"
_TEXT = re.compile(r"[^\x00-\x08\x0e-\x1f]*")


def kind_of(source: Source) -> str:
    """Return camt, pain.002, OFX, MT940 or CSV. Raises Unreadable for anything else."""
    head = source.head_text()
    if ofx.recognised(head):
        return "OFX"
    if head.lstrip("\ufeff \t\r\n").startswith("<"):
        return _STATUS if _PAYMENT_STATUS.search(head[:4096]) else "camt"
    if mt940.recognised(head):
        return "MT940"
    if _looks_like_a_table(head):
        return "CSV"
    raise Unreadable(
        "unknown kind of file: a statement is camt.053, camt.052, camt.054, MT940, MT942, OFX or CSV", "statements.unknown_kind"
    )


def read_statements(
    stream: Readable | Source, *, default_currency: str | None = None, mappings: Sequence[CsvMapping] = ()
) -> Iterator[Line | Statement]:
    """Yield what a file of any known format says: each line, and each statement after its lines.

    `mappings` are those saved for the account; a CSV is read by the first that fits its header. Raises Unreadable for the
    whole file; what was yielded before must then not be used.
    """
    source = stream if isinstance(stream, Source) else Source(stream)
    kind = kind_of(source)
    if kind == "camt":
        yield from read_camt(source, default_currency=default_currency)
    elif kind == "OFX":
        yield from ofx.read_ofx(source, default_currency=default_currency)
    elif kind == "MT940":
        yield from mt940.read_mt940(source, default_currency=default_currency)
    elif kind == _STATUS:
        text = "this is a payment status report (pain.002), not a statement"
        raise Unreadable(text, "statements.payment_status")
    else:
        mapping = next((each for each in mappings if fits(source, each)), None)
        if mapping is None:
            text = "this is a CSV file and no saved mapping fits its header: say once what its columns mean"
            raise Unreadable(text, "statements.mapping_needed")
        yield from read_csv(source, mapping, default_currency=default_currency)


def _looks_like_a_table(head: str) -> bool:
    rows = [row for row in head.splitlines()[:20] if row.strip()]
    if not rows or not _TEXT.fullmatch(head[:2000]) or head.lstrip().startswith(("%PDF", "{", "[")):
        return False
    return any(sum(row.count(mark) >= 1 for row in rows) * 2 >= len(rows) for mark in (";", ",", "\t", "|"))
