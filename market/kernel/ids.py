"""Identifiers and chance: UUIDs of version 7, tokens, and nothing else random anywhere."""

import hashlib
import os
import secrets
import threading
import time
from collections.abc import Iterator
from uuid import UUID

_LOW = (1 << 62) - 1


class _Newest:
    """The newest id of this process, so that ids made within one millisecond still sort in the order of their making."""

    lock = threading.Lock()
    stamp = 0
    rest = 0


def new_id() -> UUID:
    """Return a UUID of version 7 (RFC 9562 5.7, 6.2 method 2): sortable by creation, also within a millisecond.

    Made here, so that PostgreSQL 15 serves too.
    """
    return new_ids(1)


def new_ids(count: int) -> UUID:
    """Return the first of `count` new ids; the others count on from it, for rows made by a set (`market_nth_id` in SQL)."""
    stamp = time.time_ns() // 1_000_000
    with _Newest.lock:
        if stamp > _Newest.stamp:
            _Newest.stamp, _Newest.rest = stamp, secrets.randbits(73)  # one bit is left for counting on
        else:
            _Newest.rest += 1 + secrets.randbits(32)
        if (_Newest.rest & _LOW) + count > _LOW:
            _Newest.rest = (_Newest.rest >> 62) + 1 << 62  # counting on stays within the lower half of an id
        stamp, rest = _Newest.stamp, _Newest.rest
        _Newest.rest += count - 1
    return UUID(int=stamp << 80 | 7 << 76 | (rest >> 62) << 64 | 2 << 62 | rest & _LOW)


def series(block: int = 1_000) -> Iterator[str]:
    """Yield new ids without end, in 32 hexadecimal digits, for rows by the million.

    Chance is asked once a block, whose ids count on.
    """
    while True:
        first = new_ids(block).int
        for number in range(block):
            yield f"{first + number:032x}"


def _forget() -> None:
    _Newest.lock, _Newest.stamp = threading.Lock(), 0


os.register_at_fork(after_in_child=_forget)


def derived_id(name: str) -> UUID:
    """Return the UUID (version 4 layout) that always belongs to `name`, for formats that ask for a version 4."""
    value = bytearray(hashlib.sha256(name.encode()).digest()[:16])
    value[6] = (value[6] & 0x0F) | 0x40
    value[8] = (value[8] & 0x3F) | 0x80
    return UUID(bytes=bytes(value))


def new_token(size: int = 24) -> str:
    """Return a secret for a URL, `size` random bytes in URL-safe base 64."""
    return secrets.token_urlsafe(size)
