"""A payout of the card processor and the bank line in which it arrives are one transfer between two accounts (rule 8, E04).

The processor's side is matched to `sweep_transit` by its own lines; here the bank's side finds it: by the trace that the
processor gave the payout, or by amount, day and the processor's name where each is the other's only candidate.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from market.statements.rules.claims import Claim, Evidence, Proposal

RULE = "sweep"
TRANSIT = "sweep_transit"
ARRIVES = timedelta(days=7)
"""So long after the processor booked it a payout may take, holidays included."""

_PROCESSOR = re.compile(r"\bstripe\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sweep:
    """A payout of the processor to the bank. `id` names the pair of it and a line that somebody rejected."""

    id: UUID
    payout: str
    amount_minor: int
    booked_on: date

    @property
    def trace(self) -> str:
        """Return the part of the payout's id that banks show."""
        return self.payout.upper()[-16:]


def propose_sweeps(
    claims: Iterable[Claim], proposals: Sequence[Proposal], sweeps: Sequence[Sweep], dismissed: frozenset[tuple[UUID, UUID]]
) -> list[Proposal]:
    """Return proposals for credits that are payouts of the processor; automatic where a second sign agrees with the amount."""
    if not sweeps:
        return []
    matched = {proposal.line_id for proposal in proposals if proposal.automatic}
    fitting: list[tuple[Claim, Sweep]] = []
    for claim in claims:
        if claim.sign > 0 and not claim.part and not claim.references and claim.line_id not in matched:
            fitting += [(claim, sweep) for sweep in sweeps if _fits(claim, sweep) and (claim.line_id, sweep.id) not in dismissed]
    rivals: dict[UUID, int] = defaultdict(int)
    for claim, sweep in fitting:
        rivals[claim.line_id] += 1
        rivals[sweep.id] += 1
    found = []
    for claim, sweep in fitting:
        traced = sweep.trace in re.sub(r"\W+", "", claim.text).upper()
        named = bool(_PROCESSOR.search(f"{claim.name} {claim.text}"))
        only = rivals[claim.line_id] == rivals[sweep.id] == 1
        if traced or named or only:
            evidence: Evidence = {
                "bank_payout": sweep.payout,
                "amount": "equal",
                "days": (claim.booked_on - sweep.booked_on).days,
            }
            certain = only and (traced or named)
            if not only:
                evidence["note"] = "several_candidates"
            found.append(
                Proposal(
                    claim.line_id, 0, "account", None, claim.amount_minor, "full", RULE, certain, evidence, account_code=TRANSIT
                )
            )
    return _one_each(found)


def _fits(claim: Claim, sweep: Sweep) -> bool:
    return claim.amount_minor == sweep.amount_minor and sweep.booked_on <= claim.booked_on <= sweep.booked_on + ARRIVES


def _one_each(found: Sequence[Proposal]) -> list[Proposal]:
    """Of several candidates a person sees one suggestion: the account is the same, whichever payout it was."""
    return list({proposal.line_id: proposal for proposal in found}.values())
