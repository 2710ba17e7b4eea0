"""Refusals in words: what was wrong, where, what to do, with a stable code.

No HTTP number stands here; `market.http.problems` maps each kind to a status once.
"""

from typing import ClassVar


class DomainError(Exception):
    """A refusal. `code` is stable and public, `detail` is a sentence for a person, `facts` carry the arithmetic."""

    kind: ClassVar[str] = "invalid"
    code: ClassVar[str] = "invalid"

    def __init__(self, detail: str, *, pointer: str | None = None, **facts: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.pointer = pointer
        self.facts = facts


class Invalid(DomainError):
    """The input cannot be right; changing it helps."""

    kind = "invalid"


class Forbidden(DomainError):
    """The person may see the thing and may not do this with it."""

    kind = "forbidden"
    code = "forbidden"


class Missing(DomainError):
    """There is no such thing for this person; a foreign thing is missing, never forbidden."""

    kind = "missing"
    code = "missing"


class Conflict(DomainError):
    """The input was fine and the state does not allow it."""

    kind = "conflict"
    code = "conflict"


class TooMany(DomainError):
    """The same was asked for too often; `retry_after` in the facts is how many seconds to wait."""

    kind = "too_many"


class Unavailable(DomainError):
    """Something outside does not answer; trying later may help."""

    kind = "unavailable"
    code = "unavailable"
