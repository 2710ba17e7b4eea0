"""Staff withdraw a lot: asked first, off sale at once, money back for what was not sent, everybody told once, and taken back."""

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from market.accounts.models import Account
from market.catalogue import service as catalogue
from market.catalogue.errors import ListingNotForSale
from market.catalogue.models import Listing
from market.http.db import unit_of_work
from market.kernel.audit import AuditEntry
from market.kernel.outbox import OutboxRow
from market.ledger import queries as books
from market.notifications.models import Notification
from market.orders import queries as order_queries
from market.orders import service as orders
from market.orders.errors import ListingGone, WrongState
from market.payments import service as payments
from market.payments.models import Refund
from market.producers.models import Producer
from market.provenance import service as provenance
from market.provenance.errors import LotWithdrawn
from market.provenance.models import Lot
from tests.conftest import NOW
from tests.factories.accounts import actor_for, csrf_token, make_account, make_staff, sign_in
from tests.factories.catalogue import make_listing
from tests.factories.orders import paid_order, parts_of, place
from tests.factories.producers import make_coop, make_producer
from tests.factories.provenance import HOST, make_actor, make_lot, make_place
from workers import notifications as letters
from workers import orders as tasks

REASON = "Ochratoxin found by the laboratory.\nBatch 7."


def made_from(session, coop, producer, lot, name):
    new = provenance.NewLot(name=name, quantity=Decimal(10), uom="KGM", on=date(2026, 6, 20))
    place = make_place(session, coop=coop, producer=producer, name=f"Mill of {name}")
    return provenance.record_transformation(
        session, actor=make_actor(coop, producer), host=HOST, coop_id=coop.id, producer_id=producer.id, process="other",
        inputs=[(lot.id, Decimal(20))], new=new, place_id=place.id, zone="America/Bogota", now=NOW,
    )  # fmt: skip


class World:
    """A harvest and two lots made from it, offers of all, and orders in every state: unpaid, paid, sent, with other goods."""

    def __init__(self, session, coop):
        self.producer = make_producer(session, coop=coop, account_id=make_account(session, email="rosa@example.org").id)
        self.lot = make_lot(session, coop=coop, producer=self.producer)
        self.washed, self.husks = (made_from(session, coop, self.producer, self.lot, name) for name in ("Washed", "Husks"))
        lots = (self.lot, self.washed, self.husks)
        self.offers = [make_listing(session, producer=self.producer, lot=lot, title=lot.name) for lot in lots]
        self.other = make_listing(session, producer=self.producer, title="Honey")
        self.unpaid = place(session, self.offers[0], method="transfer")
        self.paid = paid_order(session, self.offers[0], self.other)
        self.sent = paid_order(session, self.offers[1])
        self.kept = paid_order(session, self.offers[2])
        (part,) = parts_of(session, self.sent.order_id)
        orders.ship(session, actor=make_actor(coop), seller_order_id=part.id, tracking=None, now=NOW)
        session.commit()
        # What a request reads is detached from here on: lots and offers are kept by what names them.
        lots = (self.lot, self.washed, self.husks)
        self.lot, self.washed, self.husks = (SimpleNamespace(id=lot.id, slug=lot.slug) for lot in lots)
        self.offers, self.other, self.producer = [offer.id for offer in self.offers], self.other.id, self.producer.id

    def path(self, end=""):
        return f"/console/lots/{self.lot.id}{end}"

    def withdraw(self, desk, **form):
        wanted = {"reason": REASON, "advice": "discard", "with_lots": [str(self.washed.id)]} | form
        return desk.post(desk.preparer, self.path("/withdrawal"), **wanted)


@pytest.fixture
def world(session, coop):
    return World(session, coop)


def run(session):
    """Do what the outbox asks of orders and letters about withdrawals, twice: tasks may run twice."""
    for _ in range(2):
        session.commit()
        for row in session.scalars(
            select(OutboxRow).where(OutboxRow.topic.like("orders.%withdraw%")).order_by(OutboxRow.id)
        ).all():
            topic, payload = row.topic, dict(row.payload)
            if topic == "orders.lot_withdrawn":
                tasks.stop_withdrawn(**payload)
            if topic == "orders.lot_withdrawal_ended":
                tasks.let_parts_go(**payload)
            letters.tell(topic=topic, **payload)


def take_back(desk, world, reason):
    """Send the form as whoever is signed in."""
    return desk.client.post(world.path("/withdrawal/end"), data={"csrf_token": csrf_token(desk.client), "end_reason": reason})


def told(session, like="%"):
    session.expire_all()
    wanted = select(Notification.kind, Notification.email).where(
        Notification.fact.like("withdrawal:%"), Notification.kind.like(like)
    )
    return sorted(tuple(row) for row in session.execute(wanted))


def states(session, *listings):
    session.expire_all()
    return [session.get(Listing, listing).state for listing in listings]


def test_a_lot_is_withdrawn_with_what_was_made_from_it_and_everybody_is_told_once(desk, session, coop, world):
    offers = world.offers
    shown = desk.get(desk.preparer, world.path()).text
    assert "Withdraw this lot" in shown
    assert all(f'value="{lot.id}" checked' in shown for lot in (world.washed, world.husks))
    assert "Please fill this in." in world.withdraw(desk, reason=" ").text
    asked = world.withdraw(desk).text
    for words in ("Withdraw the lot “Coffee cherries”?", "Washed", "Husks", "Goes back to buyers", "throws it away"):
        assert words in asked, words
    assert states(session, *offers) == ["published"] * 3
    assert world.withdraw(desk, sure="yes").status_code == 303

    # At once, before any worker: the offers are gone, the page says why, nothing can be sold, sent or made of it.
    assert states(session, *offers, world.other) == ["withdrawn", "withdrawn", "published", "published"]
    page = desk.client.get(f"/lots/{world.washed.slug}")
    assert page.status_code == 410
    assert "Ochratoxin" in page.text
    assert "Throw them away" in page.text
    assert desk.client.get(f"/lots/{world.husks.slug}").status_code == 200
    assert desk.client.get(f"/api/v1/lots/{world.lot.slug}").json["advice"] == "discard"
    assert len(desk.client.get(f"/api/v1/lots/{world.lot.slug}/events").json["epcisBody"]["eventList"]) == 1
    assert "Coffee cherries" not in desk.client.get("/shop").text
    staff = make_actor(coop)
    with pytest.raises(ListingNotForSale):
        catalogue.publish_listing(session, actor=staff, listing_id=offers[1], now=NOW)
    with pytest.raises(ListingGone):
        place(session, session.get(Listing, offers[0]))
    with pytest.raises(LotWithdrawn):
        made_from(session, coop, session.get(Producer, world.producer), session.get(Lot, world.washed.id), "Roasted")
    (part,) = parts_of(session, world.paid.order_id)
    with pytest.raises(WrongState):
        orders.ship(session, actor=staff, seller_order_id=part.id, tracking=None, now=NOW)

    run(session)
    assert told(session) == [
        ("goods_withdrawn", "ana@example.org"), ("goods_withdrawn", "ana@example.org"),
        ("lot_withdrawn", "rosa@example.org"), ("lot_withdrawn", "rosa@example.org"),
    ]  # fmt: skip
    (part,) = parts_of(session, world.paid.order_id)
    assert [(line.title, line.returned) for line in part.lines if line.returned] == [("Coffee cherries", 2)]
    assert (part.state, part.problem, session.query(Refund).count()) == ("paid", None, 1)
    assert [parts_of(session, each.order_id)[0].state for each in (world.unpaid, world.sent, world.kept)] == [
        "cancelled", "shipped", "paid",
    ]  # fmt: skip
    orders.ship(session, actor=staff, seller_order_id=part.id, tracking=None, now=NOW)  # the honey
    assert {row.subject_id for row in session.scalars(select(AuditEntry).where(AuditEntry.action == "lot.withdrawn"))} == {
        str(world.lot.id), str(world.washed.id),
    }  # fmt: skip
    assert books.check(session) + order_queries.check(session) == []
    listed = desk.get(desk.preparer, world.path()).text
    assert all(words in listed for words in ("sent already", "not sent yet", "Take the withdrawal back"))
    assert world.withdraw(desk, sure="yes").status_code == 422  # it is withdrawn already


def test_a_withdrawal_is_taken_back_and_whoever_was_told_is_told_that(desk, session, coop, world):
    world.withdraw(desk, sure="yes")
    late = world.offers[1]
    run(session)
    assert take_back(desk, world, "").status_code == 422
    assert take_back(desk, world, "Wrong sack").status_code == 303
    run(session)
    assert told(session, "%_not") == [
        ("goods_withdrawn_not", "ana@example.org"), ("goods_withdrawn_not", "ana@example.org"),
        ("lot_withdrawn_not", "rosa@example.org"), ("lot_withdrawn_not", "rosa@example.org"),
    ]  # fmt: skip
    assert desk.client.get(f"/lots/{world.lot.slug}").status_code == 200
    assert states(session, late) == ["withdrawn"]
    catalogue.publish_listing(session, actor=make_actor(coop), listing_id=late, now=NOW)
    assert place(session, session.get(Listing, late)).number
    assert take_back(desk, world, "Twice").status_code == 422


def test_card_pages_are_closed_and_who_has_just_paid_is_stopped_and_told(desk, session, coop, world, app):
    cards, preparer = app.extensions["ports"].cards, desk.preparer.id
    goods = [session.get(Listing, each) for each in (world.offers[0], world.other)]
    paying, looking = place(session, *goods), place(session, *goods)
    session.commit()
    pages = {"return_url": "http://shop/paid", "cancel_url": "http://shop/order", "now": NOW}
    opened = [payments.start_checkout(unit_of_work, cards, payment_id=each.payment_id, **pages) for each in (paying, looking)]
    desk.preparer = session.get(Account, preparer)
    assert world.withdraw(desk, sure="yes").status_code == 303
    cards.pay(opened[0].checkout_id)  # and nobody here knows it yet
    run(session)
    assert cards.checkout(opened[1].checkout_id).state == "expired"
    assert [part.state for part in parts_of(session, looking.order_id)] == ["cancelled"]
    (part,) = parts_of(session, paying.order_id)
    assert (part.state, part.problem) == ("paid", None)
    assert [line.returned for line in part.lines if line.title == "Coffee cherries"] == [2]
    assert len(told(session, "goods_withdrawn")) == 3


def test_nobody_withdraws_a_lot_of_another_co_op(desk, client, session, world):
    stranger = make_staff(session, coop=make_coop(session), role="approver")
    for end, form in (
        ("/withdrawal", {"reason": "x", "advice": "keep", "sure": "yes"}),
        ("/withdrawal/end", {"end_reason": "x"}),
    ):
        assert desk.post(stranger, world.path(end), **form).status_code == 404
    assert sign_in(client, session, stranger).get(world.path()).status_code == 404
    actor = actor_for(session, stranger)
    with pytest.raises(Exception, match="no such lot"):
        orders.withdraw_lot(session, actor=actor, lot_id=world.lot.id, with_lots=(), reason="x", advice="keep", now=NOW)
    assert states(session, world.offers[0]) == ["published"]
