"""Every kind of match is taken back alone, and then all is as if it had never been made; or the refusal says what to do."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from market.earnings import service as earnings
from market.kernel.audit import AuditEntry
from market.kernel.errors import DomainError
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger import service as ledger
from market.ledger.rules import Entry
from market.notifications import service as notifications
from market.notifications.models import Notification
from market.payables.models import Payable
from market.payments import queries as payment_queries
from market.payments import service as payments
from market.payouts import queries as payout_queries
from market.payouts import service as payouts
from market.payouts.models import Payout, PayoutItem
from market.statements import service
from market.statements.models import StatementLine
from market.statements.service.deciding import BOOKABLE
from tests.conftest import NOW
from tests.domain.payouts.test_runs import claim
from tests.domain.statements.test_matching import LATER, awaited_payment, matches, paid_line, run, sent_payout
from tests.factories.accounts import make_staff
from tests.factories.payouts import APPROVER, PREPARER, approved_run, make_run, only_payout, owe, take
from tests.factories.producers import make_coop, make_payee_account, make_producer
from tests.factories.statements import import_lines, line, make_account

WHO = {"actor": PREPARER, "now": NOW}


@pytest.fixture
def coop(session):
    return make_coop(session)


@pytest.fixture
def account(session, coop):
    return make_account(session, coop=coop)


def standing(session, account) -> dict[tuple[str, str], int]:
    """All balances of the co-op."""
    found = books.balances(session, ledger.book_of(session, account.coop_id))
    return {(one.code, one.money.currency): one.money.minor for one in found if one.money}


def undo(session, match_id, reason="not that one") -> None:
    service.undo_match(session, match_id=match_id, reason=reason, **WHO)
    session.flush()
    session.expire_all()


def agree(session) -> None:
    session.flush()
    assert books.check(session) == []
    assert payout_queries.check(session) == []


class Returned:
    """A payout of 72.00, 3.00 of it netted with a claim, that a statement paid and, less 0.15, brought back; and how all stood."""

    def __init__(self, session, coop, account):
        self.session, self.coop, self.account = session, coop, account
        self.producer = make_producer(session, coop=coop)
        make_payee_account(session, producer=self.producer)
        owe(session, self.producer, 7_200)
        claim(session, coop, self.producer, 300)
        self.payout = self.sent(approved_run(session, coop.id))
        import_lines(session, account, [paid_line(self.payout)])
        run(session, account)
        back = paid_line(self.payout, self.payout.money.minor - 15, return_reason="MS03")
        account.known_fees = [15]
        import_lines(session, account, [back], number=2, opening=-self.payout.money.minor)
        self.before = standing(session, account)
        assert run(session, account).matched == 1
        assert self.state() == "returned"
        (self.match,) = matches(session, target_kind="payout_return")

    def sent(self, approved):
        payouts.write_files(self.session, run_id=approved.id, now=NOW)
        (file,) = payout_queries.files_of_run(self.session, approved.id)
        payouts.mark_submitted(self.session, actor=PREPARER, file_id=file.id, now=NOW)
        return only_payout(self.session, approved)

    def state(self, payout=None) -> str:
        self.session.expire_all()
        return payout_queries.payout(self.session, (payout or self.payout).id).state

    def said(self, topic) -> list[dict[str, str]]:
        found = text("SELECT payload FROM outbox WHERE topic = :topic ORDER BY id")
        return list(self.session.execute(found, {"topic": topic}).scalars())


@pytest.fixture
def case(session, coop, account) -> Returned:
    return Returned(session, coop, account)


def test_a_return_taken_back_leaves_the_payout_paid_as_before(session, account, case) -> None:  # E43
    session.get_one(Payout, case.payout.id).earlier_reason = "seen at the bank"
    session.flush()
    with pytest.raises(DBAPIError, match="stays so"), session.begin_nested():  # for anything but a paid payout
        session.execute(text("UPDATE payout_item SET released_at = NULL"))
    undo(session, case.match.id, "that was the rent")
    assert standing(session, account) == case.before
    row = session.get_one(Payout, case.payout.id)
    assert (row.state, row.settled_on, row.reason, row.times_returned) == ("settled", LATER, "seen at the bank", 1)
    (owed,) = session.scalars(select(Payable).where(Payable.payee_id == case.producer.id))
    assert (owed.state, owed.taken_by) == ("paid", case.payout.run_id)
    (item,) = session.scalars(select(PayoutItem).where(PayoutItem.payout_id == row.id))
    assert item.released_at is None
    told = session.scalars(select(AuditEntry).where(AuditEntry.action == "payouts.return_taken_back")).one()
    assert (told.actor, told.old["reason"], told.new["reason"]) == (PREPARER.label, "MS03", "that was the rent")
    (match,) = matches(session, target_kind="payout_return")
    assert (match.undone_by, match.undone_reason) == (PREPARER.label, "that was the rent")
    agree(session)
    assert run(session, account).matched == 0, "a pair that was wrong is not proposed again"
    again = service.match_reference(session, line_id=match.line_id, reference=row.reference, **WHO)
    assert case.state() == "returned"
    undo(session, again)
    assert standing(session, account) == case.before
    agree(session)


def test_staff_hear_of_each_return_and_of_each_that_was_none(session, coop, case) -> None:
    make_staff(session, coop=coop)

    def told(topic: str, nth: int) -> list[tuple[str, str]]:
        notifications.tell(session, topic=topic, payload=case.said(topic)[nth], now=NOW)
        rows = session.execute(select(Notification.kind, Notification.fact).order_by(Notification.id))
        return [(kind, fact.removeprefix(f"payout:{case.payout.id}:")) for kind, fact in rows]

    first = [("payout_trouble", "returned")]
    assert told("payouts.returned", 0) == told("payouts.returned", 0) == first
    undo(session, case.match.id)
    assert told("payouts.returned", 0) == first, "what was true then is not said now"
    both = [*first, ("payout_stayed_paid", "stayed_paid:1")]
    assert told("payouts.stayed_paid", 0) == told("payouts.stayed_paid", 0) == both
    service.match_reference(session, line_id=case.match.line_id, reference=case.payout.reference, **WHO)
    assert told("payouts.stayed_paid", 0) == both, "it has come back since"
    assert told("payouts.returned", 1) == [*both, ("payout_trouble", "returned:2")]


def planned(session, case) -> None:
    make_run(session, case.coop.id)


def on_its_way(session, case) -> None:
    case.sent(approved_run(session, case.coop.id))


def paid_again(session, case) -> None:
    later = case.sent(approved_run(session, case.coop.id))
    import_lines(session, case.account, [paid_line(later)], number=3, opening=-15)
    run(session, case.account)
    assert case.state(later) == "settled"


def paid_otherwise(session, case) -> None:
    session.execute(text("UPDATE payee_account SET replaced_at = now() WHERE rail = 'sepa'"))
    make_payee_account(session, producer=case.producer, rail="momo", iban=None, bic=None, msisdn="+250788000123")
    later = only_payout(session, approved_run(session, case.coop.id))
    assert take(session) is not None
    moves = payouts.settle(
        session, payout_id=later.id, money=later.money, booked_on=LATER, suspense=case.account.suspense, now=NOW
    )
    book = ledger.book_of(session, case.coop.id)
    ledger.post(session, [Entry(book, "settled", f"settled:{later.id}", LATER, "t", moves)])


def held(session, case) -> None:
    earnings.hold(
        session, producer_id=case.producer.id, money=Money(7_200, "EUR"), reason="complaint", appeal="ask the board",
        ends_on=NOW.date() + timedelta(days=9), source_kind="complaint", source_id=new_id(), **WHO,
    )  # fmt: skip


def set_off(session, case) -> None:
    earnings.offset(session, producer_id=case.producer.id, money=Money(100, "EUR"), sale=new_id(), what="sacks", **WHO)


def given_up(session, case) -> None:
    payouts.give_up_claim(
        session, coop_id=case.coop.id, code=f"claim:{case.producer.id}", money=Money(1, "EUR"), reason="too small", key=new_id(),
        **WHO,
    )  # fmt: skip


FOLLOWED = [
    (planned, "payables.moved_on", "Discard that run first"),
    (on_its_way, "payables.moved_on", "Cancel that payout"),
    (paid_again, "payables.moved_on", "paid twice"),
    (paid_otherwise, "payouts.paid_otherwise", "Corrections that the member is owed 69.00 EUR less"),
    (held, "payables.moved_on", "End that hold first"),
    (set_off, "payables.moved_on", "correction"),
    (given_up, "payouts.claim_settled", "3.00 EUR"),
]


def test_what_followed_from_a_return_keeps_its_match_and_the_refusal_says_what_to_do(session, account, case) -> None:
    for moved_on, code, words in FOLLOWED:
        with session.begin_nested() as point:
            moved_on(session, case)
            before = standing(session, account)
            with pytest.raises(DomainError, match=words) as refused, session.begin_nested():
                undo(session, case.match.id)
            assert (refused.value.code, case.state()) == (code, "returned"), moved_on.__name__
            assert standing(session, account) == before
            agree(session)
            point.rollback()
            session.expire_all()


def test_the_words_of_the_refusals_lead_out_of_them(session, account, case) -> None:
    """A run is discarded and a hold ended; what was paid twice becomes the payee's claim, as if the bank had paid it twice."""
    draft = make_run(session, case.coop.id)
    payouts.discard_run(session, run_id=draft.id, **WHO)
    held(session, case)
    (hold_id,) = session.execute(text("SELECT id FROM payable_hold")).scalars()
    earnings.end_hold(session, hold_id=hold_id, **WHO)
    before = standing(session, account)
    paid_again(session, case)
    (later,) = [one for one in matches(session, target_kind="payout") if one.target_id != case.payout.id]
    undo(session, later.id)
    payouts.fail(session, payout_id=later.target_id, reason="it was the payout before", actor=APPROVER, now=NOW)
    undo(session, case.match.id)
    service.paid_twice(session, line_id=later.line_id, reference=case.payout.reference, **WHO)
    after = standing(session, account)
    assert after[f"claim:{case.producer.id}", "EUR"] == 7_200 - 300
    assert before[f"payable:{case.producer.id}", "EUR"] == 7_200
    assert (f"payable:{case.producer.id}", "EUR") not in after
    agree(session)


def test_each_booking_of_a_line_is_taken_back_alone(session, account) -> None:
    """All that staff may book a line as (E37, E47, E49 to E52): one after the other, while the bookings before it stay."""
    comes_first = {"deposit_liability": 1}  # no deposit goes back that never came
    signs = {code: sign or comes_first.get(code, -1) for code, sign in BOOKABLE.items() if code != "premium_in_transit"}
    import_lines(session, account, [line(sign * 100, ref=code) for code, sign in signs.items()])
    by_ref = {row.bank_ref: row.id for row in session.scalars(select(StatementLine))}
    for code in signs:
        before = standing(session, account)
        booking = {"line_id": by_ref[code], "account_code": code, "reason": "as agreed"}
        made = service.book_line(session, **booking, **WHO)
        assert standing(session, account) != before
        undo(session, made)
        assert standing(session, account) == before
        service.book_line(session, **booking, **WHO)
    assert {row.state for row in session.scalars(select(StatementLine))} == {"matched"}
    agree(session)


def test_a_claim_that_was_netted_since_keeps_its_match(session, coop, account) -> None:
    payout, producer = sent_payout(session, coop)
    import_lines(session, account, [paid_line(payout), paid_line(payout, -100)])
    run(session, account)
    twice = session.scalars(select(StatementLine.id).where(StatementLine.amount_minor == -100)).one()
    made = service.paid_twice(session, line_id=twice, reference=payout.reference, **WHO)
    before = standing(session, account)
    undo(session, made)
    made = service.paid_twice(session, line_id=twice, reference=payout.reference, **WHO)
    assert standing(session, account) == before
    owe(session, producer, 1_000)
    approved_run(session, coop.id)
    with pytest.raises(DomainError, match="netted") as refused, session.begin_nested():
        undo(session, made)
    assert refused.value.code == "statements.match_built_on"


def test_a_refund_by_bank_is_owed_again(session, coop, account) -> None:  # E24
    payment = awaited_payment(session, coop)
    payments.expire(session, payment_id=payment.id, now=NOW)
    import_lines(session, account, [line(10_000, ref="A", reference=payment.reference)])
    (came,) = session.scalars(select(StatementLine.id))
    late = service.match_reference(session, line_id=came, reference=payment.reference, **WHO)
    refund = payments.give_back_credit(session, payment_id=payment.id, **WHO)
    import_lines(session, account, [line(-10_000, ref="B", reference=refund.reference)], number=2, opening=10_000)
    before = standing(session, account)
    assert run(session, account).matched == 1
    (sent,) = matches(session, target_kind="refund")
    undo(session, sent.id)
    assert standing(session, account) == before
    assert payment_queries.refund(session, refund.id).state == "decided"
    with pytest.raises(DomainError) as refused, session.begin_nested():
        undo(session, late)
    assert refused.value.code == "payments.transfer_given_back"
    service.match_reference(session, line_id=sent.line_id, reference=refund.reference, **WHO)
    assert payment_queries.refund(session, refund.id).state == "paid"
    agree(session)


def test_money_that_came_too_late_leaves_the_payment_as_it_had_ended(session, coop, account) -> None:  # E09
    for number, (end, state) in enumerate(((payments.expire, "expired"), (payments.cancel_unsent, "cancelled"))):
        payment = awaited_payment(session, coop)
        end(session, payment_id=payment.id, now=NOW)
        import_lines(session, account, [line(5_000, ref=f"L{number}")], number=number + 1, opening=5_000 * number)
        came = session.scalars(select(StatementLine.id).where(StatementLine.bank_ref == f"L{number}")).one()
        before = standing(session, account)
        made = service.match_reference(session, line_id=came, reference=payment.reference, **WHO)
        assert payment_queries.payment(session, payment.id).state == "surplus"
        undo(session, made)
        assert payment_queries.payment(session, payment.id).state == state
        assert standing(session, account) == before
    agree(session)


def test_a_line_that_a_colleague_has_explained_meanwhile_is_explained_by_nothing_more(session, coop, account) -> None:
    payment = awaited_payment(session, coop)
    import_lines(session, account, [line(10_000, ref="A")])
    (came,) = session.scalars(select(StatementLine.id))
    for _ in range(2):
        made = service.match_reference(session, line_id=came, reference=payment.reference, **WHO)
        with pytest.raises(DomainError, match=r"only 0\.00 EUR") as refused:
            service.match_reference(session, line_id=came, reference=payment.reference, **WHO)
        assert refused.value.code == "statements.line_explained"
        undo(session, made)
