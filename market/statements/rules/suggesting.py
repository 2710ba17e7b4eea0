"""Rules 4 and 5: what is not certain is put before a person, with what speaks for it."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations, islice
from math import comb

from market.statements.rules.candidates import MAX_SUGGESTIONS, Candidates
from market.statements.rules.claims import Claim, Evidence, Proposal, Target
from market.statements.rules.returns import suggest_return

MOST_OF_BATCH = 12
"""Of more payouts than this too many sums can be made to look at them all: only a few that the bank paid alone, or left out."""

MOST_OF_FEW = 3
MOST_SUMS = 50_000
MOST_SHOWN = 60
"""So many payouts of a file are put before a person who has to say which of them a line paid."""

_FEE_CODES = re.compile(r"/(CHRG|COMM|FEES|COMT|INTR)$")


def suggest(known: Candidates, claim: Claim) -> None:
    """Put before a person what a line could mean (rules 4 and 5)."""
    if claim.sign < 0 and _FEE_CODES.search(claim.bank_code):
        evidence: Evidence = {"bank_code": claim.bank_code}
        proposal = Proposal(claim.line_id, claim.part, "fee", None, -claim.amount_minor, "fee", "bank_code", False, evidence)
        known.suggested.append(proposal)
        return
    if _suggest_of_batch(known, claim):
        return
    near = known.near(claim)
    alike = [each for each in near if {"account", "name"} & known.evidence(claim, each).keys()]
    if not alike and claim.account and claim.sign < 0:
        near = _near_with_fee(known, claim)
        alike = [each for each in near if claim.account == each.account]
    chosen = alike or (near if len(near) <= MAX_SUGGESTIONS else [])
    for target in chosen[:MAX_SUGGESTIONS]:
        note: Evidence = {"note": "several_candidates"} if len(chosen) > 1 else {}
        fee = abs(claim.amount_minor) - known.open[target.id]
        evidence = known.evidence(claim, target) | {"amount": "with_fee" if fee else "equal"} | note
        still = known.open[target.id]
        known.offer(claim, target, "full", "amount_day_name", evidence, amount_minor=still, fee_minor=fee)
    if not chosen and not _suggest_sum(known, claim):
        _suggest_whole_batch(known, claim)
        if known.returns_unmarked and claim.sign > 0 and not claim.references:
            suggest_return(known, claim)


def _suggest_of_batch(known: Candidates, claim: Claim) -> bool:
    """Rule 2 where a bank has carried out a part of a file only: those of its payouts that are the sum, if no others are.

    Returns whether it found them.
    """
    for batch, alive in _parts_of_batches(known, claim):
        fitting = list(islice(_adding_up(known, claim, alive), 2))
        if len(fitting) == 1:
            _offer_of_batch(known, claim, batch, fitting[0], alive, {"note": "sum_of_several", "amount": "sum_equal"})
            return True
    return False


def _suggest_whole_batch(known: Candidates, claim: Claim) -> None:
    """Put all payouts of a file before a person, where the sum does not tell which of them the bank has paid."""
    for batch, alive in _parts_of_batches(known, claim):
        told = len(alive) <= MOST_OF_BATCH and next(_adding_up(known, claim, alive), None) is None  # no part of it is the sum
        if len(alive) <= MOST_SHOWN and not told:
            _offer_of_batch(known, claim, batch, alive, alive, {"note": "several_candidates"})
            return


def _parts_of_batches(known: Candidates, claim: Claim) -> Iterator[tuple[str, list[Target]]]:
    """Yield the files that a debit names and could be a part of, with what is open of each."""
    for batch in claim.batches:
        alive = known.alive(batch)
        if claim.sign < 0 and len(alive) > 1 and -claim.amount_minor < sum(known.open[each.id] for each in alive):
            yield batch, alive


def _offer_of_batch(
    known: Candidates, claim: Claim, batch: str, chosen: Sequence[Target], alive: Sequence[Target], note: Evidence
) -> None:
    for target in chosen:
        evidence: Evidence = known.evidence(claim, target) | {"batch": batch, "payouts": len(alive)} | note
        known.offer(claim, target, "full", "batch", evidence, amount_minor=known.open[target.id])


def _adding_up(known: Candidates, claim: Claim, alive: Sequence[Target]) -> Iterator[Sequence[Target]]:
    """Yield the payouts of a file that come to what the line paid; of a large file, those that a few make or complete."""
    minors, paid, count = [known.open[each.id] for each in alive], -claim.amount_minor, claim.batch_count
    if len(alive) <= MOST_OF_BATCH:
        sizes = [count] if count else range(1, len(alive))
        yield from ([alive[place] for place in places] for size in sizes for places in _sums(minors, paid, size))
        return
    for size in range(1, MOST_OF_FEW + 1):
        if count in (0, size):
            yield from ([alive[place] for place in places] for places in _sums(minors, paid, size))
        if count in (0, len(alive) - size):
            for places in _sums(minors, sum(minors) - paid, size):
                yield [each for place, each in enumerate(alive) if place not in places]


def _sums(minors: Sequence[int], total: int, size: int) -> Iterator[tuple[int, ...]]:
    """Yield the places of `size` amounts that come to a total, up to MOST_SUMS tried; the last of each is looked up."""
    if comb(len(minors), size - 1) > MOST_SUMS:
        return
    places: dict[int, list[int]] = defaultdict(list)
    for place, minor in enumerate(minors):
        places[minor].append(place)
    for first in combinations(range(len(minors)), size - 1):
        rest = total - sum(minors[place] for place in first)
        yield from ((*first, last) for last in places.get(rest, ()) if not first or last > first[-1])


def _near_with_fee(known: Candidates, claim: Claim) -> list[Target]:
    """Return what is open with this amount less one of the bank's usual fees."""
    return [
        target for fee in sorted(known.fees(claim)) if fee < -claim.amount_minor for target in known.near(claim, fee_minor=fee)
    ]


def _suggest_sum(known: Candidates, claim: Claim) -> bool:
    """Rule 5: up to five open things of one counterparty that add up exactly. Returns whether there are such."""
    if not claim.account:
        return False
    alive = [each for each in known.by_party.get((claim.sign, claim.account), ()) if each.id in known.open][:12]
    for count in range(2, MAX_SUGGESTIONS + 1):
        for chosen in combinations(alive, count):
            if sum(known.open[each.id] for each in chosen) == abs(claim.amount_minor):
                for target in chosen:
                    evidence = known.evidence(claim, target) | {"note": "sum_of_several", "amount": "sum_equal"}
                    known.offer(claim, target, "full", "sum", evidence, amount_minor=known.open[target.id])
                return True
    return False
