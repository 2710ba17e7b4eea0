"""Identifiers and chance: UUIDs of version 7, tokens, and nothing else random anywhere."""

import hashlib
import os
import secrets
import threading
import time
from uuid import UUID


class _Newest:
    """The newest id of this process, so that ids made within one millisecond still sort in the order of their making."""

    lock = threading.Lock()
    stamp = 0
    rest = 0


def new_id() -> UUID:
    """Return a UUID of version 7 (RFC 9562 5.7, 6.2 method 2): sortable by creation, also within a millisecond.

    Made here, so that PostgreSQL 15 serves too.
    """
    stamp = time.time_ns() // 1_000_000
    with _Newest.lock:
        if stamp > _Newest.stamp:
            _Newest.stamp, _Newest.rest = stamp, secrets.randbits(73)  # one bit is left for counting on
        else:
            _Newest.rest += 1 + secrets.randbits(32)
        stamp, rest = _Newest.stamp, _Newest.rest
    high, low = rest >> 62, rest & (1 << 62) - 1
    return UUID(int=stamp << 80 | 7 << 76 | high << 64 | 2 << 62 | low)


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
