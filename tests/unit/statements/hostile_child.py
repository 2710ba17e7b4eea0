"""Read hostile files under limits of memory and processor time, and print what became of each as JSON.

Run by `test_hostile.py` in a process of its own: a limit that is broken ends this process and not the test run.
"""

import io
import json
import resource
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import IO, Any, cast

from market.statements.errors import NoStatement
from market.statements.rules.readers import source
from market.statements.service import preparing
from market.statements.service.preparing import prepare_file

GIGABYTES = 2 * 1024**3
CAMT = b"<Document><BkToCstmrStmt><GrpHdr/><Stmt><Id>1</Id><Acct><Id><IBAN>DE89370400440532013000</IBAN></Id></Acct>"
ENTRY = b"<Ntry><Amt Ccy='EUR'>1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-01-02</Dt></BookgDt>"
MT940 = b":20:X\n:25:123\n:28C:1/1\n:60F:C260102EUR0,00\n:61:2601020102C10,00NTRFNONREF\n:86:"


class Endless:
    """A stream of `size` bytes that needs no memory: a beginning, then one block again and again."""

    def __init__(self, head: bytes, block: bytes, size: int = GIGABYTES) -> None:
        self.head, self.block, self.left = head, block * (65536 // len(block) + 1), size

    def read(self, size: int = 65536) -> bytes:
        if self.head:
            chunk, self.head = self.head, b""
        else:
            chunk = self.block[: min(size, self.left)]
        self.left -= len(chunk)
        return chunk


def zipped(content: bytes, depth: int) -> bytes:
    for _ in range(depth):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("statement.xml", content)
        content = out.getvalue()
    return content


def bomb() -> bytes:
    names = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    return f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e0 "ha">{names}]><Document>&e11;</Document>'.encode()


CASES: dict[str, Callable[[], Any]] = {
    "entity bomb": lambda: io.BytesIO(bomb()),
    "entity bomb in UTF-16": lambda: io.BytesIO(bomb().decode().replace('<?xml version="1.0"?>', "").encode("utf-16")),
    "external entity": lambda: io.BytesIO(b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document>&x;</Document>'),
    "zip bomb": lambda: io.BytesIO(zipped(b"\0" * 50_000_000, 1)),
    "zip in zip in zip": lambda: io.BytesIO(zipped(CAMT, 3)),
    "gzip": lambda: io.BytesIO(b"\x1f\x8b\x08\0" + b"\0" * 100),
    "2 GB of nothing": lambda: Endless(b"", b"\0"),
    "2 GB of noise": lambda: Endless(b"\x89PNG\r\n", bytes(range(256))),
    "2 GB in one element": lambda: Endless(CAMT + b"<Ntry><X>", b"y"),
    "2 GB in one attribute": lambda: Endless(CAMT + b"<Ntry><X a='", b"y"),
    "2 GB of nested elements": lambda: Endless(CAMT, b"<Ntry>"),
    "2 GB of details": lambda: Endless(MT940, b"text text text\n"),
    "2 GB in one line": lambda: Endless(MT940, b"text "),
    "2 GB in one OFX value": lambda: Endless(b"<OFX><STMTRS><CURDEF>", b"E"),
    "2 GB in one quoted cell": lambda: Endless(b'Date,Text,Amount\n2026-01-02,"', b"x,y\n"),
    "cut off": lambda: io.BytesIO(CAMT + ENTRY),
    "cut off OFX": lambda: io.BytesIO(b"<OFX><STMTRS><CURDEF>EUR<ACCTID>1<STMTTRN><TRNAMT>1"),
    "wrong encoding": lambda: io.BytesIO(b'<?xml version="1.0" encoding="utf-8"?>' + CAMT + b"<X>Caf\xe9</X>"),
    "unknown encoding": lambda: io.BytesIO(b'<?xml version="1.0" encoding="ebcdic-9"?>' + CAMT),
    "NUL in text": lambda: io.BytesIO(MT940 + b"a\0b\n"),
}


def main() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what became of each case."""
    source.MAX_BYTES = preparing.MAX_BYTES = 64 * 1024**2  # where the limit lies proves nothing, and reading up to it takes time
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name, make in CASES.items():
        begun = time.process_time()
        try:
            with prepare_file(cast("IO[bytes]", make()), name=name, currency="EUR") as prepared:
                code, said = prepared.code, prepared.refusal
        except NoStatement as refusal:
            code, said = refusal.code, refusal.detail
        spent = time.process_time() - begun
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base) // 1024
        yield name, {"code": code, "seconds": spent, "grown_mb": grown, "text": said}


if __name__ == "__main__":
    json.dump(dict(main()), sys.stdout)
