"""Small checks and the ways to combine them, for the shapes in `schema.py`.

A check is called with a value and its path and adds what it finds, so that every finding has its
own pointer. They are combined once, at import, into one function per type of event.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from ipaddress import AddressValueError, IPv6Address
from typing import Any, TypeAlias

from market.kernel.words import N_, Term, say
from market.provenance.rules.faults import Fault, Path, fault
from market.provenance.rules.reading import canonical
from market.provenance.rules.vocabulary import Vocabulary

Check: TypeAlias = Callable[[Any, Path, list[Fault]], None]

_CHARACTER = r"[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2}"
_HOST = r"(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*"
_URI = re.compile(  # RFC 3986, appendix A
    rf"""[A-Za-z][A-Za-z0-9+.-]*:
    (?://(?:(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{{2}})*@)?
         (?:\[(?:v[0-9A-Fa-f]+\.[A-Za-z0-9._~!$&'()*+,;=:-]+|(?P<ipv6>[0-9A-Fa-f:.]+))\]|{_HOST})
         (?::[0-9]*)?(?:/(?:{_CHARACTER}|/)*)?
      |(?!//)(?:{_CHARACTER}|/)*)
    (?:\?(?:{_CHARACTER}|[/?])*)?
    (?:\#(?:{_CHARACTER}|[/?])*)?""",
    re.VERBOSE,
)
_TIME = re.compile(  # RFC 3339; without an offset an instant is not known
    r"([0-9]{4})-(0[1-9]|1[0-2])-([0-9]{2})[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(?:\.[0-9]+)?(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)


def is_uri(text: str) -> bool:
    """Tell whether a text is an absolute URI (RFC 3986); a CURIE such as `fair:variety` is one."""
    match = _URI.fullmatch(text)
    if match is None:
        return False
    if match["ipv6"] is not None:
        try:
            IPv6Address(match["ipv6"])
        except AddressValueError:
            return False
    return True


def is_time(text: str) -> bool:
    """Tell whether a text is an instant of the calendar with its offset (RFC 3339)."""
    match = _TIME.fullmatch(text)
    if match is None:
        return False
    try:
        date(*map(int, match.groups()))
    except ValueError:
        return False
    return True


def anything(value: Any, path: Path, faults: list[Fault]) -> None:
    """Accept every value."""


def text(value: Any, path: Path, faults: list[Fault]) -> None:
    """Accept a text."""
    if not isinstance(value, str):
        faults.append(fault(path, "S", N_("must be a text")))


def number(value: Any, path: Path, faults: list[Fault]) -> None:
    """Accept a number; a number written as a text is none."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        faults.append(fault(path, "S", N_("must be a number, not a text or anything else")))


def boolean(value: Any, path: Path, faults: list[Fault]) -> None:
    """Accept true and false."""
    if not isinstance(value, bool):
        faults.append(fault(path, "S", N_("must be true or false")))


def uri(value: Any, path: Path, faults: list[Fault]) -> None:
    """Accept a URI or a name with a prefix."""
    if not isinstance(value, str) or not is_uri(value):
        faults.append(fault(path, "S", N_("must be a URI")))


def time(value: Any, path: Path, faults: list[Fault]) -> None:
    """Accept an instant with its offset."""
    if not isinstance(value, str) or not is_time(value):
        example = "2026-07-22T08:30:00.000-05:00"
        faults.append(fault(path, "S", say("must be a time with its offset, such as %(example)s", example=example)))


def pattern(expression: str, meaning: str) -> Check:
    """Accept a text of one form."""
    matches = re.compile(expression, re.ASCII).fullmatch

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if not isinstance(value, str) or matches(value) is None:
            faults.append(fault(path, "S", say("must be written as %(meaning)s", meaning=Term(meaning))))

    return check


def word(vocabulary: Vocabulary) -> Check:
    """Accept a word of the vocabulary, or a URI outside the standard's own name space."""
    known, closed = vocabulary.words, vocabulary.closed_spaces

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if not isinstance(value, str):
            faults.append(fault(path, "S", N_("must be a text")))
        elif value not in known and (value.startswith(closed) or not is_uri(value)):
            detail = say(
                "“%(value)s” is no %(vocabulary)s of the standard, nor a URI of your own",
                value=value[:80],
                vocabulary=vocabulary.name,
            )
            faults.append(fault(path, "S", detail))

    return check


def array(item: Check, *, least: int = 0, unique: bool = False) -> Check:
    """Accept a list of which every member passes."""

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if not isinstance(value, list):
            faults.append(fault(path, "S", N_("must be a list")))
            return
        if len(value) < least:
            faults.append(fault(path, "S", N_("must not be empty")))
        if unique and len(value) > 1 and len(set(map(canonical, value))) < len(value):
            faults.append(fault(path, "S", N_("must not hold the same value twice")))
        for index, member in enumerate(value):
            item(member, (path, index), faults)

    return check


def record(
    fields: Mapping[str, Check],
    *,
    required: tuple[str, ...] = (),
    others: Callable[[str], bool] = is_uri,
    together: Callable[[dict[str, Any]], str | None] = lambda value: None,
) -> Check:
    """Accept an object: its fields, what must be there, other names, and what must fit together."""

    def check(value: Any, path: Path, faults: list[Fault]) -> None:
        if not isinstance(value, dict):
            faults.append(fault(path, "S", N_("must be an object")))
            return
        for name, inner in value.items():
            known = fields.get(name)
            if known is not None:
                known(inner, (path, name), faults)
            elif not others(name):
                detail = say("“%(name)s” is no field here; an extension needs a prefix (“fair:…”)", name=name[:80])
                faults.append(fault(path, "S", detail))
        for name in required:
            if name not in value:
                faults.append(fault(path, "S", say("“%(name)s” is missing", name=name)))
        if detail_together := together(value):
            faults.append(fault(path, "S", detail_together))

    return check


def no_other(name: str) -> bool:
    """Allow no name beside the fields."""
    return False


def any_other(name: str) -> bool:
    """Allow every name beside the fields."""
    return True
