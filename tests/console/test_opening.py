"""Opening balances at the desk: read row by row, proposed by one person, booked by another, the same as by command (E01)."""

import io

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger.opening import EXAMPLE, OpeningNeedsTwo
from market.ledger.service import book_of
from market.payables import queries as payables
from market.payouts import queries as payouts
from market.producers.models import Member
from market.treasury import service
from market.treasury.models import OpeningBalance
from tests.conftest import NOW
from tests.factories.producers import make_producer

OPENING = "/console/books/opening"
WRONG = (
    "account,currency,amount\nbank:1,EUR,50.00\nno_such,EUR,1\npayable:99,EUR,3.00\nheld:goods,EUR,1.00\npremium_bank,EUR,5.00\n"
)


@pytest.fixture
def member(session, coop):
    return make_producer(session, coop=coop, name="Abebe Bikila")


@pytest.fixture
def text(session, member):
    number = session.scalar(select(Member.number).where(Member.producer_id == member.id))
    return EXAMPLE.replace("payable:17", f"payable:{number}")


def preview(desk, text, person=None):
    facts = {"on": "2026-01-01", "source": "Ledger 2025, folder 3"}
    return desk.post(person or desk.preparer, f"{OPENING}/preview", file=(io.BytesIO(text.encode()), "b.csv"), **facts)


def propose(desk, text, **more):
    facts = {"on": "2026-01-01", "source": "Ledger 2025, folder 3", "name": "b.csv", "body": text}
    return desk.post(desk.preparer, OPENING, **facts | more)


def test_every_row_says_what_becomes_of_it_and_nothing_is_kept(desk, session):
    answer = preview(desk, WRONG)
    assert answer.status_code == 422
    assert "4 rows cannot be taken over" in answer.text
    for said in ("No member is called", "the sum of records", "differ by", "has no account"):
        assert said in answer.text
    assert "Propose them" not in answer.text
    assert preview(desk, "a,b\n").status_code == preview(desk, "").status_code == 422
    assert session.scalars(select(OpeningBalance)).all() == []


def test_two_persons_open_the_books_and_what_is_owed_can_be_paid(desk, session, coop, member, text):
    shown = preview(desk, text)
    assert shown.status_code == 200
    assert "Owed to a producer: Abebe Bikila" in shown.text
    assert (made := propose(desk, text)).status_code == 303
    assert propose(desk, text).status_code == 422  # one waits
    row = session.scalars(select(OpeningBalance)).one()
    assert "Another person has to decide" in desk.get(desk.preparer, made.location).text
    assert desk.post(desk.preparer, f"{OPENING}/{row.id}", word="yes").status_code == 403
    assert desk.post(desk.approver, f"{OPENING}/{row.id}", word="yes").status_code == 303
    book = book_of(session, coop.id)
    assert books.balance(session, book, "opening", "EUR") == Money(0, "EUR")
    (owed,) = payables.owed_to(session, member.id)
    assert owed.open == Money(12_050, "EUR")
    assert books.check(session) == payouts.check(session) == []
    session.expire_all()
    assert session.get(OpeningBalance, row.id).state == "booked"
    assert "booked" in desk.get(desk.approver, made.location).text
    assert desk.get(desk.approver, f"{OPENING}/{row.id}/file").text == text


def test_the_command_does_the_same_and_says_the_same_once(session, coop, member, text):
    book, facts = book_of(session, coop.id), {"on": NOW.date(), "by": "Ada"}
    assert service.hand_over(session, book, coop.id, text, seen_by="Bo", **facts) == 3
    assert service.hand_over(session, book, coop.id, text, seen_by="Bo", **facts) == 3
    assert payables.owed_to(session, member.id)[0].open == Money(12_050, "EUR")
    with pytest.raises(OpeningNeedsTwo):
        service.hand_over(session, book, coop.id, text, seen_by="Ada", **facts)


def test_nobody_decides_alone_at_the_table_either(desk, session, text):
    propose(desk, text)
    row = session.scalars(select(OpeningBalance)).one()
    alone = {"state": "booked", "decided_by": row.proposed_by, "decided_at": NOW}
    with pytest.raises(IntegrityError, match="four_eyes"):
        session.execute(update(OpeningBalance).values(**alone))
