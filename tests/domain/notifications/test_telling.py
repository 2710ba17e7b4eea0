"""One mail per fact and person, whatever runs twice; refused groups stay away; failures are tried again and end."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import select, text

from market.kernel.actor import GUEST, Actor
from market.kernel.ids import new_id
from market.notifications import rules, service
from market.notifications.audience import TELLERS
from market.notifications.models import Notification
from market.orders import service as orders
from market.orders.models import OrderLine
from tests.conftest import NOW
from tests.factories.accounts import actor_for, make_producer_account
from tests.factories.catalogue import make_listing
from tests.factories.orders import paid_order, parts_of
from tests.factories.producers import make_producer
from workers.outbox import TOPICS

STAFF = Actor(account_id=new_id(), roles=frozenset({"preparer"}))


def paid(session, producer=None):
    listing = make_listing(session, producer=producer or make_producer(session))
    placed = paid_order(session, listing)
    return {"order_id": str(placed.order_id)}


def kinds(session):
    return sorted(session.scalars(select(Notification.kind)))


def test_every_topic_told_has_a_teller():
    told = {topic for topic, tasks in TOPICS.items() if "notifications.tell" in tasks}
    assert told == set(TELLERS)


def test_buyer_gets_a_receipt_and_producer_a_packing_note_once(session):
    producer = make_producer(session)
    make_producer_account(session, producer=producer)
    payload = paid(session, producer)
    assert service.tell(session, topic="orders.paid", payload=payload, now=NOW) == 2
    assert service.tell(session, topic="orders.paid", payload=payload, now=NOW) == 0
    assert kinds(session) == ["packing_note", "receipt"]


def test_a_worker_that_is_late_tells_what_was_paid_and_what_is_to_be_sent_now(session):
    """A line was replaced before anybody was told that the order is paid."""
    producer = make_producer(session)
    make_producer_account(session, producer=producer)
    placed = paid_order(session, make_listing(session, producer=producer))
    (part,) = parts_of(session, placed.order_id)
    instead = make_listing(session, producer=producer, title="Cocoa")
    asked = orders.propose_substitution(
        session, actor=STAFF, seller_order_id=part.id, line_id=part.lines[0].id, listing_id=instead.id, quantity=Decimal(1),
        words="The last basket broke.", now=NOW,
    )  # fmt: skip
    orders.answer_substitution(session, actor=GUEST, order_id=placed.order_id, substitution_id=asked, accept=True, now=NOW)
    session.expire_all()
    service.tell(session, topic="orders.paid", payload={"order_id": str(placed.order_id)}, now=NOW)
    told = {row.kind: row.facts["facts"] for row in session.scalars(select(Notification))}
    assert sum(amount["money"][0] for _, amount in told["receipt"]["rows"]) == placed.total.minor
    assert told["packing_note"]["rows"] == [["Cocoa", {"quantity": ["1", "kg"]}]]


def test_a_refused_group_stays_away_but_a_receipt_always_comes(session):
    producer = make_producer(session)
    account = make_producer_account(session, producer=producer)
    service.choose(session, actor=actor_for(session, account), topic="selling", wanted=False)
    service.tell(session, topic="orders.paid", payload=paid(session, producer), now=NOW)
    states = dict(session.execute(select(Notification.kind, Notification.state)).all())
    assert states == {"packing_note": "unwanted", "receipt": "waiting"}
    with pytest.raises(service.UnknownTopic):
        service.choose(session, actor=actor_for(session, account), topic="spam", wanted=False)


def test_a_claimed_mail_is_nobody_elses_until_its_lease_ends(session):
    service.tell(session, topic="orders.paid", payload=paid(session), now=NOW)
    first = service.claim(session, now=NOW)
    assert first is not None
    assert first.kind == "receipt"
    assert service.claim(session, now=NOW) is None
    again = service.claim(session, now=NOW + service.LEASE)
    assert again is not None
    assert again.id == first.id
    service.record_sent(session, notification_id=first.id, now=NOW)
    assert service.claim(session, now=NOW + timedelta(days=1)) is None


def test_failures_are_tried_again_and_end_where_a_person_sees_them(session):
    service.tell(session, topic="orders.paid", payload=paid(session), now=NOW)
    now = NOW
    for _ in range(rules.TRIES):
        mail = service.claim(session, now=now)
        assert mail is not None
        service.record_failure(session, notification_id=mail.id, problem="busy", final=False, now=now)
        now += timedelta(hours=5)
    assert service.claim(session, now=now) is None
    assert session.scalars(select(Notification.state)).one() == "failed"


def test_the_producer_hears_what_is_to_be_sent_when_an_order_changes(session):
    producer = make_producer(session)
    make_producer_account(session, producer=producer)
    order_id = UUID(paid(session, producer)["order_id"])
    (part,) = parts_of(session, order_id)
    line = part.lines[0]
    for wanted in (1, 0):
        change = {"order_id": order_id, "seller_order_id": part.id, "quantities": {line.id: Decimal(wanted)}}
        orders.change_part(session, actor=GUEST, now=NOW, **change)
    said = session.execute(text("SELECT payload FROM outbox WHERE topic = 'orders.changed' ORDER BY id")).scalars().all()
    assert len(said) == 2
    assert service.tell(session, topic="orders.changed", payload=said[1], now=NOW) == 1
    assert kinds(session) == ["packing_stopped"]
    line_left = session.get_one(OrderLine, line.id)
    line_left.returned_quantity = Decimal(1)
    session.flush()
    session.expire_all()
    for _ in range(2):
        service.tell(session, topic="orders.changed", payload=said[0], now=NOW)
    mail = session.scalars(select(Notification).where(Notification.kind == "packing_changed")).one()
    left = f"{line.quantity - 1:f}".rstrip("0").rstrip(".")
    assert mail.facts["facts"]["rows"] == [[line.title, {"quantity": [left, line.unit]}]]


def test_each_refund_of_a_part_tells_what_comes_this_time(session):
    order_id = UUID(paid(session)["order_id"])
    (part,) = parts_of(session, order_id)
    line = part.lines[0]
    for _ in range(2):
        orders.refund_lines(
            session, actor=STAFF, seller_order_id=part.id, quantities={line.id: line.quantity / 4}, reason="wet", bearer="coop",
            now=NOW,
        )  # fmt: skip
    session.expire_all()
    said = session.execute(text("SELECT payload FROM outbox WHERE topic = 'orders.refunded' ORDER BY id")).scalars().all()
    for payload in (said[1], said[0], said[1]):  # whoever is told first, and twice
        service.tell(session, topic="orders.refunded", payload=payload, now=NOW)
    told = [row.facts["facts"]["refunded"]["money"][0] for row in session.scalars(select(Notification))]
    (part,) = parts_of(session, order_id)
    assert len(told) == 2
    assert sum(told) == part.refunded.minor
    assert abs(told[0] - told[1]) <= 1
