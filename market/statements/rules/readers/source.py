"""The bytes of an uploaded file, with the limits that hold while they are read (money.md 7.2).

Every reader takes its bytes from here, so a file that is too large, packed, or not text at all is refused with one code,
however it is called and whatever it claims to be.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Protocol

from market.statements.rules.shapes import Unreadable

MAX_BYTES = 512 * 1024 * 1024
MAX_LINES = 1_000_000
MAX_TEXT_LINE = 256 * 1024
"""No line of a text file is longer; it bounds the memory that a hostile file can take."""

HEAD = 64 * 1024
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_PACKED = {
    b"PK\x03\x04": "a zip archive",
    b"PK\x05\x06": "a zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive",
}


class Readable(Protocol):
    """All that is asked of a stream."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, none at the end."""


class Source:
    """A stream whose beginning was looked at, with a limit on all of it. `mark` is where the present entry began."""

    def __init__(self, stream: Readable, *, entry_limit: int | None = None) -> None:
        self.stream = stream
        self.entry_limit = entry_limit
        self.total = 0
        self.mark = 0
        self.ended = False
        self.head = self._head()
        self._waiting = self.head

    def _head(self) -> bytes:
        head = b""
        while len(head) < HEAD and (chunk := self._next(HEAD - len(head))):
            head += chunk
        if not head.strip(b"\0 \t\r\n\xef\xbb\xbf\xfe\xff"):
            raise Unreadable("the file is empty", "statements.empty_file")
        for magic, name in _PACKED.items():
            if head.startswith(magic):
                text = f"this is {name}: unpack it and choose the statement inside"
                raise Unreadable(text, "statements.packed_file")
        declared = head.removeprefix(codecs.BOM_UTF8).lstrip()
        return declared if declared.startswith(b"<?xml") else head  # some portals send an empty line first, which XML forbids

    def _next(self, size: int) -> bytes:
        chunk = self.stream.read(size)
        self.total += len(chunk)
        if self.total > MAX_BYTES:
            raise Unreadable(f"the file is larger than {MAX_BYTES // 1024**2} MB", "statements.file_too_large")
        return chunk

    def read(self, size: int = HEAD) -> bytes:
        """Return the next bytes, none at the end. Raises Unreadable beyond a limit."""
        if self._waiting:
            chunk, self._waiting = self._waiting[:size], self._waiting[size:]
            return chunk
        chunk = self._next(size)
        self.ended = not chunk
        if self.entry_limit and self.total - self.mark > self.entry_limit:
            raise Unreadable(f"one entry is larger than {self.entry_limit // 1024**2} MB", "statements.entry_too_large")
        return chunk

    def advance(self) -> None:
        """Say that an entry has ended here."""
        self.mark = self.total

    def head_text(self) -> str:
        """Return the beginning as text, whatever its encoding, to recognise the format by."""
        encoding, skip = mark_of(self.head)
        return self.head[skip:].decode(encoding or "utf-8", "replace").replace("\0", "")


def mark_of(head: bytes) -> tuple[str, int]:
    """Return the encoding that a byte order mark names, and its length; an empty text without one."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding, len(mark)
    return "", 0


class Lines:
    """The text lines of a source, each with its line break. `other_bytes` is set once a line was not UTF-8.

    Without an encoding each line is UTF-8, or else cp1252, as banks mix them. Raises Unreadable for NUL characters, for
    bytes that a given encoding does not have, and for lines of more than MAX_TEXT_LINE.
    """

    def __init__(self, source: Source, encoding: str = "") -> None:
        self.source = source
        marked, self.skip = mark_of(source.head)
        self.encoding = marked if marked and marked != "utf-8" else encoding
        self.other_bytes = False
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        wide = self.encoding.replace("_", "-").lower().startswith("utf-16")
        for raw in self._wide_lines() if wide else self._lines():
            self.number += 1
            text = raw if isinstance(raw, str) else self._decoded(raw)
            if "\0" in text:
                raise Unreadable(f"line {self.number}: a NUL character, which no text has", "statements.nul_byte")
            yield text

    def _lines(self) -> Iterator[bytes]:
        rest, first = b"", True
        while chunk := self.source.read():
            if first:
                chunk, first = chunk[self.skip :], False
            rest += chunk
            *whole, rest = rest.splitlines(keepends=True) or [b""]
            if rest.endswith(b"\n"):
                whole, rest = [*whole, rest], b""
            yield from whole
            self._check(rest)
        if rest:
            yield rest

    def _wide_lines(self) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder(self.encoding)()
        rest, first = "", True
        while chunk := self.source.read():
            if first:
                chunk, first = chunk[self.skip :], False
            try:
                rest += decoder.decode(chunk)
            except UnicodeDecodeError as error:
                raise self._wrong(error) from error
            *whole, rest = rest.split("\n")
            yield from (each + "\n" for each in whole)
            self._check(rest)
        if rest:
            yield rest

    def _check(self, rest: bytes | str) -> None:
        if len(rest) > MAX_TEXT_LINE:
            text = f"line {self.number + 1} is longer than {MAX_TEXT_LINE // 1024} KB"
            raise Unreadable(text, "statements.line_too_long")

    def _decoded(self, raw: bytes) -> str:
        try:
            return raw.decode(self.encoding or "utf-8")
        except UnicodeDecodeError as error:
            if self.encoding:
                raise self._wrong(error) from error
        self.other_bytes = True
        return raw.decode("cp1252", "replace")

    def _wrong(self, error: UnicodeDecodeError) -> Unreadable:
        text = f"line {self.number}: byte {error.object[error.start]:#04x} does not exist in the encoding {self.encoding}"
        return Unreadable(text, "statements.wrong_encoding")
