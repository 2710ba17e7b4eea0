"""What stands in an element of ISO 20022, by local names, whatever the namespace, the version or the order."""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

from lxml import etree

from market.statements.rules.shapes import Unreadable

MAX_DEPTH = 64
_DOMAIN = ("BkTxCd/Domn/Cd", "BkTxCd/Domn/Fmly/Cd", "BkTxCd/Domn/Fmly/SubFmlyCd")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})?")
_NO_REFERENCE = {"", "NOTPROVIDED", "NOT PROVIDED", "NONREF"}
_LOCAL: dict[str, str] = {}

Texts = dict[str, list[str]]


Where = tuple[int, str, bool, bool]
"""Where a text stands: index of the element in document order, path, whether a leaf, whether an amount."""


class Shape(NamedTuple):
    """Where the texts of elements that are built alike stand: their own, and those of each transaction put aside."""

    texts: tuple[Where, ...]
    details: tuple[tuple[Where, ...], ...]


def texts_of(
    element: etree._Element,
    *,
    leave: frozenset[str] = frozenset(),
    details: list[Texts] | None = None,
    where: str = "",
) -> Texts:
    """Return the texts below `element` by path of local names; the currency of an amount as `path@Ccy`.

    Elements named in `leave` are passed over; the texts of each called TxDtls are put into `details` instead. A bank builds
    its entries alike, so a shape is worked out once: names with the number of children, in document order, say the whole of
    it.
    """
    nodes = list(element.iter())
    aside = details is not None
    key = (aside, leave, *[(node.tag, len(node)) for node in nodes])
    if (shape := _SHAPES.get(key)) is None:
        shape = shape_of(nodes, leave=leave, aside=aside, where=where)
        if len(_SHAPES) < 256 and len(nodes) < 256:  # a hostile file may build each entry anew
            _SHAPES[key] = shape
    if details is not None:
        details += [_read(nodes, each) for each in shape.details]
    return _read(nodes, shape.texts)


_SHAPES: dict[tuple[object, ...], Shape] = {}


def _read(nodes: list[etree._Element], places: tuple[Where, ...]) -> Texts:
    found: Texts = {}
    for at, path, leaf, amount in places:
        node = nodes[at]
        if (value := node.text) and (value := value.strip()):
            found.setdefault(path, []).append(value)
            if amount and (currency := node.get("Ccy")):
                found.setdefault(path + "@Ccy", []).append(currency.strip())
        elif leaf:
            found.setdefault(path, [""])
    return found


def shape_of(nodes: list[etree._Element], *, leave: frozenset[str] = frozenset(), aside: bool = True, where: str = "") -> Shape:
    """Return where texts stand below the first of `nodes`, which are in document order; see `texts_of`. Raises Unreadable."""
    own: list[Where] = []
    details: list[list[Where]] = []

    def below(at: int, prefix: str, depth: int, into: list[Where] | None) -> int:
        """Note in `into` what stands below the node at `at`, unless it is passed over; return the index after it."""
        children, at = len(nodes[at]), at + 1
        if children and into is not None and depth > MAX_DEPTH:
            raise Unreadable(f"{where or 'the file'}: elements are nested deeper than {MAX_DEPTH}", "statements.nested_too_deep")
        for _ in range(children):
            name = local_name(nodes[at])
            if aside and into is own and name == "TxDtls":
                details.append([])
                at = below(at, "", 1, details[-1])
            elif into is None or name in leave:
                at = below(at, "", depth, None)
            else:
                into.append((at, prefix + name, not len(nodes[at]), name.endswith("Amt")))
                at = below(at, f"{prefix}{name}/", depth + 1, into)
        return at

    below(0, "", 1, own)
    return Shape(tuple(own), tuple(tuple(each) for each in details))


def local_name(element: etree._Element | None) -> str:
    """Return the name without its namespace; empty for comments and for nothing."""
    if element is None or not isinstance(element.tag, str):
        return ""
    tag = element.tag
    if (name := _LOCAL.get(tag)) is None:
        name = tag.rpartition("}")[2]
        if len(_LOCAL) < 4096:  # the standard has a few hundred names; a hostile file may invent millions
            _LOCAL[tag] = name
    return name


def parent_of(element: etree._Element) -> etree._Element:
    """Return the element around this one, the root itself for the root."""
    parent = element.getparent()
    return element if parent is None else parent


def line_of(element: etree._Element) -> int:
    """Return the line of the file in which the element begins."""
    return int(str(element.sourceline or 0))


NONE = ("",)
"""What stands for the texts of a path that an element does not have."""


def first(texts: Texts, path: str) -> str:
    """Return the first text of this path, empty without one."""
    return texts.get(path, NONE)[0]


def clean(text: str) -> str:
    """Return a reference, or nothing where the bank says that there is none."""
    return "" if text.upper() in _NO_REFERENCE else text


def references(texts: Texts, *paths: str) -> list[str]:
    """Return all references under these paths."""
    return [text for path in paths if path in texts for text in texts[path] if text.upper() not in _NO_REFERENCE]


def unique(values: list[str]) -> tuple[str, ...]:
    """Return the values once each, in order."""
    return tuple(dict.fromkeys(values)) if len(values) > 1 else tuple(values)


def account_under(texts: Texts, base: str) -> str:
    """Return the account number below `base`, without blanks: IBAN, other id, or the national form."""
    number = first(texts, base + "Id/IBAN") or first(texts, base + "Id/Othr/Id") or first(texts, base + "Id/BBAN")
    return "".join(number.split()).upper() if number else ""


def sign_of(texts: Texts, where: str) -> int:
    """Return 1 for a credit to the account, -1 for a debit."""
    match first(texts, "CdtDbtInd"):
        case "CRDT":
            return 1
        case "DBIT":
            return -1
        case other:
            raise Unreadable(f"{where}: CdtDbtInd is {other!r}, expected CRDT or DBIT", "statements.bad_line")


def day_of(text: str, where: str) -> date:
    """Return the day of a date or an instant, as written. A statement has few, each of them many times."""
    if (day := _DAYS.get(text)) is None:
        day = _day_of(text, where)
        if len(_DAYS) < 4096:
            _DAYS[text] = day
    return day


_DAYS: dict[str, date] = {}


def _day_of(text: str, where: str) -> date:
    if not _DAY.fullmatch(text):
        raise Unreadable(f"{where}: {text[:40]!r} is not a date (YYYY-MM-DD)", "statements.bad_day")
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise Unreadable(f"{where}: {text[:40]!r} is not a day of the calendar", "statements.bad_day") from error


def entry_day(texts: Texts, name: str, where: str) -> date | None:
    """Return the day of an entry that may be given as Dt or DtTm."""
    text = first(texts, name + "/Dt") or first(texts, name + "/DtTm")
    return (_DAYS.get(text) or day_of(text, f"{where}, {name}")) if text else None


def bank_code(texts: Texts) -> str:
    """Return the bank's transaction code: the ISO domain, else the bank's own."""
    domain, family, within = [texts.get(path, NONE)[0] for path in _DOMAIN]
    return f"{domain}/{family}/{within}" if domain or family or within else first(texts, "BkTxCd/Prtry/Cd")


def says_return(texts: Texts) -> bool:
    """Return whether the transaction code says return: RRTN in the ISO list, NRTI of German banks."""
    return first(texts, "BkTxCd/Domn/Fmly/SubFmlyCd") == "RRTN" or first(texts, "BkTxCd/Prtry/Cd").startswith("NRTI")


def count_of(text: str) -> int:
    """Return a number of things, 0 for what is no such number."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 9 else 0
