"""Opening balances at the desk: read row by row, proposed by one person, booked by another, the same as by command (E01)."""

import io
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from market.kernel.errors import DomainError
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger.models import LedgerTransaction
from market.ledger.opening import EXAMPLE, OpeningNeedsTwo, handed_over
from market.ledger.rules import DEBIT, kind_of
from market.ledger.service import book_of, close_days
from market.payables import queries as payables
from market.payables.models import Payable
from market.payouts import queries as payouts
from market.producers.models import Member
from market.treasury import service
from market.treasury.models import OpeningBalance
from tests.conftest import NOW
from tests.factories.accounts import make_staff
from tests.factories.payouts import APPROVER
from tests.factories.producers import make_coop, make_producer

OPENING = "/console/books/opening"
WORDS = {
    "bank": "Bank account", "payable": "Owed to a producer", "claim": "Owed to the co-op", "fund_available": "Premium fund, free",
}  # fmt: skip
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
    assert f"open={row.id}" in desk.get(desk.approver, "/console?kind=opening_proposed").text
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


def test_a_proposal_is_withdrawn_by_whoever_made_it_and_nobody_else(desk, session, coop, text):
    shown = propose(desk, text).location
    row = session.scalars(select(OpeningBalance)).one()
    path = f"{OPENING}/{row.id}/withdrawal"
    colleague, stranger = (make_staff(session, coop=of, role="preparer") for of in (coop, make_coop(session)))
    offered = ["Withdraw the proposal" in desk.get(who, shown).text for who in (desk.preparer, colleague, desk.approver)]
    assert offered == [True, False, False]
    answers = [desk.post(who, path).status_code for who in (stranger, desk.approver, colleague)]
    assert (answers, state(session, row.id)) == ([404, 403, 303], "proposed")
    assert "Only the person who proposed this" in desk.client.get(shown).text
    assert (desk.post(desk.preparer, path).status_code, state(session, row.id)) == (303, "withdrawn")
    for who, again, more in ((desk.preparer, path, {}), (desk.approver, f"{OPENING}/{row.id}", {"word": "yes"})):
        assert desk.post(who, again, **more).status_code == 303
        assert "This is withdrawn already." in desk.client.get(shown).text
    assert (propose(desk, text).status_code, state(session, row.id)) == (303, "withdrawn")  # it may be handed over anew


def state(session, opening_id) -> str:
    session.expire_all()
    return session.get_one(OpeningBalance, opening_id).state


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


def correct(desk, account, amount, reason="the folder says otherwise, page 4", **more):
    form = {"account": account, "amount": amount, "currency": "EUR", "reason": reason}
    return desk.post(desk.preparer, f"{OPENING}/corrections", **form | more)


def decided(desk, session, made) -> OpeningBalance:
    assert made.status_code == 303, made.text
    row = session.scalars(select(OpeningBalance).where(OpeningBalance.state == "proposed")).one()
    code, _sign, amounts = row.name.partition(": ")
    named = f"{WORDS[code.partition(':')[0]]} ({code}): {amounts}"
    said, path = ("Book the correction", row.source, named), f"{OPENING}/{row.id}"
    assert named in desk.get(desk.approver, "/console?kind=opening_proposed").text
    assert desk.post(desk.preparer, path, word="yes").status_code == 403
    shown = desk.get(desk.approver, made.location).text
    assert [words for words in said if words not in shown] == []
    assert desk.post(desk.approver, path, word="yes").status_code == 303
    session.expire_all()
    return session.get_one(OpeningBalance, UUID(path.rpartition("/")[2]))


def test_a_balance_handed_over_wrongly_is_corrected_by_two_persons_against_opening(desk, session, coop, member, text):
    offers = ("Hand over balances", "Correct one balance", "A proposal waits.")
    assert offered(desk, offers) == [True, False, False]
    assert "nothing to correct" in correct(desk, "bank:1", "1.00").text
    propose(desk, text)
    assert offered(desk, offers) == [False, False, True]
    desk.post(desk.approver, f"{OPENING}/{session.scalars(select(OpeningBalance.id)).one()}", word="yes")
    assert offered(desk, offers) == [False, True, False]
    book, payee = book_of(session, coop.id), text.split("payable:")[1].split(",")[0]
    before = books.balance(session, book, "opening", "EUR")
    close_days(
        session, book, through=NOW.date() - timedelta(days=1), actor="t", now=NOW
    )  # the day of the handing over among them
    row = decided(desk, session, correct(desk, "bank:1", "49,500.00"))
    assert (row.state, row.name) == ("booked", "bank:1: 50000.00 EUR → 49500.00 EUR")
    assert books.balance(session, book, "bank:1", "EUR") == Money(4_950_000, "EUR")
    assert books.balance(session, book, "opening", "EUR") == before - Money(50_000, "EUR")
    booked = session.scalars(select(LedgerTransaction).where(LedgerTransaction.kind == "opening_corrected")).one()
    assert (booked.effective_on, booked.note["happened_on"]) == (NOW.date(), "2026-01-01")
    decided(desk, session, correct(desk, f"payable:{payee}", "100.00"))
    assert payables.owed_to(session, member.id)[0].open == Money(10_000, "EUR")
    decided(desk, session, correct(desk, f"payable:{payee}", "130.00"))
    assert payables.owed_to(session, member.id)[0].open == Money(13_000, "EUR")
    decided(desk, session, correct(desk, f"payable:{payee}", "0"))
    decided(desk, session, correct(desk, "fund_available", "7.00"))  # with its money at the bank: they never differ
    assert books.balance(session, book, "premium_bank", "EUR") == Money(700, "EUR")
    assert opening_check(session, book) == Money(0, "EUR")
    assert books.check(session) == payouts.check(session) == []


def offered(desk, offers) -> list[bool]:
    shown = desk.get(desk.preparer, OPENING).text
    return [words in shown for words in offers]


def opening_check(session, book) -> Money:
    """What `opening` would have to be moved by to end at the balances that count."""
    counted = Money(0, "EUR")
    for (code, _currency), (money, _day) in handed_over(session, book).items():
        counted += money if kind_of(code).side == DEBIT else -money
    return counted - books.balance(session, book, "opening", "EUR")


@pytest.mark.parametrize(
    ("account", "amount", "more", "said"),
    [
        ("bank:1", "50,000.00", {}, "nothing would change"),
        ("bank:1", "1", {"reason": "wrong"}, "Say in a sentence"),
        ("no_such", "1", {}, "no account"),
        ("opening", "1", {}, "follows from the others"),
        ("held:goods", "1", {}, "sum of records"),
        ("payable:99", "1", {}, "No member is called"),
        ("bank:1", "1", {"currency": "EU"}, "choose"),
    ],
)
def test_a_correction_that_cannot_be_is_refused_beside_its_field(desk, session, text, account, amount, more, said):
    propose(desk, text)
    desk.post(desk.approver, f"{OPENING}/{session.scalars(select(OpeningBalance.id)).one()}", word="yes")
    answer = correct(desk, account, amount, **more)
    assert (answer.status_code, said in answer.text) == (422, True)


def test_what_was_paid_already_is_owed_back_instead(desk, session, coop, member, text):
    propose(desk, text)
    desk.post(desk.approver, f"{OPENING}/{session.scalars(select(OpeningBalance.id)).one()}", word="yes")
    payee = text.split("payable:")[1].split(",")[0]
    session.execute(update(Payable).values(state="taken", taken_by=new_id()))
    made = correct(desk, f"payable:{payee}", "100.00")
    row_id = session.scalars(select(OpeningBalance.id).where(OpeningBalance.state == "proposed")).one()
    assert made.status_code == 303
    with pytest.raises(DomainError, match="it was paid already"), session.begin_nested():
        service.decide_opening(session, actor=APPROVER, opening_id=row_id, agreed=True, now=NOW)
    assert correct(desk, "bank:1", "1").status_code == 422  # one waits
    desk.post(desk.approver, f"{OPENING}/{row_id}", word="no")
    decided(desk, session, correct(desk, f"claim:{payee}", "20.50"))
    assert books.balance(session, book_of(session, coop.id), f"claim:{member.id}", "EUR") == Money(2_050, "EUR")
