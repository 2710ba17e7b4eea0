"""Statement lines with known truth, as untidy as real ones (money.md 8.4).

Of the lines 15 % have no reference, 5 % a cut one, 7 % a split or lower-case one, 2 % a mistyped one; 15 % have no
account; 3 % carry a fee; 1 % of the payments come in two parts; a tenth of the payouts goes out in batches; 1 % come
back, 1 % are booked twice, 5 % are unrelated. Amounts are often round, so they collide.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from uuid import UUID

from market.kernel.references import Kind, reference
from market.statements.rules.claims import Claim, Proposal, Target, claims_of
from market.statements.rules.matching import propose
from market.statements.rules.references import find_references

FEE = 15
FIRST_DAY = date(2026, 1, 1)
_GIVEN = [
    "Aline",
    "Béata",
    "Carlos",
    "Désirée",
    "Emmanuel",
    "Fatou",
    "Grace",
    "Hêlio",
    "Inés",
    "Jean",
    "Kofi",
    "Łucja",
    "María",
    "Nadège",
    "Odile",
    "Paul",
]
_FAMILY = [
    "Mukamana",
    "Uwase",
    "García",
    "Nkurunziza",
    "Ødegaard",
    "Peña",
    "Quispe",
    "Rwanda",
    "Santos",
    "Téllez",
    "Umutoni",
    "Vargas",
    "Weiß",
    "Yáñez",
]


@dataclass
class Noise:
    """Targets, the lines about them, and for each claim what it really is (empty: nothing of ours)."""

    targets: list[Target] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    truth: dict[tuple[UUID, int], frozenset[UUID]] = field(default_factory=dict)
    known_fees: frozenset[int] = frozenset({FEE})


@dataclass(frozen=True)
class Score:
    """How automatic matching did: `wrong` claims were matched to something they are not."""

    lines: int
    right: int
    wrong: int
    expected: int

    @property
    def precision(self) -> float:
        """Return the share of automatic matches that are true."""
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        """Return the share of the lines about something of ours that were matched without a person."""
        return self.right / max(1, self.expected)


def make_noise(seed: int, things: int, *, days: int = 30) -> Noise:
    """Return lines about `things` payouts and payments spread over `days`; equal seeds give equal noise."""
    return _Maker(seed, things, days).made()


def measure(noise: Noise, proposals: list[Proposal] | None = None) -> Score:
    """Compare the automatic proposals with the truth."""
    if proposals is None:
        proposals = propose(noise.claims, noise.targets, known_fees=noise.known_fees)
    chosen: dict[tuple[UUID, int], set[UUID]] = {}
    for proposal in proposals:
        if proposal.automatic and proposal.target_id is not None:
            chosen.setdefault((proposal.line_id, proposal.part), set()).add(proposal.target_id)
    right = sum(noise.truth[key] == ids for key, ids in chosen.items())
    expected = sum(1 for ids in noise.truth.values() if ids)
    return Score(len(noise.claims), right, len(chosen) - right, expected)


class _Maker:
    def __init__(self, seed: int, things: int, days: int) -> None:
        self.random = Random(seed)
        self.things = things
        self.days = days
        self.noise = Noise()
        self.people = [self._person() for _ in range(max(20, things // 10))]

    def made(self) -> Noise:
        batch: list[Target] = []
        for number in range(1, self.things + 1):
            target = self._target(number)
            if target.kind == "payout" and self.random.random() < 0.10:
                batch.append(target)
                continue
            self.noise.targets.append(target)
            self._lines_of(target)
            if len(batch) >= self.random.randint(5, 30):
                self._batch(batch)
                batch = []
        if batch:
            self._batch(batch)
        for _ in range(self.things // 20):
            self._unrelated()
        self.random.shuffle(self.noise.claims)
        return self.noise

    def _person(self) -> tuple[str, str]:
        name = f"{self.random.choice(_GIVEN)} {self.random.choice(_FAMILY)} {self.random.choice(_FAMILY)}"
        return name, f"DE{self.random.randrange(10**20):020d}"

    def _id(self) -> UUID:
        return UUID(int=self.random.getrandbits(128))

    def _amount(self) -> int:
        if self.random.random() < 0.4:
            return self.random.randint(1, 40) * 500
        return self.random.randint(100, 90_000)

    def _target(self, number: int) -> Target:
        name, account = self.random.choice(self.people)
        kind = "payout" if self.random.random() < 0.7 else "payment"
        since = FIRST_DAY + timedelta(days=self.random.randrange(self.days))
        return Target(kind, self._id(), reference(Kind[kind.upper()], number), self._amount(), since, "open", account, name)

    def _lines_of(self, target: Target) -> None:
        chance = self.random.random()
        if chance < 0.01 and target.kind == "payment" and target.amount_minor > 1:
            first = self.random.randint(1, target.amount_minor - 1)
            self._line(target, first)
            self._line(target, target.amount_minor - first)
            return
        fee = FEE if chance > 0.97 and target.amount_minor > FEE else 0
        line = self._line(target, target.amount_minor + (fee if target.kind == "payout" else -fee))
        if self.random.random() < 0.01:
            self._add(_copied(line, self._id(), line.booked_on + timedelta(days=1)), frozenset())
        if target.kind == "payout" and self.random.random() < 0.01:
            self._return(target, line.booked_on)

    def _line(self, target: Target, amount: int) -> Claim:
        sign = -1 if target.kind == "payout" else 1
        claim = Claim(
            line_id=self._id(),
            booked_on=target.since + timedelta(days=self.random.randint(0, 5)),
            amount_minor=sign * amount,
            references=find_references(self._written(target.reference)),
            account=target.account if self.random.random() > 0.15 else "",
            name=self._spelled(target.name),
        )
        self._add(claim, frozenset({target.id}))
        return claim

    def _return(self, target: Target, paid_on: date) -> None:
        kept = self.random.choice((0, FEE)) if target.amount_minor > FEE else 0
        claim = Claim(
            line_id=self._id(),
            booked_on=paid_on + timedelta(days=self.random.randint(1, 5)),
            amount_minor=target.amount_minor - kept,
            references=find_references(self._written(target.reference)),
            account=target.account,
            name=self._spelled(target.name),
            returned=True,
            return_reason="AC04",
        )
        self._add(claim, frozenset({target.id}))

    def _batch(self, members: list[Target]) -> None:
        number = f"RUN-{self.random.randrange(10**8):08d}"
        since = members[0].since
        members = [
            Target(each.kind, each.id, each.reference, each.amount_minor, since, "open", each.account, each.name, (number,))
            for each in members
        ]
        self.noise.targets += members
        how = self.random.random()
        whole = Claim(
            line_id=self._id(),
            booked_on=since + timedelta(days=self.random.randint(0, 5)),
            amount_minor=-sum(each.amount_minor for each in members),
            batches=(number,) if how < 0.8 else (),
            batch_count=len(members),
            text="SAMMELÜBERWEISUNG",
        )
        parts = [self._part(whole, n, each) for n, each in enumerate(members, start=1)] if how < 0.6 else []
        for claim in claims_of(whole, parts):
            own = frozenset({members[claim.part - 1].id}) if claim.part else frozenset(each.id for each in members)
            self._add(claim, own)

    def _part(self, whole: Claim, n: int, target: Target) -> Claim:
        return Claim(
            line_id=whole.line_id,
            booked_on=whole.booked_on,
            amount_minor=-target.amount_minor,
            part=n,
            references=find_references(self._written(target.reference)),
            account=target.account if self.random.random() > 0.15 else "",
            name=self._spelled(target.name),
        )

    def _unrelated(self) -> None:
        name, account = self.random.choice(self.people) if self.random.random() < 0.2 else self._person()
        claim = Claim(
            line_id=self._id(),
            booked_on=FIRST_DAY + timedelta(days=self.random.randrange(self.days + 5)),
            amount_minor=self.random.choice((1, -1)) * self._amount(),
            account=account if self.random.random() > 0.15 else "",
            name=name,
            text="invoice 4711",
        )
        self._add(claim, frozenset())

    def _add(self, claim: Claim, truth: frozenset[UUID]) -> None:
        self.noise.claims.append(claim)
        self.noise.truth[claim.line_id, claim.part] = truth

    def _written(self, reference: str) -> str:
        chance = self.random.random()
        if chance < 0.15:
            return "thank you"
        if chance < 0.20:
            return f"Ref. {reference[: self.random.randint(5, 12)]}"
        if chance < 0.27:
            return self.random.choice(list(_split(reference)))
        if chance < 0.29:
            return self._mistyped(reference)
        return f"Payment {reference} of this week"

    def _mistyped(self, reference: str) -> str:
        at = self.random.randint(4, 13)
        digit = str((int(reference[at]) + self.random.randint(1, 9)) % 10)
        return reference[:at] + digit + reference[at + 1 :]

    def _spelled(self, name: str) -> str:
        match self.random.randrange(4):
            case 0:
                return name.upper()
            case 1:
                return " ".join(reversed(name.split()))
            case 2:
                return name[:18]
            case _:
                return name


def _split(reference: str) -> Iterator[str]:
    yield reference.lower()
    yield " ".join(reference[at : at + 4] for at in range(0, 14, 4))
    yield f"your {reference[:7]}\n{reference[7:]} thanks"
    yield f"{reference[:4]}-{reference[4:8].lower()}-{reference[8:]}"


def _copied(claim: Claim, line_id: UUID, booked_on: date) -> Claim:
    return Claim(
        line_id=line_id,
        booked_on=booked_on,
        amount_minor=claim.amount_minor,
        references=claim.references,
        account=claim.account,
        name=claim.name,
    )
