"""Cards that are charged when the goods are packed: the whole is kept, what is sent is taken once, the rest is let go."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from market.catalogue.models import Stock
from market.gateways.memory_stripe import MemoryCards
from market.http.db import unit_of_work
from market.invoices import queries as invoice_queries
from market.invoices import service as invoices
from market.kernel.actor import GUEST, Actor
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.ledger import queries as books
from market.notifications import service as notifications
from market.notifications.models import Notification
from market.orders import queries, service
from market.orders.errors import QuantityFaulty, WrongState
from market.payments import queries as payment_queries
from market.payments import service as payments
from market.payments.errors import PaymentNotOpen
from market.payments.ports import CaptureOrder
from market.payments.rules import State
from market.producers.models import Coop, Producer
from tests.conftest import NOW
from tests.domain.payments.reading import balances
from tests.factories.accounts import make_staff
from tests.factories.catalogue import make_listing
from tests.factories.orders import parts_of, place
from tests.factories.provenance import make_actor

STAFF = Actor(account_id=new_id(), roles=frozenset({"preparer"}))
URLS = {"return_url": "http://shop/paid", "cancel_url": "http://shop/order"}
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def cards():
    return MemoryCards()


@pytest.fixture
def kept(session, cards):
    """An order of two lines whose amount is kept on a card: listing, order, its only part."""
    listing = make_listing(session)
    other = make_listing(session, producer=session.get_one(Producer, listing.producer_id))
    session.get_one(Coop, listing.coop_id).charge_when_packed = True
    placed = place(session, listing, other, quantity=4)
    session.commit()
    opened = payments.start_checkout(unit_of_work, cards, payment_id=placed.payment_id, now=NOW, **URLS)
    cards.pay(opened.checkout_id)
    seen = look(cards, placed)
    assert seen.state is State.AUTHORISED
    with unit_of_work() as own:
        service.mark_authorised(own, order_id=placed.order_id, now=NOW)
    (part,) = parts_of(session, placed.order_id)
    return listing, placed, part


def look(cards, placed):
    return payments.refresh(unit_of_work, cards, payment_id=placed.payment_id, now=LATER)


def pack(session, placed, part, *quantities):
    """The producer weighs; what follows is decided."""
    said = {line.id: Decimal(sent) for line, sent in zip(part.lines, quantities, strict=True)}
    service.pack(session, actor=STAFF, seller_order_id=part.id, quantities=said, now=LATER)
    service.charge_packed(session, order_id=placed.order_id, now=LATER)
    session.commit()


def settle(cards, placed, now=LATER):
    return payments.settle_authorisation(unit_of_work, cards, payment_id=placed.payment_id, now=now)


def sound(session) -> bool:
    return books.check(session) == [] and queries.check(session) == [] and invoice_queries.check(session) == []


def test_less_than_was_authorised_is_taken_once_and_the_rest_let_go(session, cards, kept):
    listing, placed, part = kept
    coop = session.get_one(Coop, listing.coop_id)
    assert balances(session, coop) == {}, "kept is not paid"
    assert part.state == "authorised"
    taken_before = session.get_one(Stock, listing.lot_id).on_hand
    pack(session, placed, part, "1.25", 0)
    assert settle(cards, placed) is State.SUCCEEDED
    assert settle(cards, placed) is State.SUCCEEDED, "a second wake-up does nothing"
    with unit_of_work() as own:
        assert service.mark_paid(own, order_id=placed.order_id, payment_id=placed.payment_id, now=LATER)
    payment, order = payment_queries.payment(session, placed.payment_id), queries.order(session, placed.order_id)
    assert payment.received == payment.money == order.charged
    assert sum(line.gross.minor for line in cards.balance_lines(NOW)) == payment.money.minor
    assert 0 < payment.money.minor < placed.total.minor / 4
    assert (order.state, order.parts[0].state, order.parts[0].refunded.minor) == ("paid", "paid", 0)
    assert queries.can_refund(order.parts[0])
    assert balances(session, coop)["card_clearing"] == payment.money.minor
    session.expire_all()
    assert session.get_one(Stock, listing.lot_id).on_hand == taken_before + Decimal("2.75")
    paper = invoice_queries.paper(session, invoices.issue_invoice(session, order_id=order.id, coop_id=coop.id, now=LATER))
    assert (paper.total_minor, [line.quantity for line in paper.lines]) == (payment.money.minor, ["1.25"])
    assert sound(session)


def test_what_was_charged_is_settled_and_refunded_like_any_order(session, cards, kept):
    listing, placed, part = kept
    pack(session, placed, part, 3, 4)
    settle(cards, placed)
    service.mark_paid(session, order_id=placed.order_id, payment_id=placed.payment_id, now=LATER)
    service.refund_lines(
        session, actor=STAFF, seller_order_id=part.id, quantities={part.lines[0].id: Decimal(1)}, reason="broken",
        bearer="coop", now=LATER,
    )  # fmt: skip
    assert sound(session)
    invoices.issue_credit_notes(session, seller_order_id=part.id, now=LATER)
    service.ship(session, actor=STAFF, seller_order_id=part.id, tracking=None, now=LATER)
    service.confirm(session, actor=GUEST, seller_order_id=part.id, now=LATER)
    assert service.settle_due(session, now=LATER) == 1
    (after,) = parts_of(session, placed.order_id)
    order = queries.order(session, placed.order_id)
    owed = balances(session, session.get_one(Coop, listing.coop_id))
    assert owed[f"payable:{part.producer_id}"] == queries.component_sums(after)["goods"].minor
    assert 0 < order.refunded.minor < order.charged.minor
    assert sound(session)


@pytest.mark.parametrize("fault", ["before", "after"])
def test_an_unknown_outcome_is_repeated_by_the_sweep_and_taken_once(session, cards, kept, fault):
    _, placed, part = kept
    pack(session, placed, part, 2, 2)
    cards.trouble = [fault]
    assert settle(cards, placed) is State.AUTHORISED
    assert payments.sweep(unit_of_work, cards, now=LATER)["authorisations"] == 0, "its turn has not come"
    assert payments.sweep(unit_of_work, cards, now=LATER + timedelta(minutes=3))["authorisations"] == 1
    assert look(cards, placed).is_paid
    assert len(cards.balance_lines(NOW)) == 1


def test_after_23_hours_the_key_is_another_and_what_was_taken_is_found(session, cards, kept):
    _, placed, part = kept
    pack(session, placed, part, 2, 2)
    cards.trouble = ["after"]
    keys, capture = [], cards.capture
    cards.capture = lambda order: keys.append(order.key) or capture(order)
    settle(cards, placed)
    assert settle(cards, placed, LATER + timedelta(hours=24)) is State.SUCCEEDED
    assert len(cards.balance_lines(NOW)) == 1
    assert [key.rpartition("-")[2] for key in keys] == ["v1", "v2"]


def test_nothing_packed_lets_go_and_ends_the_order(session, cards, kept):
    _, placed, part = kept
    pack(session, placed, part, 0, 0)
    assert settle(cards, placed) is State.EXPIRED
    assert service.end_authorised(session, now=LATER) == [placed.order_id]
    assert service.end_authorised(session, now=LATER) == []
    (after,) = parts_of(session, placed.order_id)
    assert after.state == "cancelled"
    assert cards.balance_lines(NOW) == []
    assert sound(session)


def test_an_authorisation_that_runs_out_is_let_go_by_the_sweep_and_its_goods_are_free(session, cards, kept):
    listing, placed, _ = kept
    before = session.get_one(Stock, listing.lot_id).on_hand
    almost = NOW + timedelta(days=6, hours=20)
    assert payments.sweep(unit_of_work, cards, now=almost)["running_out"] == 0
    done = payments.sweep(unit_of_work, cards, now=almost + timedelta(hours=2))
    assert done["running_out"] == 1
    settle(cards, placed, almost + timedelta(hours=2))
    assert service.end_authorised(session, now=almost + timedelta(hours=2)) == [placed.order_id]
    session.expire_all()
    assert session.get_one(Stock, listing.lot_id).on_hand == before + 4


def test_the_buyer_may_cancel_until_something_is_packed(session, cards, kept):
    _, placed, _ = kept
    with pytest.raises(PaymentNotOpen):
        payments.close(unit_of_work, cards, payment_id=placed.payment_id, now=LATER)
    service.let_go(session, actor=GUEST, order_id=placed.order_id, now=LATER)
    session.commit()
    assert settle(cards, placed) is State.EXPIRED
    assert service.end_authorised(session, now=LATER) == [placed.order_id]


def test_packing_is_said_once_and_never_more_than_ordered(session, cards, kept):
    _, placed, part = kept
    with pytest.raises(QuantityFaulty):
        pack(session, placed, part, "4.01", 1)
    session.rollback()
    pack(session, placed, part, 4, 1)
    with pytest.raises(WrongState):
        pack(session, placed, part, 4, 1)
    session.rollback()
    with pytest.raises(WrongState):
        service.let_go(session, actor=GUEST, order_id=placed.order_id, now=LATER)
    with pytest.raises(DBAPIError, match="was decided"):
        session.execute(text("UPDATE card_authorisation SET captured_minor = 1"))
    session.rollback()
    settle(cards, placed)


def test_the_processor_ending_it_by_itself_ends_the_order(session, cards, kept):
    _, placed, _ = kept
    cards._see(payment_queries.payment(session, placed.payment_id).checkout_id, state="expired")
    assert look(cards, placed).state is State.EXPIRED
    assert service.end_authorised(session, now=LATER) == [placed.order_id]


@pytest.mark.parametrize("lost", [False, True])
def test_events_of_a_part_that_was_taken_come_twice_late_and_in_no_order(session, cards, kept, lost):
    listing, placed, part = kept
    pack(session, placed, part, 2, 1)
    if lost:
        cards.trouble = ["after"]
    assert settle(cards, placed) is (State.AUTHORISED if lost else State.SUCCEEDED)
    events = [one for one in cards.events_since(NOW) if one.kind.startswith(("payment_intent.", "checkout.session."))]
    assert len(events) >= 2
    for day in range(3):
        for event in reversed(events) if day % 2 == 0 else events:
            with unit_of_work() as own:
                stored = payments.store_event(own, event=event, now=NOW + timedelta(days=day))
            if stored is not None:
                for _ in range(2):
                    payments.handle_event(unit_of_work, cards, inbox_id=stored, now=NOW + timedelta(days=day))
        assert payment_queries.payment(session, placed.payment_id).is_paid
        assert settle(cards, placed, now=NOW + timedelta(days=day)) is State.SUCCEEDED
    service.mark_paid(session, order_id=placed.order_id, payment_id=placed.payment_id, now=LATER)
    session.commit()
    assert not service.mark_paid(session, order_id=placed.order_id, payment_id=placed.payment_id, now=LATER)
    payment, order = payment_queries.payment(session, placed.payment_id), queries.order(session, placed.order_id)
    assert payment.received == order.charged < placed.total
    assert balances(session, session.get_one(Coop, listing.coop_id))["card_clearing"] == payment.received.minor
    assert len(cards.balance_lines(NOW)) == 1
    assert sound(session)


def in_the_dashboard(cards, session, placed, minor):
    """Somebody takes a sum of an authorisation by hand, at the card company."""
    known = payment_queries.payment(session, placed.payment_id)
    seen = cards.checkout(known.checkout_id)
    cards.capture(CaptureOrder("dashboard", seen.checkout_id, seen.intent_id, Money(minor, known.money.currency)))
    look(cards, placed)
    with unit_of_work() as own:
        service.mark_paid(own, order_id=placed.order_id, payment_id=placed.payment_id, now=LATER)
    payments.sync_balance(unit_of_work, cards, now=LATER)
    session.expire_all()
    return payment_queries.payment(session, placed.payment_id)


@pytest.mark.parametrize("decided", [False, True])
def test_less_taken_in_the_dashboard_pays_the_order_and_the_rest_is_a_question_for_staff(session, cards, kept, decided):
    listing, placed, part = kept
    if decided:
        pack(session, placed, part, 4, 3)
    asked = payment_queries.payment(session, placed.payment_id).money.minor
    payment = in_the_dashboard(cards, session, placed, asked - 101)
    coop, (after,) = session.get_one(Coop, listing.coop_id), parts_of(session, placed.order_id)
    assert (payment.state, payment.received.minor, payment.refunded.minor) == (State.SUCCEEDED, asked - 101, 0)
    assert (after.state, after.problem, after.refunded.minor, after.charged.minor) == ("paid", "charged_less", 0, asked - 101)
    found = balances(session, coop)
    assert not {"card_clearing", "refund_payable", "suspense:s"} & found.keys(), "what never came is owed to nobody"
    assert sum(minor for code, minor in found.items() if code.startswith("held:")) == asked - 101
    order = queries.order(session, placed.order_id)
    invoice_id = invoices.issue_invoice(session, order_id=order.id, coop_id=coop.id, now=LATER)
    (note,) = invoices.issue_credit_notes(session, seller_order_id=part.id, now=LATER)
    papers = [invoice_queries.paper(session, one).total_minor for one in (invoice_id, note)]
    assert papers == [asked, 101]
    assert service.note_refunds(session, seller_order_id=part.id, now=LATER) is False
    make_staff(session, coop=coop)
    said = session.execute(text("SELECT topic, payload FROM outbox ORDER BY id")).all()
    assert "payments.refunded" not in {one.topic for one in said}, "nothing goes back, so nobody hears that it does"
    for one in said:
        if one.topic in ("orders.problem", "orders.refunded"):
            notifications.tell(session, topic=one.topic, payload=one.payload, now=LATER)
    assert sorted(session.scalars(select(Notification.kind))) == ["charged_less", "order_charged_less"]
    assert sound(session)


def test_more_taken_in_the_dashboard_than_was_packed_goes_back_and_the_order_is_paid(session, cards, kept):
    listing, placed, part = kept
    pack(session, placed, part, 2, 1)
    asked = payment_queries.payment(session, placed.payment_id).money
    payment = in_the_dashboard(cards, session, placed, asked.minor + 250)
    assert (payment.state, payment.received.minor, payment.refunded.minor) == (State.SUCCEEDED, asked.minor + 250, 250)
    (surplus,) = payment_queries.refunds_of(session, payment_id=placed.payment_id)
    assert (surplus.kind, surplus.state, surplus.money.minor) == ("surplus", "decided", 250)
    (after,) = parts_of(session, placed.order_id)
    assert (after.state, after.problem, after.refunded.minor) == ("paid", None, 0)
    found = balances(session, session.get_one(Coop, listing.coop_id))
    assert (found["refund_payable"], "card_clearing" in found) == (250, False)
    assert sound(session)


def test_what_is_taken_after_the_buyer_cancelled_goes_back_whole(session, cards, kept):
    _, placed, _ = kept
    service.let_go(session, actor=GUEST, order_id=placed.order_id, now=LATER)
    session.commit()
    payment = in_the_dashboard(cards, session, placed, placed.total.minor)
    assert (payment.state, payment.refunded) == (State.SURPLUS, placed.total)
    assert queries.order(session, placed.order_id).state == "authorised", "until the sweep ends it"
    assert service.end_authorised(session, now=LATER) == [placed.order_id]
    assert sound(session)


def test_nothing_is_charged_of_a_lot_that_was_withdrawn_before_it_was_packed(session, cards, kept):
    listing, placed, part = kept
    facts = {"reason": "Mould", "advice": "keep", "with_lots": (), "lot_id": listing.lot_id}
    made = service.withdraw_lot(session, actor=make_actor(session.get_one(Coop, listing.coop_id)), now=NOW, **facts)
    assert service.note_withdrawn(session, withdrawal_id=made.id, order_id=placed.order_id, now=NOW)
    assert not service.note_withdrawn(session, withdrawal_id=made.id, order_id=placed.order_id, now=NOW)
    withdrawn = [line.lot_id == listing.lot_id for line in part.lines]
    with pytest.raises(QuantityFaulty, match="withdrawn"):
        pack(session, placed, part, 4, 4)
    session.rollback()
    pack(session, placed, part, *(0 if gone else 4 for gone in withdrawn))
    (after,) = parts_of(session, placed.order_id)
    assert (after.charged, after.total) == (after.lines[withdrawn.index(False)].total, placed.total)
