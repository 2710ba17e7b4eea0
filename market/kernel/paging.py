"""Keyset pages: a cursor names the last row seen, so rows that come and go repeat or hide nothing."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from market.kernel.errors import Invalid

T = TypeVar("T")


class BadCursor(Invalid):
    """The cursor was not made by this list."""

    code = "paging.bad_cursor"


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows and the cursor of the next page, None on the last."""

    items: Sequence[T]
    next_cursor: str | None


def encode(values: Sequence[Any]) -> str:
    """Return an opaque cursor for the sort values of the last row."""
    raw = json.dumps([str(value) for value in values], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode(cursor: str, size: int) -> list[str]:
    """Return the `size` sort values in a cursor. Raises BadCursor for anything this code did not write."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        values = None
    if not isinstance(values, list) or len(values) != size or not all(isinstance(value, str) for value in values):
        raise _bad()
    return values


def read(cursor: str, *kinds: Callable[[str], Any]) -> list[Any]:
    """Return the sort values in a cursor, each as its kind reads it. Raises BadCursor for anything this code did not write."""
    try:
        return [kind(value) for kind, value in zip(kinds, decode(cursor, len(kinds)), strict=True)]
    except (ValueError, OverflowError):
        raise _bad() from None


def _bad() -> BadCursor:
    return BadCursor("This page link is not valid any more. Start the list again.", pointer="/cursor")
