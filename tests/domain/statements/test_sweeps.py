"""The card processor's payout to the bank is one transfer, matched on both sides by itself (E04, rule 8)."""

from datetime import UTC, datetime, timedelta

import pytest

from market.kernel.ids import new_id
from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger import service as ledger
from market.ledger.rules import Entry, Leg
from market.payments.models import ProcessorLine, ProcessorShare
from market.statements import queries, service
from tests.conftest import NOW
from tests.factories.producers import make_coop
from tests.factories.statements import CLERK, DAY, import_lines, line, make_account

WHO = {"actor": CLERK, "now": NOW}


@pytest.fixture
def coop(session):
    return make_coop(session)


@pytest.fixture
def account(session, coop):
    return make_account(session, coop=coop)


def swept(session, coop, minor: int, payout: str = "po_1AbCdEfGhIjKlMnOpQ", *, share: int | None = None) -> None:
    """A payout of the processor as its own side leaves it: on its way to the bank."""
    at = datetime(DAY.year, DAY.month, DAY.day, 8, tzinfo=UTC) - timedelta(days=2)
    row = ProcessorLine(
        id=f"txn_{payout}", subject=new_id(), kind="payout", source=payout, currency="EUR", gross_minor=-minor, fee_minor=0,
        net_minor=-minor, booked_at=at, bank_payout=payout, state="matched",
    )  # fmt: skip
    session.add(row)
    session.flush()
    part = minor if share is None else share
    session.add(ProcessorShare(line_id=row.id, coop_id=coop.id, gross_minor=-part, fee_minor=0))
    book = ledger.book_of(session, coop.id)
    leg = Leg("sweep_transit", "stripe:1", Money(part, "EUR"), row.subject)
    ledger.post(session, [Entry(book, "processor.match", f"match:stripe:{row.id}", at.date(), "test", (leg,))])


def transit(session, coop) -> int:
    return books.balance(session, ledger.book_of(session, coop.id), "sweep_transit", "EUR").minor


@pytest.mark.parametrize("text", ["STRIPE PAYOUT", "ref BCDEFGHIJKLMNOPQ"])
def test_a_payout_of_the_processor_is_matched_on_both_sides(session, coop, account, text: str) -> None:
    swept(session, coop, 9_825)
    assert transit(session, coop) == 9_825
    import_lines(session, account, [line(9_825, ref="S1", text=text)])
    assert service.run_matching(session, money_account_id=account.id, **WHO).matched == 1
    assert transit(session, coop) == 0
    (row,) = queries.lines(session, account.id, show="matched").items
    assert (row.matches[0].account_code, row.matches[0].rule) == ("sweep_transit", "sweep")


def test_an_amount_alone_is_for_a_person(session, coop, account) -> None:
    swept(session, coop, 9_825)
    import_lines(session, account, [line(9_825, ref="S1", text="credit")])
    service.run_matching(session, money_account_id=account.id, **WHO)
    (row,) = queries.lines(session, account.id).items
    (suggestion,) = row.suggestions
    service.accept_suggestion(session, suggestion_id=suggestion.id, line_id=row.id, **WHO)
    assert transit(session, coop) == 0


def test_two_payouts_of_one_amount_are_never_matched_alone(session, coop, account) -> None:
    swept(session, coop, 9_825)
    swept(session, coop, 9_825, "po_2ZyXwVuTsRqPoNmLkJ")
    import_lines(session, account, [line(9_825, ref="S1", text="STRIPE")])
    assert service.run_matching(session, money_account_id=account.id, **WHO).matched == 0
    assert len(queries.lines(session, account.id).items[0].suggestions) == 1


def test_a_payout_is_used_once_and_not_again_after_it_was_taken_back(session, coop, account) -> None:
    swept(session, coop, 9_825)
    import_lines(session, account, [line(9_825, ref="S1", text="STRIPE")])
    service.run_matching(session, money_account_id=account.id, **WHO)
    import_lines(session, account, [line(9_825, ref="S2", text="STRIPE")], number=2, opening=9_825)
    assert service.run_matching(session, money_account_id=account.id, **WHO).matched == 0
    (first,) = queries.lines(session, account.id, show="matched").items
    service.undo_match(session, match_id=first.matches[0].id, reason="another account", **WHO)
    service.run_matching(session, money_account_id=account.id, **WHO)
    states = {row.bank_ref: row.state for row in queries.lines(session, account.id, show="all").items}
    assert states == {"S1": "new", "S2": "matched"}


def test_a_payout_that_lies_in_several_books_is_left_to_people(session, coop, account) -> None:
    swept(session, coop, 9_825, share=9_000)
    import_lines(session, account, [line(9_825, ref="S1", text="STRIPE")])
    assert service.run_matching(session, money_account_id=account.id, **WHO).matched == 0
