"""Rule 1 where nothing is left to weigh: a debit that names one payout, for exactly its amount, and no other line names it.

Most lines are such. They are matched before any other rule is asked, over all open lines at once, which the database does
by sets (`service.exact`); this is what it must answer.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from market.statements.rules.claims import Claim, Evidence, Target

STALE = timedelta(days=14)
"""After so long a reference may have been copied from an earlier payment: it needs to be the only candidate, and exact."""

RULE = "reference"


def exact_pairs(
    claims: Sequence[Claim], by_reference: Mapping[str, Target], *, dismissed: Collection[tuple[UUID, UUID]] = ()
) -> list[tuple[Claim, Target]]:
    """Return the lines that name one open payout and are its amount, while no other debit among `claims` names it."""
    named = Counter(reference for claim in claims if claim.sign < 0 for reference in set(claim.references))
    found = []
    for claim in claims:
        if claim.part or claim.sign > 0 or claim.returned or len(claim.references) != 1 or named[claim.references[0]] > 1:
            continue
        target = by_reference.get(claims_reference := claim.references[0])
        if target is None or target.kind != "payout" or target.state != "open" or target.reference != claims_reference:
            continue
        fits = target.amount_minor == -claim.amount_minor and claim.booked_on <= target.since + STALE
        if fits and (claim.line_id, target.id) not in dismissed:
            found.append((claim, target))
    return found


def exact_evidence(claim: Claim, target: Target) -> Evidence:
    """Return why such a pair is one."""
    evidence: Evidence = {"days": (claim.booked_on - target.since).days, "reference": "equal", "amount": "equal"}
    return evidence | ({"account": "equal"} if claim.account and claim.account == target.account else {})
