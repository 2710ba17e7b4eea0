"""Read an uploaded file completely, before any transaction is open (money.md 7.2).

The booked lines go to a temporary file in the form that PostgreSQL's COPY reads, so memory stays flat however large the
statement is, and writing them is one command. A bad file raises nothing: a refusal is a result, because the bytes are kept
with the reason. Only what is too large to be kept raises.
"""

import hashlib
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from operator import attrgetter
from tempfile import SpooledTemporaryFile
from typing import Any, Self
from uuid import UUID

from market.kernel.ids import new_id, series
from market.kernel.words import N_, say
from market.statements.errors import FileTooLarge, NoStatement
from market.statements.rules.identity import line_key, line_key_hex
from market.statements.rules.readers.delimited import CsvMapping
from market.statements.rules.readers.recognise import read_statements
from market.statements.rules.readers.source import MAX_BYTES, Readable
from market.statements.rules.references import find_references
from market.statements.rules.shapes import Line, Part, Statement, Unreadable

LINE_COLUMNS = (
    "id", "statement", "n", "source_line", "identity", "booked_on", "value_on", "amount_minor", "currency", "bank_ref",
    "refs", "creditor_refs", "batch_refs", "batch_count", "counterparty_name", "counterparty_account", "text", "bank_code",
    "reversal", "returned", "return_reason", "charges_minor", "parts",
)  # fmt: skip
INTERIM_COLUMNS = (
    "id", "statement", "n", "format", "status", "identity", "expected_on", "amount_minor", "currency", "bank_ref", "refs",
    "creditor_refs", "batch_refs", "counterparty_name", "counterparty_account", "text", "parts",
)  # fmt: skip
PART_COLUMNS = (
    "line_id", "n", "amount_minor", "refs", "creditor_refs", "batch_refs", "counterparty_name", "counterparty_account",
    "text", "returned", "return_reason", "charges_minor",
)  # fmt: skip
_SPOOL = 4 * 1024 * 1024
_TELL_EVERY = 4 * 1024 * 1024
_MOST_PACKED = 64 * 1024 * 1024
"""No statement is larger once it is compressed, which it is by a factor of ten; it bounds the memory that a file can take."""

_NOTHING_OF_OURS = frozenset({"statements.empty_file", "statements.packed_file", "statements.unknown_kind"})
_KEPT_OF_NOTHING = 16 * 1024 * 1024
"""What no mapping and no other account can make a statement of is kept, to see what it was, when it is not larger."""

_NOT_KEPT = N_("This file cannot be imported: %(reason)s. Nothing of it was kept, because it is large.")
_TOO_LARGE = say(
    "A statement has at most %(most)s MB, compressed %(packed)s MB, and this file is larger. Nothing of it was kept. Choose a"
    " shorter time at the bank; of an archive, the statement inside.",
    most=MAX_BYTES // 1024**2,
    packed=_MOST_PACKED // 1024**2,
)


def _spool() -> SpooledTemporaryFile[bytes]:
    return SpooledTemporaryFile(max_size=_SPOOL)


@dataclass
class Prepared:
    """A file that was read to its end; to be closed, since its rows lie in temporary files.

    `refusal` says why it cannot be imported, `code` the same for programs; a refused file's statements must not be used.
    `interim` has the rows that a booked statement will say again.
    """

    name: str
    sha256: str = ""
    size_bytes: int = 0
    body_zlib: bytes = b""
    refusal: str | None = None
    code: str | None = None
    statements: list[Statement] = field(default_factory=list)
    first_days: dict[int, date] = field(default_factory=dict)
    last_days: dict[int, date] = field(default_factory=dict)
    lines: SpooledTemporaryFile[bytes] = field(default_factory=_spool)
    parts: SpooledTemporaryFile[bytes] = field(default_factory=_spool)
    interim: SpooledTemporaryFile[bytes] = field(default_factory=_spool)
    ids: Iterator[str] = field(default_factory=series)

    @property
    def format(self) -> str:
        """Return the name of the file's format; empty when it was not recognised."""
        return self.statements[0].format if self.statements else ""

    @property
    def booked(self) -> int:
        """Return how many booked lines its statements have."""
        return sum(each.booked_lines for each in self.statements)

    @property
    def provisional(self) -> int:
        """Return how many lines its statements have that a booked one will say again."""
        return sum(each.lines for each in self.statements) - self.booked

    @property
    def days(self) -> tuple[date, date] | None:
        """Return the first and the last day of its booked lines; None when there are none."""
        own = [each.index for each in self.statements if each.index in self.first_days]
        return (min(self.first_days[one] for one in own), max(self.last_days[one] for one in own)) if own else None

    def only(self, statements: list[Statement]) -> "Prepared":
        """Return the same file as if it had but these statements: its rows stay where they are, and are shared."""
        return replace(self, statements=statements)

    def close(self) -> None:
        """Let the temporary files go."""
        for rows in (self.lines, self.parts, self.interim):
            rows.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Kept:
    """The stream, hashed and compressed while it is read. Raises FileTooLarge where no statement is so large."""

    def __init__(self, stream: Readable, progress: Callable[[int], None] | None, *, packing: bool = True) -> None:
        self.stream = stream
        self.packing = packing
        self.progress = progress
        self.told = 0
        self.hash = hashlib.sha256()
        self.zip = zlib.compressobj(6)
        self.size = 0
        self.most = MAX_BYTES
        self.packed = bytearray()

    def read(self, size: int = 1 << 16) -> bytes:
        chunk = self.stream.read(size)
        self.size += len(chunk)
        self.hash.update(chunk)
        if self.packing and chunk:
            self.packed += self.zip.compress(chunk)
        self._measure()
        if self.progress is not None and self.size - self.told >= _TELL_EVERY:
            self.told = self.size
            self.progress(self.size)
        return chunk

    def finish(self) -> bytes:
        """Read to the end, and return the compressed bytes."""
        while self.read():
            pass
        self.packed += self.zip.flush()
        self._measure()
        return bytes(self.packed)

    def _measure(self) -> None:
        if self.size > self.most or len(self.packed) > _MOST_PACKED:
            raise FileTooLarge(_TOO_LARGE)


def keep_bytes(stream: Readable, *, name: str) -> Prepared:
    """Return a file hashed and compressed, not read yet. Raises FileTooLarge."""
    kept = _Kept(stream, None)
    body = kept.finish()
    return Prepared(name=name[:200] or "statement", sha256=kept.hash.hexdigest(), size_bytes=kept.size, body_zlib=body)


class Unpacked:
    """The bytes of a kept file again, a piece at a time."""

    def __init__(self, packed: bytes) -> None:
        self.unzip = zlib.decompressobj()
        self.rest = packed

    def read(self, size: int = 1 << 16) -> bytes:
        """Return at most `size` bytes, none at the end."""
        chunk = self.unzip.decompress(self.rest, size)
        self.rest = self.unzip.unconsumed_tail
        return chunk


def prepare_file(
    stream: Readable,
    *,
    name: str,
    currency: str,
    mappings: Sequence[CsvMapping] = (),
    progress: Callable[[int], None] | None = None,
    packed: bytes | None = None,
) -> Prepared:
    """Return what `stream` holds; `currency` stands in where the file names none, `mappings` are the account's for CSV.

    `progress` is told now and then how many bytes were read; `packed` are the bytes compressed, where that was done before.
    Raises FileTooLarge and NoStatement for what is not kept: then nothing is.
    """
    kept = _Kept(stream, progress, packing=packed is None)
    prepared = Prepared(name=name[:200] or "statement")
    try:
        _read(prepared, read_statements(kept, default_currency=currency, mappings=mappings))
        if packed is None and prepared.code in _NOTHING_OF_OURS:
            kept.most = _KEPT_OF_NOTHING
        body = kept.finish()
    except FileTooLarge as refusal:
        prepared.close()
        if prepared.refusal is None or prepared.code is None:
            raise
        raise NoStatement(say(_NOT_KEPT, reason=prepared.refusal), prepared.code) from refusal
    except BaseException:
        prepared.close()
        raise
    prepared.body_zlib = body if packed is None else packed
    prepared.sha256, prepared.size_bytes = kept.hash.hexdigest(), kept.size
    return prepared


def _read(prepared: Prepared, events: Iterator[Line | Statement]) -> None:
    """Keep what a file says, or why it cannot be read."""
    try:
        for event in events:
            if isinstance(event, Statement):
                prepared.statements.append(event)
            elif event.booked:
                _keep(prepared, event)
            else:
                _keep_interim(prepared, event)
    except Unreadable as refusal:
        prepared.refusal, prepared.code = str(refusal), refusal.code


def _keep(prepared: Prepared, line: Line) -> None:
    assert line.booked_on is not None  # the reader refuses booked lines without a day
    first = prepared.first_days.get(line.statement)
    if first is None:
        prepared.first_days[line.statement] = prepared.last_days[line.statement] = line.booked_on
    elif line.booked_on < first:
        prepared.first_days[line.statement] = line.booked_on
    elif line.booked_on > prepared.last_days[line.statement]:
        prepared.last_days[line.statement] = line.booked_on
    line_id = next(prepared.ids)
    prepared.lines.write(line_row(line, line_id))
    for part in line.parts:
        prepared.parts.write(copy_row((line_id, *_part_values(part))))


def line_row(line: Line, line_id: str) -> bytes:
    """Return a line as `copy_row` would write it; most have no sign in their texts that needs care."""
    name, account, text = line.counterparty_name, line.counterparty_account, line.text
    found = find_references(*line.refs, text)
    texts = (line.bank_ref, *line.refs, *line.batch_refs, name, account, text, line.bank_code, line.return_reason)
    if _SPECIAL.search("".join(texts)):
        values = (
            line_id, line.statement, line.n, line.source_line, line_key_hex(line), line.booked_on, line.value_on,
            line.amount_minor, line.currency, line.bank_ref, line.refs, found, line.batch_refs, line.batch_count, name, account,
            text, line.bank_code, line.reversal, line.returned, line.return_reason, line.charges_minor, len(line.parts),
        )  # fmt: skip
        return copy_row(values)
    refs, founds, batches = ['{"' + '","'.join(each) + '"}' if each else "{}" for each in (line.refs, found, line.batch_refs)]
    value_on = line.value_on or r"\N"
    return (
        f"{line_id}\t{line.statement}\t{line.n}\t{line.source_line}\t{line_key_hex(line)}\t{line.booked_on}\t{value_on}\t"
        f"{line.amount_minor}\t{line.currency}\t{line.bank_ref}\t{refs}\t{founds}\t{batches}\t{line.batch_count}\t{name}\t{account}"
        f"\t{text}\t{line.bank_code}\t{line.reversal}\t{line.returned}\t{line.return_reason}\t{line.charges_minor}\t{len(line.parts)}\n"
    ).encode()


def _keep_interim(prepared: Prepared, line: Line) -> None:
    """Keep a line that a booked statement will say again; without any day it cannot be told when to expect it."""
    parts = [dict(zip(PART_COLUMNS[1:], _part_values(part), strict=True)) for part in line.parts]
    values = (
        new_id(), line.statement, line.n, "camt" if line.interim else "pending", line.status, line_key(line),
        line.booked_on or line.value_on, line.amount_minor, line.currency, line.bank_ref, line.refs,
        find_references(*line.refs, line.text), line.batch_refs, line.counterparty_name, line.counterparty_account, line.text,
        json.dumps(parts),
    )  # fmt: skip
    prepared.interim.write(copy_row(values))


def _part_values(part: Part) -> tuple[object, ...]:
    return (
        part.n, part.amount_minor, part.refs, find_references(*part.refs, part.text), part.batch_refs, part.counterparty_name,
        part.counterparty_account, part.text, part.returned, part.return_reason, part.charges_minor,
    )  # fmt: skip


def copy_row(values: Iterable[object]) -> bytes:
    r"""Return one row in COPY's text form: tabs between values, `\N` for none, backslashes before what would end a value."""
    return ("\t".join([_COPIED.get(type(value), _other)(value) for value in values]) + "\n").encode()


def _array(texts: tuple[str, ...]) -> str:
    if not texts:
        return "{}"
    inner = ",".join(['"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in texts])
    return _escaped("{" + inner + "}")


def _escaped(text: str) -> str:
    if _SPECIAL.search(text) is None:
        return text
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _other(value: object) -> str:
    return _escaped(str(value))


_SPECIAL = re.compile(r'[\\\t\n\r"]')
_COPIED: dict[type, Callable[[Any], str]] = {
    str: _escaped,
    int: str,
    date: str,
    bool: str,
    tuple: _array,
    type(None): lambda _: r"\N",
    UUID: attrgetter("hex"),
}
