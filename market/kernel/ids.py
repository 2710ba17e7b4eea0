"""Identifiers and chance: UUIDs of version 7, tokens, and nothing else random anywhere."""

import hashlib
import os
import secrets
import time
from uuid import UUID


def new_id() -> UUID:
    """Return a UUID of version 7 (RFC 9562 5.7): sortable by creation, made here so that PostgreSQL 15 serves too."""
    stamp = time.time_ns() // 1_000_000
    value = bytearray(stamp.to_bytes(6, "big") + os.urandom(10))
    value[6] = (value[6] & 0x0F) | 0x70
    value[8] = (value[8] & 0x3F) | 0x80
    return UUID(bytes=bytes(value))


def derived_id(name: str) -> UUID:
    """Return the UUID (version 4 layout) that always belongs to `name`, for formats that ask for a version 4."""
    value = bytearray(hashlib.sha256(name.encode()).digest()[:16])
    value[6] = (value[6] & 0x0F) | 0x40
    value[8] = (value[8] & 0x3F) | 0x80
    return UUID(bytes=bytes(value))


def new_token(size: int = 24) -> str:
    """Return a secret for a URL, `size` random bytes in URL-safe base 64."""
    return secrets.token_urlsafe(size)
