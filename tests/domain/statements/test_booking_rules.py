"""Rules that staff make from a choice: suggested first, automatic after three, never when ambiguous, undone one by one."""

import pytest

from market.ledger import queries as books
from market.ledger import service as ledger
from market.statements import queries, service
from market.statements.errors import ReasonNeeded, RuleEnded, WrongDirection
from tests.conftest import NOW
from tests.factories.statements import CLERK, import_lines, line, make_account

WHO = {"actor": CLERK, "now": NOW}


def fee(n: int, minor: int = -450, name: str = "Bank AG"):
    return line(minor, ref=f"F{n}", name=name, text=f"account fee {n}/2026")


def open_lines(session, account):
    return queries.lines(session, account.id).items


def match(session, account) -> None:
    service.run_matching(session, money_account_id=account.id, **WHO)


def ruled(session, account):
    """A rule made from the first fee, and the line booked by hand."""
    (first,) = open_lines(session, account)
    service.book_line(session, line_id=first.id, account_code="bank_charges", reason="monthly fee", **WHO)
    return service.make_rule(session, line_id=first.id, account_code="bank_charges", reason="monthly fee", **WHO)


def next_fee(session, account, n: int, **values):
    balance = -450 * (n - 1)
    import_lines(session, account, [fee(n, **values)], number=n, opening=balance)
    match(session, account)
    return open_lines(session, account)


@pytest.fixture
def account(session):
    account = make_account(session)
    import_lines(session, account, [fee(1)])
    return account


def test_a_rule_suggests_until_three_people_agreed_and_then_books(session, account) -> None:
    rule = ruled(session, account)
    for n in (2, 3):
        (row,) = next_fee(session, account, n)
        (suggestion,) = row.suggestions
        assert (suggestion.account_code, suggestion.rule) == ("bank_charges", "staff_rule")
        service.accept_suggestion(session, suggestion_id=suggestion.id, line_id=row.id, **WHO)
    assert next_fee(session, account, 4) == []
    charges = books.balance(session, ledger.book_of(session, account.coop_id), "bank_charges", "EUR").minor
    assert charges == 4 * 450
    shown = queries.rule(session, rule.id)
    assert (shown.id, shown.automatic, shown.used) == (rule.id, True, 3)


def test_taking_back_what_a_rule_booked_makes_it_ask_again_and_spares_the_line(session, account) -> None:
    rule = ruled(session, account)
    rule.confirmations = 3
    session.flush()
    next_fee(session, account, 2)
    (made,) = service.matches_of_rule(session, rule.id)
    service.undo_match(session, match_id=made.id, reason="not a fee", **WHO)
    match(session, account)
    (row,) = open_lines(session, account)
    assert row.suggestions == []
    session.refresh(rule)
    assert rule.confirmations == 0
    assert len(service.matches_of_rule(session, rule.id)) == 1  # history stays


def test_rules_that_disagree_book_nothing(session, account) -> None:
    ruled(session, account)
    first = queries.lines(session, account.id, show="all").items[0]
    service.make_rule(session, line_id=first.id, account_code="transport_payable", reason="or freight", **WHO)
    (row,) = next_fee(session, account, 2)
    assert row.suggestions == []


def test_another_counterparty_a_larger_sum_or_money_in_is_not_like_it(session, account) -> None:
    ruled(session, account)
    balance = -450
    import_lines(
        session,
        account,
        [fee(2, name="Somebody Else"), fee(3, minor=-1351), fee(4, minor=450)],
        number=2,
        opening=balance,
    )
    match(session, account)
    assert [row.suggestions for row in open_lines(session, account)] == [[], [], []]


def test_an_ended_rule_does_nothing_more(session, account) -> None:
    rule = ruled(session, account)
    service.end_rule(session, rule_id=rule.id, reason="new bank", **WHO)
    with pytest.raises(RuleEnded):
        service.end_rule(session, rule_id=rule.id, reason="again", **WHO)
    (row,) = next_fee(session, account, 2)
    assert row.suggestions == []


def test_a_rule_needs_a_reason_and_a_direction_that_fits(session, account) -> None:
    (row,) = open_lines(session, account)
    with pytest.raises(ReasonNeeded):
        service.make_rule(session, line_id=row.id, account_code="bank_charges", reason=" ", **WHO)
    for code in ("write_off", "sweep_transit", "held:goods"):
        with pytest.raises(WrongDirection):
            service.make_rule(session, line_id=row.id, account_code=code, reason="because", **WHO)
