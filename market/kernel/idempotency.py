"""The same request sent twice has one effect and one answer.

The key is stored with a hash of the input in the transaction of the effect; other input under a used key is refused.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, Session, mapped_column

from market.kernel import direct
from market.kernel.errors import Conflict
from market.kernel.orm import Base, Instant, Json


class IdempotencyKey(Base):
    """An answer that is given again when the same caller repeats the same request."""

    __tablename__ = "idempotency_key"

    scope: Mapped[str]
    key: Mapped[str]
    input_hash: Mapped[bytes]
    status: Mapped[int] = mapped_column(BigInteger)
    body: Mapped[Json]
    created_at: Mapped[Instant]

    __table_args__ = (PrimaryKeyConstraint("scope", "key"),)


class KeyUsedDifferently(Conflict):
    """The key was used with other input."""

    code = "idempotency.other_input"


def input_hash(payload: Mapping[str, Any]) -> bytes:
    """Return a digest of a request that does not depend on the order of its fields."""
    return hashlib.sha256(_sorted(payload).encode()).digest()


_sorted = json.JSONEncoder(sort_keys=True, default=str).encode


def recall(session: Session, *, scope: str, key: str, payload: Mapping[str, Any]) -> tuple[int, dict[str, Any]] | None:
    """Return status and body given before, or None. Raises KeyUsedDifferently when the input differs.

    Whoever asks while the same key is worked on waits until that unit of work has ended, and gets its answer.
    """
    mine = int.from_bytes(hashlib.sha256(f"{scope}\n{key}".encode()).digest()[:8], signed=True)
    # A statement of its own: the next one sees what was committed meanwhile.
    direct.at_begin(session, f"SELECT pg_advisory_xact_lock({mine})")
    rows = direct.run(session, _RECALL, {"scope": scope, "key": key})
    if not rows:
        return None
    known, status, body = rows[0]
    if known != input_hash(payload):
        raise KeyUsedDifferently("This Idempotency-Key was used for another request. Use a new key for a new request.")
    return status, body


def remember(
    session: Session, *, scope: str, key: str, payload: Mapping[str, Any], status: int, body: dict[str, Any], now: datetime
) -> bool:
    """Store the answer; False when somebody else stored one first (then roll back and recall theirs)."""
    row = {"scope": scope, "key": key, "hash": input_hash(payload), "status": status, "body": direct.as_json(body), "now": now}
    return bool(direct.run(session, _REMEMBER, row))


_RECALL = "SELECT input_hash, status, body FROM idempotency_key WHERE scope = %(scope)s AND key = %(key)s"
_REMEMBER = (
    "INSERT INTO idempotency_key (scope, key, input_hash, status, body, created_at)"
    " VALUES (%(scope)s, %(key)s, %(hash)s, %(status)s, %(body)s::jsonb, %(now)s) ON CONFLICT DO NOTHING RETURNING key"
)
