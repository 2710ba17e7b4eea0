"""Turn bytes into JSON values that can be stored, compared and hashed without loss.

Refused here (`provenance.md` 3.1, RFC 8259, RFC 8785): text that is not UTF-8, a key twice in one
object, NaN and Infinity, a number that changes when put through a double, an integer beyond 2^53 - 1,
nesting over 32, and characters that PostgreSQL or UTF-8 cannot hold. What passes has one form for
one value: 480 and 480.0 are the same integer.
"""

import json
import re
from decimal import Decimal
from typing import Any

import rfc8785

MAX_DEPTH = 32
MAX_INTEGER = 2**53 - 1

# U+0000 (not storable in jsonb) and half surrogate pairs (not writable as UTF-8), as JSON escapes.
_SUSPECT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


class Unreadable(ValueError):
    """The bytes are not JSON that we can keep; the text says why."""


def read_json(body: bytes) -> Any:
    """Parse `body`; raises `Unreadable`."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(f"the text is not UTF-8: byte {error.start}") from error
    if text.startswith("\ufeff"):
        raise Unreadable("the text starts with a byte order mark, which JSON does not allow")
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=_double,
            parse_int=_integer,
            parse_constant=_constant,
        )
    except RecursionError as error:
        raise Unreadable(f"nested more than {MAX_DEPTH} levels deep") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise Unreadable(f"not JSON: {error.msg} ({place})") from error
    _inspect(value, 1, _SUSPECT.search(text) is not None)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Unreadable(f"the name “{twice}” stands twice in one object")
    return found


def _constant(text: str) -> Any:
    raise Unreadable(f"{text} is not a JSON number")


def _integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > MAX_INTEGER:
        raise Unreadable(f"the number {text[:40]} is beyond 2^53 - 1")
    return int(text)


def _double(text: str) -> int | float:
    """Return the number if a double holds it exactly as written, as an integer where it is one."""
    if len(text) > 40:
        raise Unreadable(f"the number {text[:40]}… has more digits than a double can hold")
    number = float(text)
    if Decimal(repr(number)) != Decimal(text):
        raise Unreadable(f"the number {text} changes when put through a double")
    if not number.is_integer():
        return number
    if abs(number) > MAX_INTEGER:
        raise Unreadable(f"the number {text} is beyond 2^53 - 1")
    return int(number)


def _inspect(value: Any, depth: int, suspect: bool) -> None:
    """Walk the containers; look at single texts only where the source holds a suspect escape."""
    if isinstance(value, str):
        if "\0" in value:
            raise Unreadable("a text holds the character U+0000, which cannot be stored")
        if any("\ud800" <= letter <= "\udfff" for letter in value):
            raise Unreadable("a text holds half of a surrogate pair")
    elif isinstance(value, dict | list):
        if depth > MAX_DEPTH:
            raise Unreadable(f"nested more than {MAX_DEPTH} levels deep")
        if suspect and isinstance(value, dict):
            for name in value:
                _inspect(name, depth, suspect)
        for inner in value.values() if isinstance(value, dict) else value:
            if suspect or isinstance(inner, dict | list):
                _inspect(inner, depth + 1, suspect)


def canonical(value: Any) -> bytes:
    """Write a value that `read_json` returned in the one form of RFC 8785."""
    return rfc8785.dumps(value)
