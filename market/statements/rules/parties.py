"""Rules 3 and 4: lines without a reference, by amount with account, with account and a known fee, or with the whole name."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from market.statements.rules.candidates import Candidates, in_window
from market.statements.rules.claims import Claim, Evidence, Target, same_name, similar_names


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


def match_by_party(known: Candidates, claims: list[Claim], rivals: Sequence[Claim]) -> list[Claim]:
    """Match by amount and account, then with a known fee, then by amount and name: what is unique both ways.

    `rivals` are lines about which another rule, or a person, decides.
    """
    lines = Lines((*claims, *rivals))
    for rule in (_account_amount, _account_fee, _name_amount):
        claims = [claim for claim in claims if claim.references or not rule(known, claim, lines)]
    return claims


def _account_amount(known: Candidates, claim: Claim, lines: Lines) -> bool:
    fitting = _of_party(known, claim, abs(claim.amount_minor))
    if len(fitting) != 1 or not lines.only(claim, fitting[0]):
        return False
    return _take_if_allowed(known, claim, fitting[0], "account_amount", {"amount": "equal"})


def _account_fee(known: Candidates, claim: Claim, lines: Lines) -> bool:
    """Match a debit that is what one payout to its account and a known fee come to, where nothing else comes to it."""
    if claim.sign > 0 or not claim.account:
        return False
    fees = {0, *known.fees(claim)}
    fitting = [(each, fee) for fee in fees for each in _of_party(known, claim, -claim.amount_minor - fee)]
    if len(fitting) != 1 or not fitting[0][1] or not all(lines.only(claim, fitting[0][0], more=fee) for fee in fees):
        return False
    return _take_if_allowed(known, claim, fitting[0][0], "account_amount", {"amount": "with_fee"}, fee_minor=fitting[0][1])


def _name_amount(known: Candidates, claim: Claim, lines: Lines) -> bool:
    """Match a debit without account by the payee's whole name, where no other payout and no other line has its amount."""
    if claim.sign > 0 or claim.account:
        return False
    near = known.near(claim)
    if len(near) != 1 or not same_name(claim.name, near[0].name) or not lines.alone(claim, near[0]):
        return False
    return _take_if_allowed(known, claim, near[0], "name_amount", {"amount": "equal"})


def _of_party(known: Candidates, claim: Claim, size: int) -> list[Target]:
    """Return what is open with this account for exactly this amount, and could show up on this day."""
    party = known.by_party.get((claim.sign, claim.account), ())
    return [each for each in party if each.amount_minor == size == known.open.get(each.id) and in_window(claim, each)]


def _take_if_allowed(
    known: Candidates, claim: Claim, target: Target, rule: str, evidence: Evidence, *, fee_minor: int = 0
) -> bool:
    if (claim.line_id, target.id) in known.dismissed:
        return False
    evidence = known.evidence(claim, target) | evidence
    known.take(claim, target, known.open[target.id], "full", rule, evidence, fee_minor=fee_minor)
    return True
