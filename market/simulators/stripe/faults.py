"""Faults on demand, so that the worst hour of a provider can be ordered for a test.

A rule says what goes wrong, for which calls, and how often: by count, or by probability from a seed.
Calls: `drop_before`, `drop_after` (the connection dies before or after the effect), `slow` (the answer waits
`seconds` after the effect), `500_before`, `500_after` (kept under the idempotency key and replayed, as
documented), `429`, `409` (never kept). Webhooks: `duplicate`, `late`, `lost`, `forged` (wrong signature),
`old` (signed a week ago), `tampered` (body changed after signing).
"""

import hashlib
import re
import threading
from dataclasses import dataclass, field

CALL_FAULTS = frozenset({"drop_before", "drop_after", "slow", "500_before", "500_after", "429", "409"})
WEBHOOK_FAULTS = frozenset({"duplicate", "late", "lost", "forged", "old", "tampered"})


@dataclass
class Rule:
    """One order of trouble."""

    kind: str
    path: str = ".*"  # for webhooks: the event's type
    method: str = "POST"
    count: int | None = None  # None: for ever
    probability: float = 1.0
    seconds: float = 1.0
    seed: int = 0
    skip: int = 0  # let so many calls pass first
    asked: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in CALL_FAULTS | WEBHOOK_FAULTS:
            raise ValueError(f"unknown fault {self.kind}")

    def strikes(self) -> bool:
        """Whether chance says yes this time: repeatable, from the seed and the number of times it was asked."""
        self.asked += 1
        digest = hashlib.sha256(f"{self.seed}:{self.asked}".encode()).digest()
        return int.from_bytes(digest[:6]) < self.probability * 2**48


class Faults:
    """The orders that are in force."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._lock = threading.Lock()

    def add(self, rule: Rule) -> None:
        """Put an order in force."""
        with self._lock:
            self._rules.append(rule)

    def clear(self) -> None:
        """Withdraw all orders."""
        with self._lock:
            self._rules.clear()

    def next(self, method: str, path: str) -> Rule | None:
        """The fault that this call meets, if any; used up by one."""
        return self._take(CALL_FAULTS, method, path)

    def for_webhook(self, kind: str) -> Rule | None:
        """The fault that the first delivery of an event of this kind meets, if any."""
        return self._take(WEBHOOK_FAULTS, None, kind)

    def _take(self, kinds: frozenset[str], method: str | None, path: str) -> Rule | None:
        with self._lock:
            for rule in self._rules:
                if rule.kind not in kinds or method not in (None, rule.method) or not re.fullmatch(rule.path, path):
                    continue
                if rule.count == 0 or not rule.strikes():
                    continue
                if rule.skip:
                    rule.skip -= 1
                    continue
                rule.count = None if rule.count is None else rule.count - 1
                return rule
        return None
