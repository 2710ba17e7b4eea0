"""What lines may mean, indexed as it is added, with what is still open of it, and what was found so far.

Whoever works through years adds what comes up with each span of lines, and lets go of what ended SPANS_KEPT spans before.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict, deque
from collections.abc import Iterable
from datetime import date, timedelta
from typing import TypeVar
from uuid import UUID

from market.statements.rules.claims import Claim, Evidence, Proposal, Target, similar_names

WINDOW = timedelta(days=7)
"""How long after it was sent or announced a thing shows up on a statement (rule 3)."""

MAX_SUGGESTIONS = 5
"""More candidates than this help nobody."""

SPANS_KEPT = 3
"""What a span ended is remembered for the next ones: its matches may not be written yet when they ask what has ended."""

SIGNS = {"payment": 1, "payout": -1, "refund": -1}


Key = TypeVar("Key")


class Candidates:
    """Payouts, payments and refunds by what a line may show of them; remembers which are open and what was proposed."""

    def __init__(
        self,
        targets: Iterable[Target],
        *,
        known_fees: frozenset[int] = frozenset(),
        dismissed: frozenset[tuple[UUID, UUID]] = frozenset(),
        returns_unmarked: bool = False,
    ) -> None:
        self.known_fees = known_fees
        self.returns_unmarked = returns_unmarked  # as the portals of wallets list them
        self.dismissed = dismissed
        self.open: dict[UUID, int] = {}
        self.state: dict[UUID, str] = {}
        self.by_reference: dict[str, Target] = {}
        self.by_batch: dict[str, list[Target]] = defaultdict(list)
        self.by_amount: dict[int, list[Target]] = defaultdict(list)
        self.by_party: dict[tuple[int, str], list[Target]] = defaultdict(list)
        self.by_cheque: dict[tuple[str, int], list[Target]] = defaultdict(list)
        self.batch_totals: dict[int, list[str]] = {}
        self.found: list[Proposal] = []
        self.suggested: list[Proposal] = []
        self._sums: dict[str, tuple[int, int, UUID]] = {}
        self._ended: deque[list[Target]] = deque([[]])
        self.add(targets)

    @property
    def cheque_amounts(self) -> set[int]:
        """Return the amounts of the cheques that a line may show."""
        return {amount for _, amount in self.by_cheque}

    def knows(self, reference: str) -> bool:
        """Return whether a target with this reference is known, whatever became of it."""
        return reference in self.by_reference

    def add(self, targets: Iterable[Target]) -> None:
        """Add targets, open or ended, where they are not known already."""
        amounts: set[int] = set()
        in_batches = False
        for target in targets:
            if target.id not in self.state:
                self._index(target)
                amounts.add(SIGNS[target.kind] * target.amount_minor)
                in_batches = in_batches or bool(target.batches)
        for amount in amounts:
            self.by_amount[amount].sort(key=_since)
        if in_batches:
            self._total_batches()

    def begin_span(self) -> None:
        """Forget what ended SPANS_KEPT spans ago; the service asks for it again where a line names it."""
        if len(self._ended) == SPANS_KEPT:
            later = {target.id for ended in list(self._ended)[1:] for target in ended}
            for target in self._ended.popleft():
                if target.id not in later:
                    self._forget(target)
        self._ended.append([])

    def _index(self, target: Target) -> None:
        sign = SIGNS[target.kind]
        self.state[target.id] = target.state
        self.by_reference[target.reference] = target
        for batch in target.batches:
            self.by_batch[batch].append(target)
            total, count, first = self._sums.get(batch, (0, 0, target.id))
            self._sums[batch] = total + (target.amount_minor if target.state == "open" else 0), count + 1, first
        self.by_amount[sign * target.amount_minor].append(target)
        if target.cheque:
            self.by_cheque[target.cheque.lstrip("0"), target.amount_minor].append(target)
        if target.state != "open":
            self._ended[-1].append(target)
            return
        self.open[target.id] = target.amount_minor
        if target.account:
            self.by_party[sign, target.account].append(target)

    def _forget(self, target: Target) -> None:
        sign = SIGNS[target.kind]
        self.state.pop(target.id, None)  # settled and returned in one span, it ended twice
        self.by_reference.pop(target.reference, None)
        _take_out(self.by_amount, sign * target.amount_minor, target)
        _take_out(self.by_party, (sign, target.account), target)
        for batch in target.batches:
            _take_out(self.by_batch, batch, target)
        if target.cheque:
            _take_out(self.by_cheque, (target.cheque.lstrip("0"), target.amount_minor), target)

    def _total_batches(self) -> None:
        """Tell batches by what they come to; a file and its only payment group, with the same members, are one."""
        self.batch_totals = defaultdict(list)
        members: set[tuple[int, int, UUID]] = set()
        for batch, same in self._sums.items():
            if same[0] and same not in members:
                members.add(same)
                self.batch_totals[same[0]].append(batch)

    def named(self, claim: Claim) -> list[Target]:
        """Return what a line names by a reference, rejected pairs aside."""
        named = (self.by_reference.get(reference) for reference in claim.references)
        return [target for target in named if target is not None and (claim.line_id, target.id) not in self.dismissed]

    def alive(self, batch: str) -> list[Target]:
        """Return what is still open of a batch."""
        return [target for target in self.by_batch.get(batch, ()) if target.id in self.open]

    def near(self, claim: Claim, *, fee_minor: int = 0) -> list[Target]:
        """Return what is open with exactly this amount and could have shown up on this day."""
        size = abs(claim.amount_minor) - fee_minor
        same = self.by_amount.get(claim.sign * size, ())
        first, last = bisect_left(same, claim.booked_on - WINDOW, key=_since), bisect_right(same, claim.booked_on, key=_since)
        return [target for target in reversed(same[first:last]) if self.open.get(target.id) == size]

    def fees(self, claim: Claim) -> frozenset[int]:
        """Return the fees that the bank of this account takes, and those which the line tells."""
        return self.known_fees | ({claim.charges_minor} if claim.charges_minor else set())

    def evidence(self, claim: Claim, target: Target) -> Evidence:
        """Return in what a line and a target agree."""
        evidence: Evidence = {"days": (claim.booked_on - target.since).days}
        if claim.account and claim.account == target.account:
            evidence["account"] = "equal"
        if similar_names(claim.name, target.name):
            evidence["name"] = "similar"
        return evidence

    def take(
        self,
        claim: Claim,
        target: Target,
        amount_minor: int,
        kind: str,
        rule: str,
        evidence: Evidence,
        *,
        fee_minor: int = 0,
    ) -> None:
        """Match a line, or so much of it, for certain."""
        self.open[target.id] -= amount_minor
        if not self.open[target.id]:
            del self.open[target.id]
            self.end(target, "settled")
        self._add(claim, target, amount_minor, kind, rule, True, evidence, fee_minor=fee_minor)

    def end(self, target: Target, state: str) -> None:
        """Remember that a target is settled, or came back."""
        self.state[target.id] = state
        self._ended[-1].append(target)

    def offer(
        self,
        claim: Claim,
        target: Target,
        kind: str,
        rule: str,
        evidence: Evidence,
        *,
        amount_minor: int | None = None,
        fee_minor: int = 0,
    ) -> None:
        """Put a pair before a person, unless one has rejected it."""
        if (claim.line_id, target.id) not in self.dismissed:
            amount = abs(claim.amount_minor) if amount_minor is None else amount_minor
            self._add(claim, target, amount, kind, rule, False, evidence, fee_minor=fee_minor)

    def _add(
        self,
        claim: Claim,
        target: Target,
        amount_minor: int,
        kind: str,
        rule: str,
        automatic: bool,
        evidence: Evidence,
        *,
        fee_minor: int,
    ) -> None:
        proposal = Proposal(
            claim.line_id, claim.part, target.kind, target.id, amount_minor, kind, rule, automatic, evidence, fee_minor
        )
        (self.found if automatic else self.suggested).append(proposal)


def _since(target: Target) -> date:
    return target.since


def _take_out(index: dict[Key, list[Target]], key: Key, target: Target) -> None:
    if found := index.get(key):
        left = [each for each in found if each is not target]
        if left:
            index[key] = left
        else:
            del index[key]


def in_window(claim: Claim, target: Target) -> bool:
    """Return whether a line is of the days in which a target shows up."""
    return target.since <= claim.booked_on <= target.since + WINDOW
