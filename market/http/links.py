"""Links that prove what they are for: a guest's order opens with the key that was mailed to them."""

from functools import cache
from typing import Any
from uuid import UUID

from flask import current_app
from itsdangerous import BadSignature, Serializer, URLSafeSerializer
from itsdangerous.encoding import base64_encode


class _Keys(URLSafeSerializer):
    """The same keys without the attempt to compress, which cost five times the signature and never shortens an id."""

    def dump_payload(self, obj: Any) -> bytes:
        return base64_encode(Serializer.dump_payload(self, obj))


def _serializer(purpose: str) -> URLSafeSerializer:
    return _made(current_app.extensions["settings"].secret_key, purpose)


@cache  # making one derives its key anew
def _made(secret: str, purpose: str) -> URLSafeSerializer:
    return _Keys(secret, salt=f"link:{purpose}")


def public(path: str) -> str:
    """Return a path of ours at the site's public address: what leaves the site never follows the caller's Host header."""
    return str(current_app.extensions["settings"].public_url) + path


def key_for(purpose: str, subject: UUID) -> str:
    """Return the key that proves the right to `subject` for one purpose, for good."""
    return str(_serializer(purpose).dumps(subject.hex))


def opens(purpose: str, subject: UUID, key: str | None) -> bool:
    """Whether `key` was made for this subject and purpose."""
    if not key:
        return False
    try:
        return bool(_serializer(purpose).loads(key) == subject.hex)
    except BadSignature:
        return False
