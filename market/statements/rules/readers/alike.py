"""Entries that a bank builds alike, read without a tree: the parser sees the first of each kind, and whatever is unusual.

An entry is its tags and the texts between them. The tags are looked up as one text, and what was learnt of the first entry
with these tags says where its texts stand. Such entries are cut out of the stream before the parser reads it; an element with
a name that nobody can guess stands for each run of them, so that their place and all line numbers stay what they are. What
could make a text mean something else (a reference, a comment, CDATA, an encoding, a sign that XML does not know) is left to
the parser, and from a comment, CDATA or instruction on all the rest of the file.
"""

from __future__ import annotations

import re
from collections import deque
from secrets import token_hex
from typing import NamedTuple

from lxml import etree

from market.statements.rules.shapes import Unreadable

from . import elements as el
from .source import HEAD, Source

_START, _END = "<Ntry>", "</Ntry>"
_TEXTS_BETWEEN = re.compile(r">[^<]+<")
_TAG = re.compile(r"<[^>]*>")
_PROLOG = re.compile(
    rb"\s*<\?xml(?:\s+version=[\"']1\.0[\"'])?(?:\s+encoding=[\"'](?:utf-8|UTF-8)[\"'])?\s*(?:standalone=[\"']\w+[\"'])?\s*\?>"
)
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n")
_NO_SIGNS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")
_MOST_KINDS, _LONGEST_KIND = 256, 4096
"""A hostile file may build each entry anew, and of many elements."""


class Kind(NamedTuple):
    """How entries with the same tags are read: what gives their texts, and where those belong."""

    texts: re.Pattern[str]
    own: tuple[Place, ...]
    details: tuple[tuple[Place, ...], ...]
    children: tuple[str, ...]


class Place(NamedTuple):
    """Where a text of a leaf stands: which group, -1 for an element that has no room for one, its path, and the currency."""

    group: int
    path: str
    currency: str | None


class Entry(NamedTuple):
    """One entry that was cut out: its kind, its texts, and the line in which it begins."""

    kind: Kind
    values: tuple[str, ...]
    line: int


class Stream:
    """The bytes for the parser. `mark` is the name of the element that stands for a run of entries, `runs` has them."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.mark = f"Run{token_hex(8)}"
        self.runs: deque[list[Entry]] = deque()
        self._kinds: dict[str, Kind | None] = {}
        self._once: set[str] = set()
        self._rest = b""
        self._line = 1
        prolog = _PROLOG.match(source.head)
        self._plain = prolog is not None or (source.head.lstrip().startswith(b"<") and not source.head.lstrip().startswith(b"<?"))
        self._prolog = prolog.end() if prolog else 0

    def read(self, size: int = HEAD) -> bytes:
        """Return the next bytes, none at the end."""
        while True:
            chunk = self.source.read(size)
            if not chunk or not self._plain:
                rest, self._rest = self._rest, b""
                return rest + chunk
            if left := self._without_entries(self._rest + chunk):
                return left

    def _without_entries(self, content: bytes) -> bytes:
        """Return what the parser shall see of `content`; what may be the beginning of an entry waits for the next bytes."""
        skip, self._prolog = self._prolog, 0
        end = content.rfind(b"</Ntry>") + len(_END)
        if len(content) - end > HEAD or end < len(_END):
            end = max(content.rfind(b"<"), skip)
        text = _plain_text(content[skip:end])
        if text is None or len(content) - end > 2 * HEAD:
            self._plain, self._rest = False, b""
            return content
        self._line += content[:skip].count(b"\n")
        self._rest = content[end:]
        return content[:skip] + self._marked(text).encode()

    def _marked(self, text: str) -> str:
        *pieces, last = text.split(_END)
        out: list[str] = []
        run: list[Entry] = []
        lines = 0

        def close() -> None:
            nonlocal run, lines
            if run:
                out.append(f"<{self.mark}>" + "\n" * lines + f"</{self.mark}>")
                self.runs.append(run)
                run, lines = [], 0

        for piece in pieces:
            begin = piece.find(_START)
            entry = self._entry(piece, begin) if begin >= 0 else None
            if entry is None or (begin and not piece[:begin].isspace()):
                close()
            if entry is None:
                out += (piece, _END)
            else:
                if begin and not run:
                    out.append(piece[:begin])
                run.append(entry)
                lines += piece.count("\n", begin if len(run) == 1 else 0)
            self._line += piece.count("\n")
        close()
        self._line += last.count("\n")
        out.append(last)
        return "".join(out)

    def _entry(self, piece: str, begin: int) -> Entry | None:
        if "&" in piece or "]]>" in piece:
            return None
        whole = (piece[begin:] if begin else piece) + _END
        tags = _TEXTS_BETWEEN.sub("><", whole)
        if (kind := self._kinds.get(tags)) is None and (kind := self._learn(tags)) is None:
            return None
        found = kind.texts.fullmatch(whole)
        return Entry(kind, found.groups(), self._line + piece.count("\n", 0, begin)) if found else None

    def _learn(self, tags: str) -> Kind | None:
        """Learn a kind when it comes for the second time: a small file is not worth it."""
        if tags in self._once:
            self._once.remove(tags)
            self._kinds[tags] = _kind_of(tags)
        elif tags not in self._kinds and len(self._once) + len(self._kinds) < _MOST_KINDS and len(tags) <= _LONGEST_KIND:
            self._once.add(tags)
        return self._kinds.get(tags)


def texts_of(places: tuple[Place, ...], values: tuple[str, ...]) -> el.Texts:
    """Return the texts by path, as `elements.texts_of` does of a tree."""
    found: el.Texts = {}
    for group, path, currency in places:
        value = values[group].strip() if group >= 0 else ""
        if path not in found:
            found[path] = [value]
        elif value:
            found[path] = [*(each for each in found[path] if each), value]
        if currency and value:
            found.setdefault(path + "@Ccy", []).append(currency)
    return found


def _plain_text(content: bytes) -> str | None:
    """Return the text of bytes in which nothing can mean anything else than it says."""
    if b"<!" in content or b"<?" in content or any(sign in content for sign in _NO_SIGNS):
        return None
    if len(content.translate(None, _CONTROLS)) < len(content):
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def _kind_of(tags: str) -> Kind | None:
    """Return how entries with these tags are read; None leaves them to the parser."""
    if ":" in tags:
        return None
    try:
        root = etree.fromstring(tags, etree.XMLParser(resolve_entities=False, no_network=True))
        shape = el.shape_of(nodes := list(root.iter()))
    except (etree.XMLSyntaxError, Unreadable):
        return None
    found = _TAG.findall(tags)
    groups, pattern = dict[int, int](), ""
    node = -1
    for tag, following in zip(found, [*found[1:], ""], strict=True):
        node += not tag.startswith("</")
        leaf = not tag.startswith("</") and not tag.endswith("/>") and following.startswith("</")
        if leaf:
            groups[node] = len(groups)
        # Where elements stand there are blanks at most; what stands after an element's end is no text of one.
        between = "([^<]*)" if leaf else r"[^<]*" if tag.startswith("</") or tag.endswith("/>") else r"\s*"
        pattern += re.escape(tag) + (between if following else "")

    def places(where: tuple[el.Where, ...]) -> tuple[Place, ...]:
        return tuple(
            Place(groups.get(at, -1), path, (nodes[at].get("Ccy") or "").strip() or None if amount else None)
            for at, path, leaf, amount in where
            if leaf
        )

    children = tuple(el.local_name(child) for child in root)
    return Kind(re.compile(pattern), places(shape.texts), tuple(places(each) for each in shape.details), children)
