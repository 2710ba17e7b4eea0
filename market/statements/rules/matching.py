"""Propose what each statement line means (money.md 8.1): rules 0 to 5 and 7.

Pure: lines and open targets in, proposals out. A proposal is automatic only where two independent signs agree and
no second candidate is left; everything else is put before a person with its evidence. A wrong match is money, a
missing one is a minute of work.

The order: first what one reference says without doubt (`rules.exact`), then references (rule 1) and batches (rule 2) for
all lines, then amount with account (rule 3), with a known fee, and a debit's amount with the payee's whole name, over what is
left; then returns (rule 7), which may concern a payout settled a moment before, then suggestions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from market.statements.rules.batches import match_batch, match_batch_totals, match_cheques
from market.statements.rules.candidates import MAX_SUGGESTIONS, SIGNS, Candidates
from market.statements.rules.claims import Claim, Evidence, Proposal, Target
from market.statements.rules.exact import RULE, STALE, exact_evidence, exact_pairs
from market.statements.rules.parties import match_by_party
from market.statements.rules.returns import comes_back, match_return
from market.statements.rules.suggesting import suggest


def propose(
    claims: Iterable[Claim],
    targets: Iterable[Target],
    *,
    known_fees: frozenset[int] = frozenset(),
    rivals: Sequence[Claim] = (),
    dismissed: frozenset[tuple[UUID, UUID]] = frozenset(),
) -> list[Proposal]:
    """Return proposals for `claims`, automatic ones first.

    `rivals` are lines that are not to be matched now but make a match by amount and account ambiguous.
    `dismissed` pairs of line and target, which a person rejected, are neither matched nor suggested again.
    """
    return Matcher(targets, known_fees=known_fees, dismissed=dismissed).propose(claims, rivals)


class Matcher(Candidates):
    """Works through spans of lines, oldest first, and remembers in between what is still open."""

    def propose(self, claims: Iterable[Claim], rivals: Sequence[Claim] = ()) -> list[Proposal]:
        """Return proposals for a span of lines; see the function of this name."""
        self.found, self.suggested = [], []
        ordered = sorted(claims, key=lambda c: (c.booked_on, c.amount_minor > 0))
        returns = [claim for claim in ordered if comes_back(self, claim)]
        coming_back = {id(claim) for claim in returns}
        left = self._exactly([claim for claim in ordered if id(claim) not in coming_back])
        unsure = [claim for claim in left if self._by_reference(claim)]
        asked = {id(claim) for claim in unsure}
        left = [claim for claim in left if id(claim) not in asked and not match_batch(self, claim)]
        left = match_batch_totals(self, left)
        left = match_cheques(self, left, rivals)
        taken = {(proposal.line_id, proposal.part) for proposal in self.found}
        unsure = [claim for claim in unsure if (claim.line_id, claim.part) not in taken]
        left = match_by_party(self, left, [*rivals, *unsure])
        for claim in returns:
            match_return(self, claim)
        for claim in left:
            suggest(self, claim)
        return self.found + self.suggested

    def _exactly(self, claims: list[Claim]) -> list[Claim]:
        """Match what `rules.exact` is certain of; return the others."""
        pairs = exact_pairs(claims, self.by_reference, dismissed=self.dismissed)
        pairs = [(claim, target) for claim, target in pairs if target.id in self.open]
        for claim, target in pairs:
            self.take(claim, target, self.open[target.id], "full", RULE, exact_evidence(claim, target))
        done = {id(claim) for claim, _ in pairs}
        return [claim for claim in claims if id(claim) not in done]

    def _by_reference(self, claim: Claim) -> bool:
        """Match by reference and amount. Returns whether the line is done with, matched or put before a person."""
        named = self.named(claim)
        if not named:
            return False
        if len(named) > 1:
            self._several_named(claim, named)
            return True
        target = named[0]
        if SIGNS[target.kind] != claim.sign:
            kind = "return" if claim.sign > 0 else "alarm"
            self.offer(claim, target, kind, "reference", {"reference": "equal", "note": "other_direction"})
        elif self.state[target.id] != "open":
            self._not_open(claim, target)
        else:
            self._weigh(claim, target)
        return True

    def _weigh(self, claim: Claim, target: Target) -> None:
        size, still = abs(claim.amount_minor), self.open[target.id]
        evidence = self.evidence(claim, target) | {"reference": "equal"}
        if size == still and not (_is_stale(claim, target) and self._another_fits(claim, target)):
            self.take(claim, target, still, "full", "reference", evidence | {"amount": "equal"})
        elif claim.sign < 0 and size - still in self.fees(claim):
            fee = size - still
            self.take(claim, target, still, "full", "reference", evidence | {"amount": "with_fee"}, fee_minor=fee)
        elif size < still and self._is_part_of(claim, target, evidence):
            self.take(claim, target, size, "partial", "reference", evidence | {"amount": "smaller"})
        else:
            word = "smaller" if size < still else "larger" if size > still else "equal"
            kind = "partial" if size < still else "full"
            self.offer(claim, target, kind, "reference", evidence | {"amount": word}, amount_minor=min(size, still))

    def _is_part_of(self, claim: Claim, target: Target, evidence: Evidence) -> bool:
        """Return whether a smaller amount is certainly a part: a second sign, in time, and nothing else of the party fits."""
        certain = target.kind == "payment" and {"account", "name"} & evidence.keys() and not _is_stale(claim, target)
        return bool(certain) and not self._another_fits(claim, target)

    def _another_fits(self, claim: Claim, target: Target) -> bool:
        """Return whether the reference was perhaps copied from an earlier payment: a newer thing of the party fits exactly."""
        others = (each for each in self.near(claim) if each.id != target.id)
        return any({"account", "name"} & self.evidence(claim, each).keys() for each in others)

    def _not_open(self, claim: Claim, target: Target) -> None:
        evidence = self.evidence(claim, target) | {"reference": "equal", "note": self.state[target.id]}
        if abs(claim.amount_minor) == target.amount_minor:
            evidence["amount"] = "equal"
        dead = self.state[target.id] == "dead" and target.kind == "payout"
        self.offer(claim, target, "alarm" if dead else "duplicate", "reference", evidence)

    def _several_named(self, claim: Claim, named: Sequence[Target]) -> None:
        """Match a line that names several open things and is exactly their sum; anything less is for a person."""
        alive = [target for target in named if target.id in self.open and SIGNS[target.kind] == claim.sign]
        exact = sum(self.open[target.id] for target in alive) == abs(claim.amount_minor)
        if exact and len(alive) == len(claim.references):
            for target in alive:
                evidence = self.evidence(claim, target) | {"reference": "equal", "amount": "sum_equal"}
                self.take(claim, target, self.open[target.id], "full", "references", evidence)
            return
        for target in alive[:MAX_SUGGESTIONS]:
            amount = self.open[target.id] if exact else min(self.open[target.id], abs(claim.amount_minor))
            note: Evidence = {"reference": "equal", "note": "sum_of_several" if exact else "several_references"}
            self.offer(claim, target, "full", "reference", note, amount_minor=amount)


def _is_stale(claim: Claim, target: Target) -> bool:
    return claim.booked_on > target.since + STALE
