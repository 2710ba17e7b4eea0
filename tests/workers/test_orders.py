"""The tasks of orders: one that cannot be done holds up nobody else, and a refund made elsewhere reaches its order."""

from market.kernel.actor import GUEST, Actor
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.orders import service
from market.payables import service as payables
from market.payments import service as payments
from market.payments.ports import RefundAnswer
from tests.conftest import NOW
from tests.factories.catalogue import make_listing
from tests.factories.orders import paid_order, parts_of
from workers import orders as tasks

STAFF = Actor(account_id=new_id(), roles=frozenset({"preparer"}))


def delivered(session):
    placed = paid_order(session)
    (part,) = parts_of(session, placed.order_id)
    service.ship(session, actor=STAFF, seller_order_id=part.id, tracking=None, now=NOW)
    service.confirm(session, actor=GUEST, seller_order_id=part.id, now=NOW)
    return placed, part


def test_one_order_that_cannot_be_settled_holds_up_nobody_else(session):
    (broken, odd), (good, _) = delivered(session), delivered(session)
    payables.raise_payable(
        session, coop_id=odd.coop_id, payee_id=odd.producer_id, money=Money(1, "EUR"), kind="sale", due_on=NOW.date(),
        source_kind="seller_order", source_id=odd.id,
    )  # fmt: skip
    session.commit()
    tasks.settle()
    states = [parts_of(session, placed.order_id)[0].state for placed in (broken, good)]
    assert states == ["confirmed", "settled"]


def test_a_refund_made_at_the_processor_reaches_its_order_once(session):
    placed = paid_order(session, make_listing(session))
    answer = RefundAnswer("re_1", "succeeded", placed.total, intent_id=f"pi_{placed.payment_id.hex}")
    (made,) = payments.record_refund_elsewhere(session, intent_id=answer.intent_id, answer=answer, now=NOW)
    session.commit()
    for _ in range(2):
        tasks.note_refund(refund_id=str(made.id), payment_id=str(made.payment_id), subject_id=str(made.subject_id), topic="t")
    (part,) = parts_of(session, placed.order_id)
    assert (part.state, part.refunded) == ("refunded", placed.total)
