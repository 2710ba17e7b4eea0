"""Rule 2 and cheques: lines that stand for a whole file of payouts, and lines that show a cheque's number."""

import re
from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from market.statements.rules.candidates import Candidates, in_window
from market.statements.rules.claims import Claim, Evidence, Target, cheque_numbers

_BATCH_WORDS = re.compile(r"\b(batch|bulk|collective|sammel\w*|sammler|sepa file|lote|remesa)\b", re.IGNORECASE)


def match_batch(known: Candidates, claim: Claim) -> bool:
    """Match a debit that names a batch by its id, when it is its sum. Returns whether it did."""
    for batch in claim.batches:
        alive = known.alive(batch)
        if alive and claim.sign < 0 and _take_batch(known, claim, alive, batch, "batch"):
            return True
    return False


def match_batch_totals(known: Candidates, claims: list[Claim]) -> list[Claim]:
    """Match lines that call themselves a batch by a total that only one file and one line have."""
    same: dict[int, list[Claim]] = defaultdict(list)
    for claim in claims:
        if claim.sign < 0 and (claim.batch_count > 1 or _BATCH_WORDS.search(claim.text)):
            same[-claim.amount_minor].append(claim)
    done: set[int] = set()
    for total, lines in same.items():
        batches = [each for each in known.batch_totals.get(total, ()) if known.alive(each)]
        if len(batches) != 1 or len(lines) != 1:
            continue
        claim, alive = lines[0], known.alive(batches[0])
        fits = claim.batch_count in (0, len(alive)) and all(in_window(claim, target) for target in alive)
        if fits and _take_batch(known, claim, alive, batches[0], "batch_total"):
            done.add(id(claim))
    return [claim for claim in claims if id(claim) not in done]


def _take_batch(known: Candidates, claim: Claim, alive: Sequence[Target], batch: str, rule: str) -> bool:
    total = sum(known.open[target.id] for target in alive)
    fee = -claim.amount_minor - total
    if fee and fee not in known.fees(claim):
        return False
    for target in alive:
        evidence: Evidence = {"batch": batch, "amount": "sum_equal" if not fee else "sum_with_fee", "payouts": len(alive)}
        known.take(claim, target, known.open[target.id], "full", rule, evidence, fee_minor=fee)
        fee = 0  # the fee is the line's, not each payout's
    return True


def match_cheques(known: Candidates, claims: list[Claim], rivals: Sequence[Claim]) -> list[Claim]:
    """Match lines that show the number and the amount of one cheque, where no other line shows both.

    A line that shows those of a voided cheque is put before a person: what it was for is owed again, and may be paid again.
    """
    if not known.by_cheque:
        return claims
    amounts = known.cheque_amounts
    shown: dict[UUID, set[int]] = defaultdict(set)
    named: dict[int, list[Target]] = {}
    voided: dict[int, list[Target]] = {}
    for claim in (*claims, *rivals):
        if claim.sign < 0 and -claim.amount_minor in amounts:
            keys = ((number, -claim.amount_minor) for number in cheque_numbers(claim.text))
            found = [each for key in keys for each in known.by_cheque.get(key, ())]
            named[id(claim)] = [each for each in found if each.id in known.open]
            voided[id(claim)] = [each for each in found if known.state[each.id] == "dead"]
            for target in named[id(claim)]:
                shown[target.id].add(id(claim))
    left = []
    for claim in claims:
        targets = named.get(id(claim), [])
        alone = len(targets) == 1 and shown[targets[0].id] == {id(claim)} and not claim.references
        if not alone or (claim.line_id, targets[0].id) in known.dismissed or claim.booked_on < targets[0].since:
            dead = [each for each in voided.get(id(claim), ()) if (claim.line_id, each.id) not in known.dismissed]
            if targets or not dead:
                left.append(claim)
                continue
            evidence = known.evidence(claim, dead[0]) | {"cheque": dead[0].cheque, "amount": "equal", "note": "dead"}
            known.offer(claim, dead[0], "alarm", "cheque", evidence)
            continue
        evidence = known.evidence(claim, targets[0]) | {"cheque": targets[0].cheque, "amount": "equal"}
        known.take(claim, targets[0], known.open[targets[0].id], "full", "cheque", evidence)
    return left
