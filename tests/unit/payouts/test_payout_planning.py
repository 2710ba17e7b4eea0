"""Planning: one payout per payee and currency, nobody forgotten, claims netted within their cap."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.payouts.rules.planning import Details, Due, list_sha256, make_plan, totals, why_not

A, B, C = (UUID(int=number) for number in (1, 2, 3))
SEPA = Details(
    account_id="1", rail="sepa", currency="EUR", holder="Ana Ruiz", iban="ES9121000418450200051332", town="Vigo", country="ES"
)
CASH = Details(account_id="2", rail="cash", currency="RWF", holder="Jean", country="RW")


def test_one_payout_per_payee_and_currency_in_a_fixed_order() -> None:
    due = [Due(UUID(int=12), B, "RWF", 100), Due(UUID(int=11), A, "EUR", 5), Due(UUID(int=10), A, "EUR", 7)]
    plan = make_plan(due, details={(A, "EUR"): SEPA, (B, "RWF"): CASH}, claims={})
    assert [(row.payee_id, row.amount_minor) for row in plan.payouts] == [(A, 12), (B, 100)]
    assert plan.payouts[0].payables == ((UUID(int=10), 7), (UUID(int=11), 5))
    assert totals(plan.payouts) == {"sepa": {"EUR": [1, 12]}, "cash": {"RWF": [1, 100]}}


def test_a_payee_without_an_account_waits_visibly() -> None:
    plan = make_plan([Due(UUID(int=1), C, "EUR", 9)], details={}, claims={})
    assert plan.payouts == ()
    assert (plan.skipped[0].amount_minor, plan.skipped[0].payables) == (9, (UUID(int=1),))
    assert "second person" in plan.skipped[0].reason


@pytest.mark.parametrize(("claim", "deducted"), [(0, 0), (30, 30), (50, 50), (720, 50)])
def test_a_claim_is_netted_up_to_half(claim: int, deducted: int) -> None:
    plan = make_plan([Due(UUID(int=1), A, "EUR", 101)], details={(A, "EUR"): SEPA}, claims={(A, "EUR"): claim})
    assert (plan.payouts[0].deducted_minor, plan.payouts[0].amount_minor) == (deducted, 101 - deducted)


@pytest.mark.parametrize(
    ("details", "words"),
    [
        (replace(SEPA, currency="RWF"), "carries euros"),
        (replace(SEPA, iban="ES9121000418450200051333"), "check digits"),
        (replace(SEPA, iban="MU17BOMM0101101030300200000MUR"), "does not reach MU"),
        (replace(SEPA, holder="x" * 71), "1 to 70"),
        (replace(SEPA, holder="አበበ"), "Latin"),
        (replace(SEPA, town="x" * 36), "longer than"),
        (replace(SEPA, rail="stripe"), "acct_"),
    ],
)
def test_details_that_cannot_be_paid_to_say_why(details: Details, words: str) -> None:
    assert words in (why_not(details, "EUR") or "")


def test_the_fingerprint_changes_with_anything_that_a_person_approves() -> None:
    due = [Due(UUID(int=1), A, "EUR", 101)]
    plan = make_plan(due, details={(A, "EUR"): SEPA}, claims={})
    prints = {
        list_sha256(plan.payouts),
        list_sha256(make_plan([replace(due[0], amount_minor=102)], details={(A, "EUR"): SEPA}, claims={}).payouts),
        list_sha256(make_plan(due, details={(A, "EUR"): replace(SEPA, holder="Eva")}, claims={}).payouts),
        list_sha256(make_plan(due, details={(A, "EUR"): SEPA}, claims={(A, "EUR"): 1}).payouts),
    }
    assert len(prints) == 4


@given(st.lists(st.tuples(st.sampled_from([A, B, C]), st.sampled_from(["EUR", "RWF"]), st.integers(1, 10**9))))
def test_every_payable_is_in_exactly_one_place_and_no_money_is_lost(rows: list[tuple[UUID, str, int]]) -> None:
    due = [Due(UUID(int=n), payee, currency, minor) for n, (payee, currency, minor) in enumerate(rows)]
    plan = make_plan(due, details={(A, "EUR"): SEPA, (B, "RWF"): CASH}, claims={(A, "EUR"): 77})
    placed = [one for row in plan.payouts for one, _ in row.payables] + [one for row in plan.skipped for one in row.payables]
    assert sorted(placed) == sorted(one.id for one in due)
    out = sum(row.amount_minor + row.deducted_minor for row in plan.payouts) + sum(row.amount_minor for row in plan.skipped)
    assert out == sum(one.amount_minor for one in due)
