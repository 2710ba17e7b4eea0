"""The rules of payments, by the events of money.md 2."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.kernel.ids import new_id
from market.kernel.money import Money
from market.payments.rules import (
    OPEN,
    PAID,
    Amounts,
    PaymentPart,
    State,
    after,
    arrival,
    over_components,
    paid_moves,
    shares,
    tolerance,
)

COOP, LINE = new_id(), new_id()


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def part(goods=7200, premium=800, charges=1500, tax=500, subject=None) -> PaymentPart:
    return PaymentPart(COOP, subject or new_id(), eur(goods), eur(premium), eur(charges), eur(tax))


def said(moves) -> list[tuple[str, str, int]]:
    return [(move.debit, move.credit, move.money.minor) for move in moves]


def come(parts, amount, *, state=State.AWAITING_TRANSFER, before=0):
    return arrival(
        parts,
        state=state,
        credit_before=eur(before),
        amount=eur(amount),
        suspense="suspense:1",
        credit="buyer_credit:b",
        line=LINE,
    )


HELD = [("held:goods", 7200), ("held:premium", 800), ("held:charges", 1500), ("held:tax", 500)]


def test_e02_a_paid_card_fills_the_four_accounts():
    one = part()
    assert said(paid_moves(one, "card_clearing")) == [("card_clearing", account, minor) for account, minor in HELD]
    assert {move.subject for move in paid_moves(one, "card_clearing")} == {one.subject}


def test_e05_an_exact_transfer():
    result = come([part()], 10000)
    assert (result.state, result.credit.minor, result.written_off.minor) == (State.SUCCEEDED, 0, 0)
    assert said(result.moves) == [("suspense:1", account, minor) for account, minor in HELD]


def test_e06_a_small_shortage_is_borne_by_the_charges():
    result = come([part()], 9970)
    assert (result.state, result.written_off.minor) == (State.SUCCEEDED, 30)
    assert ("suspense:1", "held:charges", 1470) in said(result.moves)
    assert ("write_off", "held:charges", 30) in said(result.moves)
    assert ("suspense:1", "held:goods", 7200) in said(result.moves)


def test_e07_too_little_waits_as_credit_and_the_rest_completes():
    first = come([part()], 6000)
    assert (first.state, first.credit.minor, said(first.moves)) == (
        State.PART_PAID,
        6000,
        [("suspense:1", "buyer_credit:b", 6000)],
    )
    second = come([part()], 4000, state=State.PART_PAID, before=6000)
    assert second.state is State.SUCCEEDED
    assert said(second.moves) == [
        ("buyer_credit:b", "held:goods", 6000),
        ("suspense:1", "held:goods", 1200),
        ("suspense:1", "held:premium", 800),
        ("suspense:1", "held:charges", 1500),
        ("suspense:1", "held:tax", 500),
    ]


def test_e08_too_much_is_the_buyers_credit():
    result = come([part()], 10250)
    assert (result.state, result.credit.minor) == (State.SUCCEEDED, 250)
    assert said(result.moves)[-1] == ("suspense:1", "buyer_credit:b", 250)


@pytest.mark.parametrize(
    ("state", "becomes"),
    [(State.EXPIRED, State.SURPLUS), (State.CANCELLED, State.SURPLUS), (State.SUCCEEDED, State.SUCCEEDED)],
)
def test_e09_money_that_nobody_waits_for_is_credit(state, becomes):
    result = come([part()], 10000, state=state)
    assert (result.state, said(result.moves)) == (becomes, [("suspense:1", "buyer_credit:b", 10000)])


def test_a_shortage_that_the_charges_cannot_bear_is_a_part_payment():
    assert come([part(charges=10, goods=8690)], 9970).state is State.PART_PAID


@pytest.mark.parametrize(("total", "allowed"), [(10000, 50), (2000, 10), (1000000, 50), (100, 0)])
def test_the_tolerance_is_half_a_euro_or_half_a_percent(total, allowed):
    assert tolerance(eur(total)).minor == allowed


def test_parts_without_charges_need_no_share_of_a_shortage():
    assert come([part(charges=0), part(charges=0)], 17000).state is State.SUCCEEDED


def test_the_tolerance_in_a_currency_without_decimals_is_nothing():
    assert tolerance(Money(100000, "RWF")) == Money(0, "RWF")


amounts = st.builds(part, *(st.integers(0, 5000) for _ in range(3)), st.integers(1, 500))


@given(st.lists(amounts, min_size=1, max_size=4), st.integers(1, 30000), st.integers(0, 30000))
def test_every_cent_of_a_transfer_goes_somewhere_and_components_are_never_overfilled(parts, amount, before):
    due = sum(one.total.minor for one in parts)
    before = min(before, due - 1)
    result = come(parts, amount, state=State.PART_PAID if before else State.AWAITING_TRANSFER, before=before)
    out = sum(move.money.minor for move in result.moves if move.debit == "suspense:1")
    assert out == amount
    assert all(move.money.minor > 0 for move in result.moves)
    if result.state is State.SUCCEEDED:
        for one, (name, money) in itertools.product(parts, [(n, None) for n in ("goods", "premium", "charges", "tax")]):
            filled = sum(m.money.minor for m in result.moves if m.subject == one.subject and m.credit == f"held:{name}")
            assert filled == getattr(one, name).minor
            assert money is None
    else:
        assert before + amount < due


def test_paid_is_final_and_late_money_is_a_surplus():
    for state in State:
        assert after(State.SUCCEEDED, state) is State.SUCCEEDED
        assert after(State.SURPLUS, state) is State.SURPLUS
    for state in set(State) - OPEN - PAID:
        assert after(state, State.SUCCEEDED) is State.SURPLUS
        assert after(state, State.PROCESSING) is state


@given(
    st.lists(st.sampled_from([State.REQUIRES_ACTION, State.PROCESSING, State.SUCCEEDED, State.FAILED, State.EXPIRED]), max_size=8)
)
def test_money_is_never_lost_whatever_the_order_of_news(news):
    state = State.CREATED
    for seen in news:
        state = after(state, seen)
    assert (state in PAID) == (State.SUCCEEDED in news)


def test_a_part_is_never_negative_nor_empty():
    with pytest.raises(ValueError, match="not negative"):
        part(goods=-1)
    with pytest.raises(ValueError, match="not negative"):
        part(0, 0, 0, 0)


@given(st.lists(st.integers(0, 10**6), min_size=4, max_size=4), st.data())
def test_a_refund_made_elsewhere_takes_no_component_below_zero(left, data):
    whole = sum(left)
    if not whole:
        return
    amount = data.draw(st.integers(1, whole))
    split = over_components(Amounts.of("EUR", left), eur(amount))
    assert split.total.minor == amount
    assert all(money.minor <= rest for (_, money), rest in zip(split.components(), left, strict=True))


def test_e54_a_line_is_shared_by_co_ops_with_its_fee():
    other = new_id()
    result = shares(eur(10000), eur(175), [(COOP, 9900), (other, 100)])
    assert [(share.gross.minor, share.fee.minor, share.net.minor) for share in result] == [(9900, 173, 9727), (100, 2, 98)]
