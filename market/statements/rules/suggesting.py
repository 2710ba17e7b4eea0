"""Rules 4 and 5: what is not certain is put before a person, with what speaks for it."""

import re
from itertools import combinations

from market.statements.rules.candidates import MAX_SUGGESTIONS, Candidates
from market.statements.rules.claims import Claim, Evidence, Proposal, Target

MOST_OF_BATCH = 12
"""Of more payouts than this too many sums can be made to look at them all."""

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
    if not chosen:
        _suggest_sum(known, claim)


def _suggest_of_batch(known: Candidates, claim: Claim) -> bool:
    """Rule 2 where a bank has carried out a part of a file only: those of its payouts that are the sum, if no others are.

    Returns whether it found them.
    """
    for batch in claim.batches:
        alive = known.alive(batch)
        sizes = [claim.batch_count] if claim.batch_count else range(1, len(alive))
        if claim.sign > 0 or not 1 < len(alive) <= MOST_OF_BATCH:
            continue
        fitting = [
            chosen
            for size in sizes
            for chosen in combinations(alive, size)
            if sum(known.open[each.id] for each in chosen) == -claim.amount_minor
        ]
        if len(fitting) != 1:
            continue
        for target in fitting[0]:
            evidence: Evidence = {"batch": batch, "note": "sum_of_several", "amount": "sum_equal", "payouts": len(alive)}
            known.offer(
                claim, target, "full", "batch", known.evidence(claim, target) | evidence, amount_minor=known.open[target.id]
            )
        return True
    return False


def _near_with_fee(known: Candidates, claim: Claim) -> list[Target]:
    """Return what is open with this amount less one of the bank's usual fees."""
    return [
        target for fee in sorted(known.fees(claim)) if fee < -claim.amount_minor for target in known.near(claim, fee_minor=fee)
    ]


def _suggest_sum(known: Candidates, claim: Claim) -> None:
    """Rule 5: up to five open things of one counterparty that add up exactly."""
    if not claim.account:
        return
    alive = [each for each in known.by_party.get((claim.sign, claim.account), ()) if each.id in known.open][:12]
    for count in range(2, MAX_SUGGESTIONS + 1):
        for chosen in combinations(alive, count):
            if sum(known.open[each.id] for each in chosen) == abs(claim.amount_minor):
                for target in chosen:
                    evidence = known.evidence(claim, target) | {"note": "sum_of_several", "amount": "sum_equal"}
                    known.offer(claim, target, "full", "sum", evidence, amount_minor=known.open[target.id])
                return
