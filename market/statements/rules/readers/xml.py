"""Parse XML from somebody else: nothing is fetched, resolved or multiplied, and memory stays flat (money.md 7.2).

No DTD is loaded, no entity is resolved, nothing is fetched; a DOCTYPE in any encoding is refused before the first
element is looked at. An element is forgotten as soon as its reader is done with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lxml import etree

from market.statements.rules.shapes import Unreadable

from .source import Readable, Source


def events(source: Source, names: Iterable[str], *, stream: Readable | None = None) -> Iterator[tuple[str, etree._Element]]:
    """Yield (start or end, element) for the elements of these local names. Raises Unreadable.

    `stream` gives the bytes where something was cut out of those of `source`.
    """
    plain = source.head.replace(b"\0", b"")
    if b"<!DOCTYPE" in plain or b"<!ENTITY" in plain:
        raise _doctype()
    looked = False
    try:
        for event, element in etree.iterparse(
            stream or source,
            events=("start", "end"),
            tag=[f"{{*}}{name}" for name in names],
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        ):
            if not looked:
                document = element.getroottree().docinfo
                if document.doctype or document.internalDTD is not None:  # type: ignore[attr-defined]  # unknown to the stubs
                    raise _doctype()
                looked = True
            yield event, element
    except etree.XMLSyntaxError as error:
        raise _syntax(error, source.ended) from error


def forget(element: etree._Element) -> None:
    """Free what was read. The element itself stays until the next one: its tail is not yet parsed."""
    element.clear(keep_tail=False)  # type: ignore[call-arg]  # unknown to the stubs
    parent = element.getparent()
    while parent is not None and (before := element.getprevious()) is not None:
        parent.remove(before)


def _doctype() -> Unreadable:
    text = "the file has a DOCTYPE; a bank statement has none, and it could fetch or multiply content"
    return Unreadable(text, "statements.doctype")


def _syntax(error: etree.XMLSyntaxError, at_the_end: bool) -> Unreadable:
    line, column = error.position
    said = str(error).partition(", line ")[0]
    words, code = (said, "statements.not_well_formed")
    if "encoding" in said.lower() or "not proper UTF-8" in said:
        code = "statements.wrong_encoding"
    elif "too long" in said:
        code = "statements.entry_too_large"
    elif "depth" in said.lower():
        code = "statements.nested_too_deep"
    elif "Extra content" in said:
        words, code = "there is more after the end of the document", "statements.after_the_end"
    elif at_the_end:
        words, code = "the file is cut off", "statements.truncated"
    return Unreadable(f"not well formed at line {line}, column {column}: {words}", code)
