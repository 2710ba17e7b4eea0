"""The rules of matching, one by one, and together against noise with known truth (money.md 8.1, 8.4)."""

import random
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest

from bench.statement_files import make_files, measure_files
from bench.statement_noise import make_noise, measure
from market.kernel.references import Kind, reference
from market.statements.rules.claims import Claim, Proposal, Target, claims_of, similar_names
from market.statements.rules.matching import Matcher, propose

DAY = date(2026, 3, 2)
IBAN = "NL91ABNA0417164300"
PAYOUT = Target("payout", UUID(int=1), reference(Kind.PAYOUT, 1), 7200, DAY, "open", IBAN, "Ana Uwase", ("RUN-1",))
PAYMENT = Target("payment", UUID(int=2), reference(Kind.PAYMENT, 2), 10_000, DAY, "open", "", "Béla Kovács")
OUT = Claim(UUID(int=11), DAY + timedelta(days=1), -7200, references=(PAYOUT.reference,))
IN = Claim(UUID(int=12), DAY + timedelta(days=1), 10_000, references=(PAYMENT.reference,))
RETURN = Claim(UUID(int=13), DAY + timedelta(days=3), 7200, references=(PAYOUT.reference,), returned=True, return_reason="AC04")


def only(*claims: Claim, targets: tuple[Target, ...] = (PAYOUT, PAYMENT), **options: object) -> Proposal:
    (proposal,) = propose(claims, targets, **options)  # type: ignore[arg-type]
    return proposal


@pytest.mark.parametrize(("claim", "target"), [(OUT, PAYOUT), (IN, PAYMENT)])
def test_reference_and_amount_match_by_themselves(claim: Claim, target: Target) -> None:
    proposal = only(claim)
    assert (proposal.target_id, proposal.automatic, proposal.rule) == (target.id, True, "reference")
    assert proposal.amount_minor == target.amount_minor
    assert proposal.evidence == {"days": 1, "reference": "equal", "amount": "equal"}


def test_a_known_fee_on_top_is_the_banks() -> None:
    claim = replace(OUT, amount_minor=-7215)
    assert not only(claim).automatic
    proposal = only(claim, known_fees=frozenset({15}))
    assert (proposal.automatic, proposal.amount_minor, proposal.fee_minor) == (True, 7200, 15)
    assert only(replace(claim, charges_minor=15)).fee_minor == 15


def test_a_smaller_payment_needs_a_second_sign() -> None:
    claim = replace(IN, amount_minor=6000)
    assert not only(claim).automatic
    proposal = only(replace(claim, name="KOVACS BELA"))
    assert (proposal.automatic, proposal.kind, proposal.amount_minor) == (True, "partial", 6000)


def test_two_parts_complete_a_payment() -> None:
    first = replace(IN, amount_minor=6000, name="Béla Kovács")
    second = replace(IN, line_id=UUID(int=20), amount_minor=4000, booked_on=DAY + timedelta(days=2))
    assert [(p.kind, p.automatic) for p in propose([second, first], [PAYMENT])] == [("partial", True), ("full", True)]


def test_a_larger_payment_and_a_smaller_payout_are_for_a_person() -> None:
    assert not only(replace(IN, amount_minor=10_250)).automatic
    assert not only(replace(OUT, amount_minor=-7000)).automatic


def test_the_second_line_for_one_reference_is_a_duplicate() -> None:
    again = replace(OUT, line_id=UUID(int=21), booked_on=DAY + timedelta(days=2))
    first, second = propose([again, OUT], [PAYOUT])
    assert (first.automatic, second.automatic, second.kind) == (True, False, "duplicate")
    assert second.line_id == again.line_id


@pytest.mark.parametrize(("state", "kind"), [("settled", "duplicate"), ("dead", "alarm"), ("returned", "duplicate")])
def test_a_debit_for_a_payout_that_is_not_open_is_never_automatic(state: str, kind: str) -> None:
    proposal = only(OUT, targets=(replace(PAYOUT, state=state),))
    assert (proposal.automatic, proposal.kind) == (False, kind)


def test_several_references_in_one_line_match_only_when_they_are_all_open_and_exactly_the_sum() -> None:
    other = replace(PAYMENT, id=UUID(int=3), reference=reference(Kind.PAYMENT, 3), amount_minor=500)
    both = replace(IN, amount_minor=10_500, references=(PAYMENT.reference, other.reference))
    proposals = propose([both], [PAYMENT, other])
    assert [(p.automatic, p.amount_minor) for p in proposals] == [(True, 10_000), (True, 500)]
    for less in (replace(both, amount_minor=10_400), replace(both, references=(*both.references, "RF471000000999"))):
        assert not any(p.automatic for p in propose([less], [PAYMENT, other]))
    assert not any(p.automatic for p in propose([both], [PAYMENT, replace(other, state="settled")]))


def test_a_batch_is_matched_by_its_id_with_the_exact_sum() -> None:
    targets = [replace(PAYOUT, id=UUID(int=n), reference=reference(Kind.PAYOUT, n), amount_minor=n * 100) for n in (30, 40, 50)]
    claim = replace(OUT, references=(), batches=("RUN-1",), amount_minor=-12_000)
    proposals = propose([claim], targets)
    assert {p.target_id for p in proposals} == {t.id for t in targets}
    assert all(p.automatic for p in proposals)
    with_fee = propose([replace(claim, amount_minor=-12_015)], targets, known_fees=frozenset({15}))
    assert [p.fee_minor for p in with_fee] == [15, 0, 0]
    assert not any(p.automatic for p in propose([replace(claim, amount_minor=-12_001)], targets))


def test_of_a_batch_that_a_bank_paid_in_part_the_payouts_that_are_the_sum_are_put_before_a_person() -> None:
    targets = [
        replace(PAYOUT, id=UUID(int=n), reference=reference(Kind.PAYOUT, n), amount_minor=n * 100) for n in (30, 40, 50, 80)
    ]
    claim = replace(OUT, references=(), batches=("RUN-1",), amount_minor=-9_000)
    found = propose([claim], targets)
    assert [(p.target_id, p.amount_minor, p.automatic) for p in found] == [(UUID(int=n), n * 100, False) for n in (40, 50)]
    assert propose([replace(claim, batch_count=3)], targets) == []
    assert propose([replace(claim, amount_minor=-8_000)], targets) != []  # one alone, or 30 and 50: the amount is left to speak
    assert {p.rule for p in propose([replace(claim, amount_minor=-8_000)], targets)} == {"amount_day_name"}


def test_of_a_large_batch_the_few_that_the_bank_paid_or_left_out_tell_which_it_was() -> None:
    chance = random.Random(7)
    many = [chance.randrange(1_000, 90_000) for _ in range(40)]
    targets = [
        replace(PAYOUT, id=UUID(int=n + 1), reference=reference(Kind.PAYOUT, n + 1), amount_minor=minor)
        for n, minor in enumerate(many)
    ]

    def paid(*places: int, **facts: int) -> set[int]:
        total = -sum(many[place] for place in places)
        found = propose([replace(OUT, references=(), account="", batches=("RUN-1",), amount_minor=total, **facts)], targets)
        assert not any(p.automatic for p in found)
        return {p.target_id.int - 1 for p in found if p.target_id and p.evidence["note"] == "sum_of_several"}

    left_out = [place for place in range(40) if place not in (3, 17)]
    assert paid(*left_out) == set(left_out)
    assert paid(5, 38, batch_count=2) == {5, 38}
    half = list(range(0, 40, 2))
    assert paid(*half) == set()
    claim = replace(OUT, references=(), account="", batches=("RUN-1",), amount_minor=-sum(many[place] for place in half))
    assert {p.evidence["note"] for p in propose([claim], targets)} == {"several_candidates"}
    assert len(propose([claim], targets)) == 40, "a person says which"
    assert len({p.rule for p in propose([claim], targets)} | {"batch"}) == 1


def test_a_batch_without_id_needs_a_total_that_only_one_file_has() -> None:
    targets = [replace(PAYOUT, id=UUID(int=n), reference=reference(Kind.PAYOUT, n), amount_minor=n * 100) for n in (30, 40)]
    claim = replace(OUT, references=(), amount_minor=-7000, batch_count=2)
    assert all(p.automatic for p in propose([claim], targets))
    assert all(p.automatic for p in propose([replace(claim, batch_count=0, text="SEPA file")], targets))
    assert not any(p.automatic for p in propose([replace(claim, batch_count=3)], targets))
    assert not any(p.automatic for p in propose([claim, replace(claim, line_id=UUID(int=9))], targets))
    rival = replace(targets[0], id=UUID(int=60), reference=reference(Kind.PAYOUT, 60), amount_minor=7000, batches=("RUN-2",))
    assert not any(p.automatic for p in propose([claim], [*targets, rival]))


def test_parts_that_add_up_are_matched_one_by_one() -> None:
    other = replace(PAYOUT, id=UUID(int=5), reference=reference(Kind.PAYOUT, 5), amount_minor=2800)
    whole = replace(OUT, references=(), amount_minor=-10_000, batches=("RUN-1",))
    parts = [replace(OUT, part=1), replace(OUT, part=2, amount_minor=-2800, references=(other.reference,))]
    proposals = propose(claims_of(whole, parts), [PAYOUT, other])
    assert [(p.part, p.target_id, p.automatic) for p in proposals] == [(1, PAYOUT.id, True), (2, other.id, True)]
    assert claims_of(whole, parts[:1]) == [whole]


def test_amount_and_account_match_only_when_unique_both_ways() -> None:
    claim = replace(OUT, references=(), account=IBAN)
    assert (only(claim).rule, only(claim).automatic) == ("account_amount", True)
    twin = replace(PAYOUT, id=UUID(int=6), reference=reference(Kind.PAYOUT, 6))
    assert not any(p.automatic for p in propose([claim], [PAYOUT, twin]))
    assert not any(p.automatic for p in propose([claim, replace(claim, line_id=UUID(int=7))], [PAYOUT]))
    assert not any(p.automatic for p in propose([claim], [PAYOUT], rivals=[replace(claim, line_id=UUID(int=8))]))
    assert not any(p.automatic for p in propose([replace(claim, booked_on=DAY + timedelta(days=8))], [PAYOUT]))
    assert not any(p.automatic for p in propose([replace(claim, booked_on=DAY - timedelta(days=1))], [PAYOUT]))
    assert not any(p.automatic for p in propose([replace(claim, references=(reference(Kind.PAYOUT, 99),))], [PAYOUT]))


def test_a_line_that_a_person_decides_about_is_a_rival_too() -> None:
    claim = replace(OUT, references=(), account=IBAN)
    old = replace(PAYOUT, id=UUID(int=6), reference=reference(Kind.PAYOUT, 6), since=DAY - timedelta(days=40), amount_minor=9)
    copied = replace(claim, line_id=UUID(int=7), references=(old.reference,))  # last month's reference again
    assert not any(p.automatic for p in propose([claim, copied], [PAYOUT, old]))
    nameless = replace(claim, line_id=UUID(int=7), account="", name="")
    assert not any(p.automatic for p in propose([claim, nameless], [PAYOUT]))
    assert not any(p.automatic for p in propose([claim, replace(nameless, name=PAYOUT.name)], [PAYOUT]))
    assert any(p.automatic for p in propose([claim, replace(nameless, name="Somebody Else")], [PAYOUT]))


def test_a_known_fee_on_top_needs_the_account_where_no_reference_is_left() -> None:
    claim, fees = replace(OUT, references=(), account=IBAN, amount_minor=-7215), frozenset({15})
    proposal = only(claim, known_fees=fees)
    assert (proposal.rule, proposal.automatic, proposal.amount_minor, proposal.fee_minor) == ("account_amount", True, 7200, 15)
    twin = replace(PAYOUT, id=UUID(int=6), reference=reference(Kind.PAYOUT, 6), amount_minor=7215 - 30)
    assert not any(p.automatic for p in propose([claim], [PAYOUT, twin], known_fees=frozenset({15, 30})))
    without_fee = replace(claim, line_id=UUID(int=7), amount_minor=-7200)
    assert not any(p.automatic and p.fee_minor for p in propose([claim, without_fee], [PAYOUT], known_fees=fees))


def test_a_debit_without_account_needs_the_whole_name_and_an_amount_of_its_own() -> None:
    claim = replace(OUT, references=(), account="", name=f"Mrs {PAYOUT.name.upper()}")
    assert (only(claim).rule, only(claim).automatic) == ("name_amount", True)
    assert not only(replace(claim, name=PAYOUT.name.split()[0])).automatic
    other = replace(PAYOUT, id=UUID(int=6), reference=reference(Kind.PAYOUT, 6), name="Somebody Else", account="")
    assert not any(p.automatic for p in propose([claim], [PAYOUT, other]))
    stranger = replace(claim, line_id=UUID(int=7), name="Somebody Else", account="DE1")
    assert not any(p.automatic for p in propose([claim, stranger], [PAYOUT]))
    assert not any(p.automatic for p in propose([claim], [PAYOUT], rivals=[stranger]))


def test_a_credit_with_the_reference_of_a_payout_came_back_also_when_the_bank_does_not_say_so() -> None:
    settled = replace(PAYOUT, state="settled")
    unmarked = replace(RETURN, returned=False, return_reason="", account=PAYOUT.account)
    assert (only(unmarked, targets=(settled,)).kind, only(unmarked, targets=(settled,)).automatic) == ("return", True)
    assert not only(replace(unmarked, account="", name="Somebody Else"), targets=(settled,)).automatic
    assert not only(unmarked).automatic


def test_a_return_reopens_the_settled_payout_once() -> None:
    settled = replace(PAYOUT, state="settled")
    proposal = only(RETURN, targets=(settled,))
    assert (proposal.kind, proposal.automatic, proposal.evidence["reason"]) == ("return", True, "AC04")
    kept = only(replace(RETURN, amount_minor=7185), targets=(settled,), known_fees=frozenset({15}))
    assert (kept.automatic, kept.amount_minor, kept.fee_minor) == (True, 7185, 15)
    assert not only(replace(RETURN, amount_minor=7000), targets=(settled,)).automatic
    again = propose([RETURN, replace(RETURN, line_id=UUID(int=14))], [settled])
    assert [p.automatic for p in again] == [True, False]


def test_a_return_in_the_same_file_as_its_payout_is_recognised() -> None:
    assert [p.kind for p in propose([RETURN, OUT], [PAYOUT])] == ["full", "return"]


def test_a_return_of_a_payout_that_never_left_is_for_a_person() -> None:
    assert not only(RETURN).automatic
    assert not only(replace(RETURN, references=(), account=IBAN), targets=(replace(PAYOUT, state="settled"),)).automatic


def test_names_and_sums_only_suggest() -> None:
    proposal = only(replace(IN, references=(), name="Bela KOVACS"))
    assert (proposal.rule, proposal.automatic, proposal.evidence["name"]) == ("amount_day_name", False, "similar")
    twins = [replace(PAYOUT, id=UUID(int=n), reference=reference(Kind.PAYOUT, n), amount_minor=n) for n in (30, 40)]
    proposals = propose([replace(OUT, references=(), account=IBAN, amount_minor=-70)], twins)
    assert [(p.rule, p.automatic, p.amount_minor) for p in proposals] == [("sum", False, 30), ("sum", False, 40)]


def test_bank_charges_are_suggested_as_fee() -> None:
    proposal = only(Claim(UUID(int=30), DAY, -12, bank_code="PMNT/ICDT/CHRG"))
    assert (proposal.kind, proposal.target_id, proposal.automatic) == ("fee", None, False)


def test_a_rejected_pair_is_not_proposed_again() -> None:
    rejected = frozenset({(OUT.line_id, PAYOUT.id)})
    assert propose([OUT], [PAYOUT], dismissed=rejected) == []


def test_names_agree_without_accents_and_order() -> None:
    assert similar_names("Désirée Uwase-Peña", "PENA UWASE DESIREE")
    assert not similar_names("Ana Uwase", "Ana Santos Vargas")
    assert not similar_names("", "")


@pytest.mark.parametrize("seed", [20260301, 20260302])
def test_gate_automatic_matches_are_right_and_frequent(seed: int) -> None:
    score = measure(make_noise(seed, 10_000))
    assert score.precision >= 0.9999, score
    assert score.recall >= 0.95, score


def test_where_everything_is_there_twice_only_a_reference_makes_a_match() -> None:
    """Each target has a twin with its own reference: same amount, account, name, day. A line that names neither is for a person."""
    noise = make_noise(20260405, 1_500)
    twins = [
        replace(each, id=UUID(int=each.id.int ^ 1), reference=reference(Kind[each.kind.upper()], 10**8 + n), batches=())
        for n, each in enumerate(noise.targets)
    ]
    certain = [each for each in propose(noise.claims, [*noise.targets, *twins], known_fees=noise.known_fees) if each.automatic]
    silent = {(claim.line_id, claim.part) for claim in noise.claims if not claim.references and not claim.batches}
    found = [each for each in certain if (each.line_id, each.part) in silent and each.rule not in ("batch_total", "return")]
    assert len(silent) > 300
    assert found == []
    assert {each.target_id for each in certain}.isdisjoint(twin.id for twin in twins)


def test_what_ended_long_ago_may_be_forgotten_as_long_as_it_can_be_asked_for() -> None:
    """Month by month, with the payouts of the month and what lines name beside, the same is certain as with all at once."""
    noise = make_noise(20260404, 2_000, days=330)
    months = [[claim for claim in noise.claims if claim.booked_on.month == month] for month in range(1, 13)]
    whole, narrow = (Matcher((), known_fees=noise.known_fees) for _ in range(2))
    whole.add(noise.targets)
    certain: list[list[Proposal]] = [[], []]
    ended: dict[UUID, str] = {}
    largest = 0
    for month, claims in enumerate(months, start=1):
        narrow.begin_span()
        named = {reference for claim in claims for reference in claim.references if not narrow.knows(reference)}
        back = {claim.amount_minor for claim in claims if claim.returned and not claim.references}
        narrow.add(target for target in noise.targets if target.since.month == month)
        asked = [target for target in noise.targets if target.reference in named or target.amount_minor in back]
        narrow.add(replace(target, state=ended[target.id]) for target in asked if target.id in ended)
        for matcher, found in zip((whole, narrow), certain, strict=True):
            found += [proposal for proposal in matcher.propose(claims) if proposal.automatic]
        ended |= {each.target_id: "returned" if each.kind == "return" else "settled" for each in certain[1] if each.target_id}
        largest = max(largest, len(narrow.state))
    assert certain[0] == certain[1]
    assert len(certain[0]) > 1_500
    assert largest < len(noise.targets) / 2


def test_gate_on_files_of_another_generator() -> None:
    score, missed = measure_files(make_files(20260303, 6_000))
    assert score.precision >= 0.9999, score
    assert score.recall >= 0.95, (score, missed)


CHEQUE = Target("payout", UUID(int=3), reference(Kind.PAYOUT, 3), 7200, DAY, name="Jean", cheque="000471")


@pytest.mark.parametrize("text", ["CHQ 000471", "Cheque No. 471", "0000471"])
def test_a_cheque_is_known_by_its_number_and_amount(text: str) -> None:
    proposal = only(Claim(UUID(int=11), DAY + timedelta(days=60), -7200, text=text), targets=(CHEQUE,))
    assert (proposal.automatic, proposal.rule, proposal.evidence["cheque"]) == (True, "cheque", "000471")


@pytest.mark.parametrize(
    "claims",
    [
        [Claim(UUID(int=11), DAY, -7200, text="CHQ 472")],
        [Claim(UUID(int=11), DAY, -7201, text="CHQ 471")],
        [Claim(UUID(int=11), DAY, 7200, text="CHQ 471")],
        [Claim(UUID(int=11), DAY - timedelta(days=1), -7200, text="CHQ 471")],
        [Claim(UUID(int=11), DAY, -7200, text="CHQ 471"), Claim(UUID(int=12), DAY, -7200, text="CHQ 471 second time")],
    ],
    ids=["other number", "other amount", "came in", "before it was issued", "twice"],
)
def test_a_doubtful_cheque_is_left_to_people(claims: list[Claim]) -> None:
    assert not [one for one in propose(claims, (CHEQUE,)) if one.automatic]
    assert not [one for one in propose(claims, (replace(CHEQUE, state="dead"),)) if one.automatic]


def test_a_number_that_two_cheques_have_is_ambiguous() -> None:
    other = replace(CHEQUE, id=UUID(int=4), reference=reference(Kind.PAYOUT, 4), cheque="0471")
    assert not [one for one in propose([Claim(UUID(int=11), DAY, -7200, text="471")], (CHEQUE, other)) if one.automatic]
