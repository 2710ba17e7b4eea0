"""What lines may mean, indexed once, with what is still open of it, and what was found so far."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from uuid import UUID

from market.statements.rules.claims import Claim, Evidence, Proposal, Target, similar_names

WINDOW = timedelta(days=7)
"""How long after it was sent or announced a thing shows up on a statement (rule 3)."""

MAX_SUGGESTIONS = 5
"""More candidates than this help nobody."""

SIGNS = {"payment": 1, "payout": -1, "refund": -1}


class Candidates:
    """Payouts, payments and refunds by what a line may show of them; remembers which are open and what was proposed."""

    def __init__(
        self,
        targets: Iterable[Target],
        *,
        known_fees: frozenset[int] = frozenset(),
        dismissed: frozenset[tuple[UUID, UUID]] = frozenset(),
    ) -> None:
        self.known_fees = known_fees
        self.dismissed = dismissed
        self.open: dict[UUID, int] = {}
        self.state: dict[UUID, str] = {}
        self.by_reference: dict[str, Target] = {}
        self.by_batch: dict[str, list[Target]] = defaultdict(list)
        self.by_amount: dict[tuple[int, int], list[Target]] = defaultdict(list)
        self.by_party: dict[tuple[int, str], list[Target]] = defaultdict(list)
        self.by_cheque: dict[tuple[str, int], list[Target]] = defaultdict(list)
        self.found: list[Proposal] = []
        self.suggested: list[Proposal] = []
        for target in targets:
            self._index(target)
        for same in self.by_amount.values():
            same.sort(key=_since)
        self.batch_totals = self._batch_totals()

    @property
    def cheque_amounts(self) -> set[int]:
        """Return the amounts of the cheques that a line may show."""
        return {amount for _, amount in self.by_cheque}

    def knows(self, reference: str) -> bool:
        """Return whether a target with this reference is known, whatever became of it."""
        return reference in self.by_reference

    def add(self, targets: Iterable[Target]) -> None:
        """Add targets that have ended, where they are not known already."""
        fresh = [target for target in targets if target.id not in self.state]
        for target in fresh:
            self._index(target)
        for key in {(SIGNS[target.kind], target.amount_minor) for target in fresh}:
            self.by_amount[key].sort(key=_since)

    def _index(self, target: Target) -> None:
        sign = SIGNS[target.kind]
        self.state[target.id] = target.state
        self.by_reference[target.reference] = target
        for batch in target.batches:
            self.by_batch[batch].append(target)
        self.by_amount[sign, target.amount_minor].append(target)
        if target.state != "open":
            return
        self.open[target.id] = target.amount_minor
        if target.cheque:
            self.by_cheque[target.cheque.lstrip("0"), target.amount_minor].append(target)
        if target.account:
            self.by_party[sign, target.account].append(target)

    def _batch_totals(self) -> dict[int, list[str]]:
        totals: dict[int, list[str]] = defaultdict(list)
        members: set[tuple[UUID, ...]] = set()
        for batch, targets in self.by_batch.items():
            ids = tuple(target.id for target in targets)
            total = sum(target.amount_minor for target in targets if target.state == "open")
            if total and ids not in members:  # a file and its only payment group are one batch
                members.add(ids)
                totals[total].append(batch)
        return totals

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
        same = self.by_amount.get((claim.sign, size), ())
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
            self.state[target.id] = "settled"
        self._add(claim, target, amount_minor, kind, rule, True, evidence, fee_minor=fee_minor)

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


def in_window(claim: Claim, target: Target) -> bool:
    """Return whether a line is of the days in which a target shows up."""
    return target.since <= claim.booked_on <= target.since + WINDOW
