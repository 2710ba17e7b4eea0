"""Propose what each statement line means (money.md 8.1): rules 0 to 5 and 7.

Pure: lines and open targets in, proposals out. A proposal is automatic only where two independent signs agree and
no second candidate is left; everything else is put before a person with its evidence. A wrong match is money, a
missing one is a minute of work.

The order: first what one reference says without doubt (`rules.exact`), then references (rule 1) and batches (rule 2) for
all lines, then amount with account (rule 3), with a known fee, and a debit's amount with the payee's whole name, over what is
left; then returns (rule 7), which may concern a payout settled a moment before, then suggestions.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import combinations
from uuid import UUID

from market.statements.rules.claims import Claim, Evidence, Proposal, Target, cheque_numbers, same_name, similar_names
from market.statements.rules.exact import RULE, STALE, exact_evidence, exact_pairs

WINDOW = timedelta(days=7)
"""How long after it was sent or announced a thing shows up on a statement (rule 3)."""

MAX_SUGGESTIONS = 5
"""More candidates than this help nobody."""

_BATCH_WORDS = re.compile(r"\b(batch|bulk|collective|sammel\w*|sammler|sepa file|lote|remesa)\b", re.IGNORECASE)
_FEE_CODES = re.compile(r"/(CHRG|COMM|FEES|COMT|INTR)$")
_SIGNS = {"payment": 1, "payout": -1, "refund": -1}


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


class Lines:
    """Lines that nothing explains for certain yet, to ask which of them could show the same thing."""

    def __init__(self, claims: Iterable[Claim]) -> None:
        self.by_amount: dict[int, list[Claim]] = defaultdict(list)
        for claim in claims:
            self.by_amount[claim.amount_minor].append(claim)

    def only(self, claim: Claim, target: Target, *, more: int = 0) -> bool:
        """Return whether no other line of its party could show a target, with `more` than its amount.

        A line without account is of the party when its name does not say otherwise.
        """
        rivals = (each for each in self._others(claim, target, more) if each.account in ("", claim.account))
        return not any(each.account or not each.name or similar_names(each.name, target.name) for each in rivals)

    def alone(self, claim: Claim, target: Target) -> bool:
        """Return whether no other line at all has the amount of a target in its days."""
        return not any(self._others(claim, target, 0))

    def _others(self, claim: Claim, target: Target, more: int) -> Iterator[Claim]:
        amount = claim.sign * (target.amount_minor + more)
        return (each for each in self.by_amount.get(amount, ()) if each is not claim and in_window(each, target))


class Matcher:
    """Works through spans of lines, oldest first, and remembers in between what is still open."""

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
        for key in {(_SIGNS[target.kind], target.amount_minor) for target in fresh}:
            self.by_amount[key].sort(key=_since)

    def _index(self, target: Target) -> None:
        sign = _SIGNS[target.kind]
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

    def propose(self, claims: Iterable[Claim], rivals: Sequence[Claim] = ()) -> list[Proposal]:
        """Return proposals for a span of lines; see the function of this name."""
        self.found, self.suggested = [], []
        ordered = sorted(claims, key=lambda c: (c.booked_on, c.amount_minor > 0))
        returns = [claim for claim in ordered if self._comes_back(claim)]
        coming_back = {id(claim) for claim in returns}
        left = self._exactly([claim for claim in ordered if id(claim) not in coming_back])
        unsure = [claim for claim in left if self._by_reference(claim)]
        asked = {id(claim) for claim in unsure}
        left = [claim for claim in left if id(claim) not in asked and not self._by_batch_id(claim)]
        left = self._by_batch_total(left)
        left = self._by_cheque(left, rivals)
        taken = {(proposal.line_id, proposal.part) for proposal in self.found}
        unsure = [claim for claim in unsure if (claim.line_id, claim.part) not in taken]
        left = self._by_party(left, [*rivals, *unsure])
        for claim in returns:
            self._return(claim)
        for claim in left:
            self._suggest(claim)
        return self.found + self.suggested

    def _exactly(self, claims: list[Claim]) -> list[Claim]:
        """Match what `rules.exact` is certain of; return the others."""
        pairs = exact_pairs(claims, self.by_reference, dismissed=self.dismissed)
        pairs = [(claim, target) for claim, target in pairs if target.id in self.open]
        for claim, target in pairs:
            self._take(claim, target, self.open[target.id], "full", RULE, exact_evidence(claim, target))
        done = {id(claim) for claim, _ in pairs}
        return [claim for claim in claims if id(claim) not in done]

    # -- rule 1 and its exceptions -------------------------------------------------------------------------------

    def _by_reference(self, claim: Claim) -> bool:
        """Match by reference and amount. Returns whether the line is done with, matched or put before a person."""
        named = self._named(claim)
        if not named:
            return False
        if len(named) > 1:
            self._several_named(claim, named)
            return True
        target = named[0]
        if _SIGNS[target.kind] != claim.sign:
            kind = "return" if claim.sign > 0 else "alarm"
            self._offer(claim, target, kind, "reference", {"reference": "equal", "note": "other_direction"})
        elif self.state[target.id] != "open":
            self._not_open(claim, target)
        else:
            self._weigh(claim, target)
        return True

    def _named(self, claim: Claim) -> list[Target]:
        named = (self.by_reference.get(reference) for reference in claim.references)
        return [target for target in named if target is not None and (claim.line_id, target.id) not in self.dismissed]

    def _weigh(self, claim: Claim, target: Target) -> None:
        size, still = abs(claim.amount_minor), self.open[target.id]
        evidence = self._evidence(claim, target) | {"reference": "equal"}
        if size == still and not (_is_stale(claim, target) and self._another_fits(claim, target)):
            self._take(claim, target, still, "full", "reference", evidence | {"amount": "equal"})
        elif claim.sign < 0 and size - still in self._fees(claim):
            fee = size - still
            self._take(claim, target, still, "full", "reference", evidence | {"amount": "with_fee"}, fee_minor=fee)
        elif size < still and self._is_part_of(claim, target, evidence):
            self._take(claim, target, size, "partial", "reference", evidence | {"amount": "smaller"})
        else:
            word = "smaller" if size < still else "larger" if size > still else "equal"
            kind = "partial" if size < still else "full"
            self._offer(claim, target, kind, "reference", evidence | {"amount": word}, amount_minor=min(size, still))

    def _is_part_of(self, claim: Claim, target: Target, evidence: Evidence) -> bool:
        """Return whether a smaller amount is certainly a part: a second sign, in time, and nothing else of the party fits."""
        certain = target.kind == "payment" and {"account", "name"} & evidence.keys() and not _is_stale(claim, target)
        return bool(certain) and not self._another_fits(claim, target)

    def _another_fits(self, claim: Claim, target: Target) -> bool:
        """Return whether the reference was perhaps copied from an earlier payment: a newer thing of the party fits exactly."""
        others = (each for each in self._near(claim) if each.id != target.id)
        return any({"account", "name"} & self._evidence(claim, each).keys() for each in others)

    def _not_open(self, claim: Claim, target: Target) -> None:
        evidence = self._evidence(claim, target) | {"reference": "equal", "note": self.state[target.id]}
        if abs(claim.amount_minor) == target.amount_minor:
            evidence["amount"] = "equal"
        dead = self.state[target.id] == "dead" and target.kind == "payout"
        self._offer(claim, target, "alarm" if dead else "duplicate", "reference", evidence)

    def _several_named(self, claim: Claim, named: Sequence[Target]) -> None:
        """Match a line that names several open things and is exactly their sum; anything less is for a person."""
        alive = [target for target in named if target.id in self.open and _SIGNS[target.kind] == claim.sign]
        exact = sum(self.open[target.id] for target in alive) == abs(claim.amount_minor)
        if exact and len(alive) == len(claim.references):
            for target in alive:
                evidence = self._evidence(claim, target) | {"reference": "equal", "amount": "sum_equal"}
                self._take(claim, target, self.open[target.id], "full", "references", evidence)
            return
        for target in alive[:MAX_SUGGESTIONS]:
            amount = self.open[target.id] if exact else min(self.open[target.id], abs(claim.amount_minor))
            note: Evidence = {"reference": "equal", "note": "sum_of_several" if exact else "several_references"}
            self._offer(claim, target, "full", "reference", note, amount_minor=amount)

    # -- rule 2 --------------------------------------------------------------------------------------------------

    def _by_batch_id(self, claim: Claim) -> bool:
        for batch in claim.batches:
            alive = self._alive(batch)
            if alive and claim.sign < 0 and self._take_batch(claim, alive, batch, "batch"):
                return True
        return False

    def _by_batch_total(self, claims: list[Claim]) -> list[Claim]:
        """Match lines that call themselves a batch by a total that only one file and one line have."""
        same: dict[int, list[Claim]] = defaultdict(list)
        for claim in claims:
            if claim.sign < 0 and (claim.batch_count > 1 or _BATCH_WORDS.search(claim.text)):
                same[-claim.amount_minor].append(claim)
        done: set[int] = set()
        for total, lines in same.items():
            batches = [each for each in self.batch_totals.get(total, ()) if self._alive(each)]
            if len(batches) != 1 or len(lines) != 1:
                continue
            claim, alive = lines[0], self._alive(batches[0])
            fits = claim.batch_count in (0, len(alive)) and all(in_window(claim, target) for target in alive)
            if fits and self._take_batch(claim, alive, batches[0], "batch_total"):
                done.add(id(claim))
        return [claim for claim in claims if id(claim) not in done]

    def _alive(self, batch: str) -> list[Target]:
        return [target for target in self.by_batch.get(batch, ()) if target.id in self.open]

    def _take_batch(self, claim: Claim, alive: Sequence[Target], batch: str, rule: str) -> bool:
        total = sum(self.open[target.id] for target in alive)
        fee = -claim.amount_minor - total
        if fee and fee not in self._fees(claim):
            return False
        for target in alive:
            evidence: Evidence = {"batch": batch, "amount": "sum_equal" if not fee else "sum_with_fee", "payouts": len(alive)}
            self._take(claim, target, self.open[target.id], "full", rule, evidence, fee_minor=fee)
            fee = 0  # the fee is the line's, not each payout's
        return True

    # -- cheques -------------------------------------------------------------------------------------------------

    def _by_cheque(self, claims: list[Claim], rivals: Sequence[Claim]) -> list[Claim]:
        """Match lines that show the number and the amount of one cheque, where no other line shows both."""
        if not self.by_cheque:
            return claims
        amounts = self.cheque_amounts
        shown: dict[UUID, set[int]] = defaultdict(set)
        named: dict[int, list[Target]] = {}
        for claim in (*claims, *rivals):
            if claim.sign < 0 and -claim.amount_minor in amounts:
                keys = ((number, -claim.amount_minor) for number in cheque_numbers(claim.text))
                named[id(claim)] = [each for key in keys for each in self.by_cheque.get(key, ()) if each.id in self.open]
                for target in named[id(claim)]:
                    shown[target.id].add(id(claim))
        left = []
        for claim in claims:
            targets = named.get(id(claim), [])
            alone = len(targets) == 1 and shown[targets[0].id] == {id(claim)} and not claim.references
            if not alone or (claim.line_id, targets[0].id) in self.dismissed or claim.booked_on < targets[0].since:
                left.append(claim)
                continue
            evidence = self._evidence(claim, targets[0]) | {"cheque": targets[0].cheque, "amount": "equal"}
            self._take(claim, targets[0], self.open[targets[0].id], "full", "cheque", evidence)
        return left

    # -- rule 3 --------------------------------------------------------------------------------------------------

    def _by_party(self, claims: list[Claim], rivals: Sequence[Claim]) -> list[Claim]:
        """Match by amount and account, then with a known fee, then by amount and name: what is unique both ways.

        `rivals` are lines about which another rule, or a person, decides.
        """
        lines = Lines((*claims, *rivals))
        for rule in (self._account_amount, self._account_fee, self._name_amount):
            claims = [claim for claim in claims if claim.references or not rule(claim, lines)]
        return claims

    def _account_amount(self, claim: Claim, lines: Lines) -> bool:
        fitting = self._of_party(claim, abs(claim.amount_minor))
        if len(fitting) != 1 or not lines.only(claim, fitting[0]):
            return False
        return self._take_if_allowed(claim, fitting[0], "account_amount", {"amount": "equal"})

    def _account_fee(self, claim: Claim, lines: Lines) -> bool:
        """Match a debit that is what one payout to its account and a known fee come to, where nothing else comes to it."""
        if claim.sign > 0 or not claim.account:
            return False
        fees = {0, *self._fees(claim)}
        fitting = [(each, fee) for fee in fees for each in self._of_party(claim, -claim.amount_minor - fee)]
        if len(fitting) != 1 or not fitting[0][1] or not all(lines.only(claim, fitting[0][0], more=fee) for fee in fees):
            return False
        return self._take_if_allowed(claim, fitting[0][0], "account_amount", {"amount": "with_fee"}, fee_minor=fitting[0][1])

    def _name_amount(self, claim: Claim, lines: Lines) -> bool:
        """Match a debit without account by the payee's whole name, where no other payout and no other line has its amount."""
        if claim.sign > 0 or claim.account:
            return False
        near = self._near(claim)
        if len(near) != 1 or not same_name(claim.name, near[0].name) or not lines.alone(claim, near[0]):
            return False
        return self._take_if_allowed(claim, near[0], "name_amount", {"amount": "equal"})

    def _of_party(self, claim: Claim, size: int) -> list[Target]:
        """Return what is open with this account for exactly this amount, and could show up on this day."""
        party = self.by_party.get((claim.sign, claim.account), ())
        return [each for each in party if each.amount_minor == size == self.open.get(each.id) and in_window(claim, each)]

    def _take_if_allowed(self, claim: Claim, target: Target, rule: str, evidence: Evidence, *, fee_minor: int = 0) -> bool:
        if (claim.line_id, target.id) in self.dismissed:
            return False
        evidence = self._evidence(claim, target) | evidence
        self._take(claim, target, self.open[target.id], "full", rule, evidence, fee_minor=fee_minor)
        return True

    # -- rule 7 --------------------------------------------------------------------------------------------------

    def _comes_back(self, claim: Claim) -> bool:
        """Return whether a credit is a return: marked as one, or with the reference of a payout and nothing else of ours."""
        if claim.sign < 0 or claim.returned:
            return claim.sign > 0
        named = self._named(claim)
        return len(named) == 1 == len(claim.references) and named[0].kind == "payout"

    def _return(self, claim: Claim) -> None:
        """A payout that came back (E43): its reference on a credit marked as return, or a second sign on one that is not."""
        named = [target for target in self._named(claim) if target.kind == "payout"]
        if len(named) != 1:
            self._suggest_return(claim)
            return
        target = named[0]
        kept = target.amount_minor - claim.amount_minor
        evidence = self._evidence(claim, target) | {"reference": "equal", "reason": claim.return_reason}
        evidence["amount"] = "equal" if not kept else "less_kept_fee"
        settled = self.state[target.id] == "settled"
        marked = claim.returned or {"account", "name"} & evidence.keys()
        if marked and settled and (kept == 0 or kept in self._fees(claim)):
            self.state[target.id] = "returned"
            self._add(claim, target, claim.amount_minor, "return", "return", True, evidence, fee_minor=kept)
        else:
            note: Evidence = {} if settled else {"note": self.state[target.id]}
            self._offer(claim, target, "return", "return", evidence | note, fee_minor=max(kept, 0))

    def _suggest_return(self, claim: Claim) -> None:
        candidates = [
            target
            for target in self.by_amount.get((_SIGNS["payout"], claim.amount_minor), ())
            if target.kind == "payout"
            and self.state[target.id] == "settled"
            and (target.account == claim.account or similar_names(target.name, claim.name))
        ]
        for target in candidates[:MAX_SUGGESTIONS]:
            evidence = self._evidence(claim, target) | {"amount": "equal", "reason": claim.return_reason}
            self._offer(claim, target, "return", "return", evidence)

    # -- suggestions: rules 4 and 5 ------------------------------------------------------------------------------

    def _suggest(self, claim: Claim) -> None:
        if claim.sign < 0 and _FEE_CODES.search(claim.bank_code):
            evidence: Evidence = {"bank_code": claim.bank_code}
            proposal = Proposal(claim.line_id, claim.part, "fee", None, -claim.amount_minor, "fee", "bank_code", False, evidence)
            self.suggested.append(proposal)
            return
        near = self._near(claim)
        known = [each for each in near if {"account", "name"} & self._evidence(claim, each).keys()]
        if not known and claim.account and claim.sign < 0:
            near = self._near_with_fee(claim)
            known = [each for each in near if claim.account == each.account]
        chosen = known or (near if len(near) <= MAX_SUGGESTIONS else [])
        for target in chosen[:MAX_SUGGESTIONS]:
            note: Evidence = {"note": "several_candidates"} if len(chosen) > 1 else {}
            fee = abs(claim.amount_minor) - self.open[target.id]
            evidence = self._evidence(claim, target) | {"amount": "with_fee" if fee else "equal"} | note
            still = self.open[target.id]
            self._offer(claim, target, "full", "amount_day_name", evidence, amount_minor=still, fee_minor=fee)
        if not chosen:
            self._suggest_sum(claim)

    def _near_with_fee(self, claim: Claim) -> list[Target]:
        """Return what is open with this amount less one of the bank's usual fees."""
        return [
            target
            for fee in sorted(self._fees(claim))
            if fee < -claim.amount_minor
            for target in self._near(claim, fee_minor=fee)
        ]

    def _near(self, claim: Claim, *, fee_minor: int = 0) -> list[Target]:
        """Return what is open with exactly this amount and could have shown up on this day."""
        size = abs(claim.amount_minor) - fee_minor
        same = self.by_amount.get((claim.sign, size), ())
        first, last = bisect_left(same, claim.booked_on - WINDOW, key=_since), bisect_right(same, claim.booked_on, key=_since)
        return [target for target in reversed(same[first:last]) if self.open.get(target.id) == size]

    def _suggest_sum(self, claim: Claim) -> None:
        """Rule 5: up to five open things of one counterparty that add up exactly."""
        if not claim.account:
            return
        alive = [each for each in self.by_party.get((claim.sign, claim.account), ()) if each.id in self.open][:12]
        for count in range(2, MAX_SUGGESTIONS + 1):
            for chosen in combinations(alive, count):
                if sum(self.open[each.id] for each in chosen) == abs(claim.amount_minor):
                    for target in chosen:
                        evidence = self._evidence(claim, target) | {"note": "sum_of_several", "amount": "sum_equal"}
                        self._offer(claim, target, "full", "sum", evidence, amount_minor=self.open[target.id])
                    return

    # -- what all rules share ------------------------------------------------------------------------------------

    def _fees(self, claim: Claim) -> frozenset[int]:
        return self.known_fees | ({claim.charges_minor} if claim.charges_minor else set())

    def _evidence(self, claim: Claim, target: Target) -> Evidence:
        evidence: Evidence = {"days": (claim.booked_on - target.since).days}
        if claim.account and claim.account == target.account:
            evidence["account"] = "equal"
        if similar_names(claim.name, target.name):
            evidence["name"] = "similar"
        return evidence

    def _take(
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
        self.open[target.id] -= amount_minor
        if not self.open[target.id]:
            del self.open[target.id]
            self.state[target.id] = "settled"
        self._add(claim, target, amount_minor, kind, rule, True, evidence, fee_minor=fee_minor)

    def _offer(
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


def _is_stale(claim: Claim, target: Target) -> bool:
    return claim.booked_on > target.since + STALE
