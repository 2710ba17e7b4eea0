"""Read an uploaded file completely, before any transaction is open (money.md 7.2).

The booked lines go to a temporary file in the form that PostgreSQL's COPY reads, so memory stays flat however large the
statement is, and writing them is one command. Nothing here raises for a bad file: a refusal is a result, because the
bytes are kept with the reason.
"""

import hashlib
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from tempfile import SpooledTemporaryFile
from typing import IO

from market.kernel.ids import new_id
from market.statements.rules.identity import line_key
from market.statements.rules.readers.recognise import read_statements
from market.statements.rules.readers.source import MAX_BYTES
from market.statements.rules.references import find_references
from market.statements.rules.shapes import Line, Part, Statement, Unreadable

LINE_COLUMNS = (
    "id", "statement", "n", "source_line", "identity", "booked_on", "value_on", "amount_minor", "currency", "bank_ref",
    "refs", "creditor_refs", "batch_refs", "batch_count", "counterparty_name", "counterparty_account", "text", "bank_code",
    "reversal", "returned", "return_reason", "charges_minor", "parts",
)  # fmt: skip
PART_COLUMNS = (
    "line_id", "n", "amount_minor", "refs", "creditor_refs", "batch_refs", "counterparty_name", "counterparty_account",
    "text", "returned", "return_reason", "charges_minor",
)  # fmt: skip
_SPOOL = 4 * 1024 * 1024
_KEPT_OF_REFUSED = 16 * 1024 * 1024
"""So much of a refused file is kept beyond what was read of it: enough to see what it was."""


def _spool() -> SpooledTemporaryFile[bytes]:
    return SpooledTemporaryFile(max_size=_SPOOL)


@dataclass
class Prepared:
    """A file that was read to its end. `refusal` says why it cannot be imported, `code` the same for programs.

    A refused file's statements must not be used. `interim` files are those of which a booked statement says all again.
    """

    name: str
    sha256: str = ""
    size_bytes: int = 0
    body_zlib: bytes = b""
    refusal: str | None = None
    code: str | None = None
    statements: list[Statement] = field(default_factory=list)
    last_days: dict[int, date] = field(default_factory=dict)
    booked: int = 0
    provisional: int = 0
    lines: SpooledTemporaryFile[bytes] = field(default_factory=_spool)
    parts: SpooledTemporaryFile[bytes] = field(default_factory=_spool)


class _Kept:
    """The stream, hashed and compressed while it is read; of what no statement can be, the beginning is kept."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.hash = hashlib.sha256()
        self.zip = zlib.compressobj(6)
        self.size = 0
        self.limit = MAX_BYTES
        self.packed = bytearray()

    def read(self, size: int = 1 << 16) -> bytes:
        chunk = self.stream.read(size)
        self.hash.update(chunk)
        if chunk and self.size < self.limit:
            self.packed += self.zip.compress(chunk[: self.limit - self.size])
        self.size += len(chunk)
        return chunk

    def finish(self, *, refused: bool) -> bytes:
        """Return the compressed bytes. A refused file is kept, too, up to _KEPT_OF_REFUSED and never read beyond MAX_BYTES."""
        if refused:
            self.limit = max(self.size, _KEPT_OF_REFUSED)
        while self.size <= MAX_BYTES and self.read():
            pass
        self.packed += self.zip.flush()
        return bytes(self.packed)


def prepare_file(stream: IO[bytes], *, name: str, currency: str) -> Prepared:
    """Return what `stream` holds; `currency` stands in where the file names none."""
    kept = _Kept(stream)
    prepared = Prepared(name=name[:200] or "statement")
    try:
        for event in read_statements(kept, default_currency=currency):
            if isinstance(event, Statement):
                prepared.statements.append(event)
            elif event.booked:
                _keep(prepared, event)
            else:
                prepared.provisional += 1
    except Unreadable as refusal:
        prepared.refusal, prepared.code = str(refusal), refusal.code
    prepared.body_zlib = kept.finish(refused=prepared.refusal is not None)
    prepared.sha256, prepared.size_bytes = kept.hash.hexdigest(), kept.size
    return prepared


def _keep(prepared: Prepared, line: Line) -> None:
    assert line.booked_on is not None  # the reader refuses booked lines without a day
    prepared.booked += 1
    last = prepared.last_days.get(line.statement)
    prepared.last_days[line.statement] = max(last, line.booked_on) if last else line.booked_on
    line_id = new_id()
    values = (
        line_id, line.statement, line.n, line.source_line, line_key(line), line.booked_on, line.value_on, line.amount_minor,
        line.currency, line.bank_ref, line.refs, find_references(*line.refs, line.text), line.batch_refs, line.batch_count,
        line.counterparty_name, line.counterparty_account, line.text, line.bank_code, line.reversal, line.returned,
        line.return_reason, line.charges_minor, len(line.parts),
    )  # fmt: skip
    prepared.lines.write(copy_row(values))
    for part in line.parts:
        prepared.parts.write(copy_row((line_id, *_part_values(part))))


def _part_values(part: Part) -> tuple[object, ...]:
    return (
        part.n, part.amount_minor, part.refs, find_references(*part.refs, part.text), part.batch_refs, part.counterparty_name,
        part.counterparty_account, part.text, part.returned, part.return_reason, part.charges_minor,
    )  # fmt: skip


def copy_row(values: Iterable[object]) -> bytes:
    r"""Return one row in COPY's text form: tabs between values, `\N` for none, backslashes before what would end a value."""
    return ("\t".join(map(_copy_value, values)) + "\n").encode()


def _copy_value(value: object) -> str:
    if value is None:
        return r"\N"
    if isinstance(value, tuple):
        inner = ",".join('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in value)
        return _escaped("{" + inner + "}")
    return _escaped(value) if isinstance(value, str) else str(value)


def _escaped(text: str) -> str:
    if not text or text.isalnum():
        return text
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
