"""What a buyer says is wrong waits for the co-op, and silence confirms nothing meanwhile."""

from datetime import timedelta

import pytest

from market.kernel.actor import GUEST, Actor
from market.kernel.ids import new_id
from market.orders import queries, service
from market.orders.errors import ComplaintFaulty, OrderMissing, WrongState
from tests.conftest import NOW
from tests.factories.catalogue import make_listing
from tests.factories.orders import paid_order, parts_of, place

STAFF = Actor(account_id=new_id(), roles=frozenset({"preparer"}))


@pytest.fixture
def sent(session):
    """A part that is on its way."""
    order = paid_order(session, make_listing(session))
    (part,) = parts_of(session, order.order_id)
    service.ship(session, actor=STAFF, seller_order_id=part.id, tracking=None, now=NOW)
    return part


def complain(session, part, words):
    service.complain(session, actor=GUEST, seller_order_id=part.id, words=words, now=NOW)


def test_silence_confirms_nothing_while_a_complaint_waits(session, sent):
    complain(session, sent, "The bag is torn.")
    later = (NOW + timedelta(days=30)).date()
    assert service.confirm_silent(session, on=later, now=NOW) == 0
    service.answer_complaint(session, actor=STAFF, seller_order_id=sent.id, answer="A new one is on its way.", now=NOW)
    assert service.confirm_silent(session, on=later, now=NOW) == 1
    (seen,) = queries.complaints(session, [sent.id])
    assert (seen.words, seen.answer) == ("The bag is torn.", "A new one is on its way.")


def test_one_complaint_waits_and_grows(session, sent):
    for words in ("The bag is torn.", "The bag is torn.", "Half of it is gone."):
        complain(session, sent, words)
    (seen,) = queries.complaints(session, [sent.id])
    assert seen.words == "The bag is torn.\n\nHalf of it is gone."
    assert seen.answer is None


def test_what_makes_no_complaint_is_refused(session, sent):
    for words in ("  ", "x" * 2001):
        with pytest.raises(ComplaintFaulty):
            complain(session, sent, words)
    with pytest.raises(OrderMissing):
        service.answer_complaint(session, actor=STAFF, seller_order_id=sent.id, answer="To what?", now=NOW)
    (unpaid,) = parts_of(session, place(session, make_listing(session)).order_id)
    with pytest.raises(WrongState):
        complain(session, unpaid, "Too late")
