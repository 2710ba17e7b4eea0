"""Rule 7: payouts that came back (E43)."""

from market.statements.rules.candidates import MAX_SUGGESTIONS, SIGNS, Candidates
from market.statements.rules.claims import Claim, Evidence, similar_names


def comes_back(known: Candidates, claim: Claim) -> bool:
    """Return whether a credit is a return: marked as one, or with the reference of a payout and nothing else of ours."""
    if claim.sign < 0 or claim.returned:
        return claim.sign > 0
    named = known.named(claim)
    return len(named) == 1 == len(claim.references) and named[0].kind == "payout"


def match_return(known: Candidates, claim: Claim) -> None:
    """A payout that came back (E43): its reference on a credit marked as return, or a second sign on one that is not."""
    named = [target for target in known.named(claim) if target.kind == "payout"]
    if len(named) != 1:
        suggest_return(known, claim)
        return
    target = named[0]
    kept = target.amount_minor - claim.amount_minor
    evidence = known.evidence(claim, target) | {"reference": "equal", "reason": claim.return_reason}
    evidence["amount"] = "equal" if not kept else "less_kept_fee"
    settled = known.state[target.id] == "settled"
    marked = claim.returned or {"account", "name"} & evidence.keys()
    if marked and settled and (kept == 0 or kept in known.fees(claim)):
        known.end(target, "returned")
        known._add(claim, target, claim.amount_minor, "return", "return", True, evidence, fee_minor=kept)
    else:
        note: Evidence = {} if settled else {"note": known.state[target.id]}
        known.offer(claim, target, "return", "return", evidence | note, fee_minor=max(kept, 0))


def suggest_return(known: Candidates, claim: Claim) -> None:
    """Put before a person what was settled with this amount and went to this account, or, of a return, to this name.

    Of a credit that nothing marks as a return the account alone tells.
    """
    candidates = [
        target
        for target in known.by_amount.get(SIGNS["payout"] * claim.amount_minor, ())
        if target.kind == "payout"
        and known.state[target.id] == "settled"
        and ((claim.account and target.account == claim.account) or (claim.returned and similar_names(target.name, claim.name)))
    ]
    for target in candidates[:MAX_SUGGESTIONS]:
        evidence = known.evidence(claim, target) | {"amount": "equal", "reason": claim.return_reason}
        known.offer(claim, target, "return", "return", evidence)
