"""The state table of payouts against the sentences of money.md 6.1."""

import pytest

from market.kernel.languages import tell
from market.payouts.errors import StepRefused
from market.payouts.rules.states import FINAL, IN_TRANSIT, STANDS, TRANSITIONS, WHEN, State, Step, is_final, transition

HAPPY_PATH = [
    (State.DRAFT, Step.APPROVE, State.APPROVED),
    (State.APPROVED, Step.QUEUE, State.QUEUED),
    (State.QUEUED, Step.CLAIM, State.SENDING),
    (State.SENDING, Step.ACCEPT, State.SENT),
    (State.SENT, Step.SETTLE, State.SETTLED),
]


@pytest.mark.parametrize(("state", "step", "target"), HAPPY_PATH)
def test_a_payout_walks_from_draft_to_settled(state: State, step: Step, target: State) -> None:
    assert transition(state, step).target is target


@pytest.mark.parametrize("state", sorted(FINAL))
@pytest.mark.parametrize("step", sorted(set(Step) - {Step.STAY_PAID}))
def test_nothing_happens_to_a_final_payout(state: State, step: Step) -> None:
    assert is_final(state)
    with pytest.raises(StepRefused):
        transition(state, step)


def test_only_a_return_is_taken_back_and_then_the_payout_is_paid_as_before() -> None:
    assert TRANSITIONS[Step.STAY_PAID].sources == {State.RETURNED}
    assert transition(State.RETURNED, Step.STAY_PAID).target is State.SETTLED


@pytest.mark.parametrize("state", [State.SENDING, State.SENT, State.UNKNOWN, State.SETTLED])
def test_a_payout_that_may_have_had_an_effect_is_never_cancelled(state: State) -> None:
    with pytest.raises(StepRefused):
        transition(state, Step.CANCEL)


def test_payables_become_free_exactly_where_the_money_did_not_stay_with_the_payee() -> None:
    assert {row.target for row in TRANSITIONS.values() if row.frees} == FINAL


def test_each_way_out_of_transit_posts_or_gives_back() -> None:
    """Money in transit was posted (E18); leaving it without a posting would leave the books wrong."""
    for step, row in TRANSITIONS.items():
        leaves = row.sources & IN_TRANSIT and row.target not in IN_TRANSIT
        assert not leaves or row.posts in {"E19", "E42", "E46"}, step


def test_every_state_is_reached_and_each_refusal_says_where_the_payout_stands_and_what_is_possible() -> None:
    assert {row.target for row in TRANSITIONS.values()} | {State.DRAFT} == set(State)
    for step, row in TRANSITIONS.items():
        for state in set(State) - row.sources:
            with pytest.raises(StepRefused) as refusal:
                transition(state, step)
            assert refusal.value.detail == f"{STANDS[state]} {WHEN[step]}"
            assert tell(refusal.value.detail, "sw").count(".") == refusal.value.detail.count(".") > 1
