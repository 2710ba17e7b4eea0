"""Whoever was told that money arrived hears it when that was not so; each fact once, whatever runs twice."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, text

from market.kernel.ids import new_id
from market.kernel.money import Money
from market.ledger import service as ledger
from market.ledger.rules import Entry, Leg
from market.notifications import letters, service
from market.notifications.models import Notification
from market.orders import service as orders
from market.payments import queries as payment_queries
from market.payments import service as payments
from market.payments.service.books import credit_account
from market.payouts.models import Payout
from market.payouts.service import keep_statement, settle, unsettle
from market.producers.models import Producer
from market.statements.service import match_reference, undo_match
from tests.conftest import NOW
from tests.domain.orders.test_money_back import arrive, refund_all
from tests.domain.statements.test_undoing import WHO, Returned
from tests.factories.accounts import actor_for, make_producer_account
from tests.factories.catalogue import make_listing
from tests.factories.orders import parts_of, place
from tests.factories.payouts import take, wallet_payout
from tests.factories.producers import make_coop, make_producer
from tests.factories.statements import make_account


class Told:
    """The mails that announced facts lead to, each fact handed over twice."""

    def __init__(self, session) -> None:
        self.session, self.seen = session, 0

    def new(self, topic: str) -> list[Notification]:
        """The mails that the facts of a topic add, those told before among them: they add none."""
        self.session.flush()
        said = self.session.execute(text("SELECT payload FROM outbox WHERE topic = :topic ORDER BY id"), {"topic": topic})
        for payload in said.scalars().all() * 2:
            service.tell(self.session, topic=topic, payload=payload, now=NOW)
        rows = self.session.scalars(select(Notification).order_by(Notification.id)).all()
        fresh, self.seen = rows[self.seen :], len(rows)
        return list(fresh)

    def text(self, topic: str) -> str:
        """What the one new mail of a topic says in English."""
        (mail,) = self.new(topic)
        return letters.write(mail.kind, "en", mail.facts["facts"]).text


def test_a_payee_hears_that_a_payout_came_back_and_that_it_did_not_after_all(session):
    coop = make_coop(session)
    case = Returned(session, coop, make_account(session, coop=coop))
    person, told = make_producer_account(session, producer=case.producer), Told(session)
    said = told.text("payouts.returned")
    assert f"€69.00 to you, reference {case.payout.reference}, came back" in said
    assert "The bank says: no reason given." in said
    assert "goes out again" in said
    assert "cannot be paid to that account" not in said

    undo_match(session, match_id=case.match.id, reason="that was the rent", **WHO)
    assert told.new("payouts.returned") == [], "what was true then is not said now"
    assert "nothing more is owed" in told.text("payouts.stayed_paid")

    match_reference(session, line_id=case.match.line_id, reference=case.payout.reference, **WHO)
    assert told.new("payouts.stayed_paid") == [], "it has come back since"
    session.get_one(Payout, case.payout.id).reason = "AC04 account closed"
    said = told.text("payouts.returned")
    assert "The bank says: account closed." in said
    assert "give your co-op the right account" in said
    assert "goes out again" not in said

    service.choose(session, actor=actor_for(session, person), topic="money", wanted=False)
    (row,) = session.scalars(select(Payout))
    row.state, row.times_returned = "returned", 3
    payload = {"payout_id": str(row.id), "times": "3"}
    service.tell(session, topic="payouts.returned", payload=payload, now=NOW)
    assert [one.state for one in session.scalars(select(Notification).order_by(Notification.id))][-1] == "unwanted"


def test_a_payee_who_was_told_of_an_arrival_too_early_hears_it_and_hears_of_the_arrival(session):
    payout, told = wallet_payout(session, make_coop(session)), Told(session)
    make_producer_account(session, producer=session.get_one(Producer, payout.payee_id))
    take(session)

    def settled() -> None:
        settle(session, payout_id=payout.id, money=payout.money, booked_on=NOW.date(), suspense="suspense:1", now=NOW)
        keep_statement(session, payout_id=payout.id, language="en", body=b"%PDF", now=NOW)

    settled()
    assert "have arrived for you" in told.text("payouts.printed")
    unsettle(session, payout_id=payout.id, now=NOW)
    assert told.new("payouts.printed") == []
    assert "That was a mistake of ours" in told.text("payouts.unsettled")
    settled()
    assert told.new("payouts.unsettled") == [], "it has arrived since"
    assert "have arrived for you" in told.text("payouts.printed")


def transferred(session):
    """An order that a transfer has paid, nobody told of anything yet."""
    coop = make_coop(session)
    placed = place(session, make_listing(session, producer=make_producer(session, coop=coop)), method="transfer")
    arrive(session, coop, placed.payment_id, placed.total.minor)
    orders.mark_paid(session, order_id=placed.order_id, payment_id=placed.payment_id, now=NOW)
    return placed, Told(session)


def test_a_buyer_hears_that_a_refund_by_bank_was_not_sent_and_that_it_is(session):
    placed, told = transferred(session)
    refund_all(session, parts_of(session, placed.order_id)[0])
    (refund,) = payment_queries.refunds_of(session, payment_id=placed.payment_id)

    def sent() -> None:
        payments.record_bank_refund(session, refund_id=refund.id, amount=refund.money, suspense="suspense:1", now=NOW)

    sent()
    assert "have left us" in told.text("payments.refunded")
    payments.undo_bank_refund(session, refund_id=refund.id)
    assert "The money is still yours." in told.text("payments.refund_taken_back")
    sent()
    assert told.new("payments.refund_taken_back") == [], "it has been sent since"
    assert f"{refund.reference}" in told.text("payments.refunded")


def test_a_buyer_who_was_promised_money_that_was_somebody_elses_hears_it(session):
    placed, told = transferred(session)
    coop_id = parts_of(session, placed.order_id)[0].coop_id

    def too_much() -> UUID:
        line = new_id()
        day = {"booked_on": NOW.date(), "now": NOW + timedelta(minutes=told.seen)}
        payments.record_transfer(session, payment_id=placed.payment_id, line_subject=line, amount=Money(250, "EUR"), **day)
        moves = (Leg("suspense:1", credit_account(placed.payment_id), Money(250, "EUR"), line),)
        ledger.post(session, [Entry(ledger.book_of(session, coop_id), "match", f"match:{line}", NOW.date(), "t", moves)])
        return line

    line = too_much()
    assert "goes back to you" in told.text("payments.surplus")
    payments.undo_transfer(session, line_subject=line, until=NOW, now=NOW)
    assert "somebody else's" in told.text("payments.surplus_taken_back")
    too_much()
    assert "goes back to you" in told.text("payments.surplus")
