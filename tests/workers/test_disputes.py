"""A card dispute from the buyer's bank to the books, over the real gateway and the simulator: hold, answer, decision."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from market.earnings import service as earnings
from market.earnings.models import PayableHold
from market.gateways.stripe_cards import StripeCards
from market.http.db import unit_of_work
from market.kernel.actor import GUEST, Actor, system
from market.kernel.ids import new_id
from market.kernel.outbox import OutboxRow
from market.ledger import queries as books
from market.orders import service as orders
from market.orders.dispute_queries import bearings
from market.orders.errors import BearerFaulty, WrongState
from market.payables import queries as payables
from market.payables.models import Payable
from market.payments import dispute_queries as queries
from market.payments import service
from market.payments.errors import DisputeClosed, EvidenceNeeded, PaymentDisputed, ProcessorUnavailable
from market.payments.models import Refund
from market.ports import Ports
from market.producers.models import Coop
from tests.domain.payments.reading import balances
from tests.factories.accounts import csrf_token, make_staff, sign_in
from tests.factories.orders import parts_of, place
from tests.stripe_server import KEY, SECRET, StripeServer
from workers import orders as tasks
from workers import payments as payment_tasks

TODAY = datetime.now(UTC)
STAFF = Actor(account_id=new_id(), roles=frozenset({"preparer"}))
WORDS = "Ordered, sent and received, as the tracking shows."


@pytest.fixture
def server(tmp_path):
    """A processor that knows nothing of other tests: what it told of theirs would all be gone through again."""
    running = StripeServer(tmp_path)
    yield running
    running.stop()


@pytest.fixture
def cards(app, server, clock, session, monkeypatch):
    """The app with the real gateway, on the present day: the simulator's clock is the machine's."""
    clock.instant = TODAY
    gateway = StripeCards(key=KEY, webhook_secret=SECRET, api_base=server.url, retries=0, timeout=5)
    monkeypatch.setitem(app.extensions, "ports", Ports(cards=gateway))
    yield gateway
    server.control("faults/clear")


@pytest.fixture
def sold(session, cards, server):
    """A paid order, its only part, and the payment's intent."""
    placed = place(session, now=TODAY)
    session.commit()
    page = service.start_checkout(
        unit_of_work, cards, payment_id=placed.payment_id, return_url="http://r", cancel_url="http://c", now=TODAY
    )
    server.pay(page.checkout_url)
    paid = service.refresh(unit_of_work, cards, payment_id=placed.payment_id, now=TODAY)
    with unit_of_work() as unit:
        orders.mark_paid(unit, order_id=placed.order_id, payment_id=paid.id, now=TODAY)
    (part,) = parts_of(session, placed.order_id)
    intent = cards.checkout(page.checkout_id).intent_id
    return placed, part, intent


def settle(session, part) -> None:
    with unit_of_work() as unit:
        orders.ship(unit, actor=STAFF, seller_order_id=part.id, tracking="T1", now=TODAY)
        orders.confirm(unit, actor=GUEST, seller_order_id=part.id, now=TODAY)
    tasks.settle()
    tasks.hold_disputed(seller_order_id=str(part.id))


def heard(session) -> None:
    """What the processor tells arrives, in any order and again, and every wake-up that follows from it."""
    payment_tasks.compare_events()
    payment_tasks.sweep()
    payment_tasks.sync_balance()
    changed = session.scalars(select(OutboxRow).where(OutboxRow.topic == "payments.dispute_changed")).all()
    for row in [*changed, *reversed(changed)]:
        tasks.note_dispute(**row.payload)


def weigh_in(session, part) -> None:
    """Owe the member for a delivery, due before any sale."""
    kilo, nothing, day = Decimal(40), Decimal(0), TODAY.date() - timedelta(days=9)
    facts = {"slip": "W-1", "gross": kilo, "tare": nothing, "rejected": nothing, "unit": "kg", "pool": "2026"}
    price = {"unit_price": Decimal("3.50"), "deduction": nothing, "currency": part.goods.currency}
    with unit_of_work() as unit:
        earnings.price_delivery(
            unit, actor=STAFF, producer_id=part.producer_id, delivered_on=day, due_on=day, now=TODAY, **facts, **price
        )


def only(session, part):
    (row,) = queries.disputes(session, coop_id=part.coop_id)
    return row


def test_a_dispute_holds_the_money_of_its_order_alone(session, cards, server, sold):
    """What is due first would be taken first, were it not asked what it is owed for."""
    _placed, part, intent = sold
    weigh_in(session, part)
    settle(session, part)
    server.control("dispute", payment_intent=intent)
    heard(session)
    assert payables.open_for(session, source_id=part.id) == []
    (owed,) = payables.owed_to(session, part.producer_id)
    assert owed.open.minor == 14_000


@pytest.mark.parametrize("settled_first", [True, False])
@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_earnings_wait_until_it_is_decided_and_the_books_say_who_bears_it(session, cards, server, sold, settled_first, outcome):
    placed, part, intent = sold
    coop = session.get_one(Coop, part.coop_id)
    if settled_first:
        settle(session, part)
    ref = server.control("dispute", payment_intent=intent)["dispute"]
    heard(session)
    if not settled_first:
        settle(session, part)
    taken = placed.total.minor
    after = balances(session, coop)
    assert (after["disputed"], after["dispute_cost"], after.get("suspense:s", 0)) == (taken, 2000, 0)
    assert payables.open_for(session, source_id=part.id) == []
    assert after[f"payable_on_hold:{part.producer_id}"] == part.goods.minor
    assert only(session, part).wants_evidence

    service.submit_evidence(unit_of_work, cards, dispute_id=only(session, part).id, text=WORDS, actor=STAFF, now=TODAY)
    server.control("dispute_closes", dispute=ref, outcome=outcome)
    for _ in range(2):
        heard(session)
    after = balances(session, coop)
    assert only(session, part).state == outcome
    assert after.get("disputed", 0) == after.get("suspense:s", 0) == 0
    assert after.get("dispute_loss", 0) == (taken if outcome == "lost" else 0)
    assert sum(one.money.minor for one in payables.open_for(session, source_id=part.id)) == part.goods.minor
    assert session.scalars(select(PayableHold.ended_at)).one() is not None
    assert books.check(session) == []


def test_the_answer_goes_out_once_even_when_the_processor_is_silent_after_it(session, cards, server, sold):
    _, part, intent = sold
    server.control("dispute", payment_intent=intent)
    heard(session)
    found = only(session, part).id
    send = {"dispute_id": found, "actor": system("t"), "now": TODAY}
    with pytest.raises(EvidenceNeeded):
        service.submit_evidence(unit_of_work, cards, text="short", **send)
    server.control("faults", kind="drop_after", path="/v1/disputes/.*", count=1)
    with pytest.raises(ProcessorUnavailable):
        service.submit_evidence(unit_of_work, cards, text=WORDS, **send)
    service.submit_evidence(unit_of_work, cards, text=WORDS, **send)
    with pytest.raises(DisputeClosed):
        service.submit_evidence(unit_of_work, cards, text=WORDS, **send)
    assert (only(session, part).state, only(session, part).evidence) == ("under_review", WORDS)


def test_staff_see_until_when_and_what_speaks_for_the_sale(client, session, cards, server, sold):
    placed, part, intent = sold
    settle(session, part)
    server.control("dispute", payment_intent=intent)
    heard(session)
    sign_in(client, session, make_staff(session, coop=session.get_one(Coop, part.coop_id), role="approver"))
    found = only(session, part).id
    assert f"/console/disputes/{found}" in client.get("/console/disputes").text
    assert "Disputes to answer" in client.get("/console").text
    page = client.get(f"/console/disputes/{found}").text
    for fact in (f"Order {placed.number}", "tracking: T1", "ana@example.org", "The card company takes one answer, until"):
        assert fact in page


def lost(session, server, sold, *, paid_out: bool):
    """A dispute about a settled part, lost; with `paid_out` the producer has their money already."""
    _, part, intent = sold
    settle(session, part)
    if paid_out:
        session.execute(update(Payable).where(Payable.source_id == part.id).values(state="paid", taken_by=new_id()))
        session.commit()
    ref = server.control("dispute", payment_intent=intent)["dispute"]
    heard(session)
    server.control("dispute_closes", dispute=ref, outcome="lost")
    heard(session)
    return only(session, part)


@pytest.mark.parametrize("paid_out", [False, True])
def test_a_lost_dispute_is_borne_by_whom_a_person_names(session, cards, server, sold, paid_out):
    placed, part, _ = sold
    coop, found = session.get_one(Coop, part.coop_id), lost(session, server, sold, paid_out=paid_out)
    before = balances(session, coop)
    named = {"actor": STAFF, "dispute_id": found.id, "seller_order_id": part.id, "now": TODAY}
    named |= {"goods": "producer", "premium": "fund", "reason": "Mouldy, as the photo shows"}
    with pytest.raises(BearerFaulty), unit_of_work() as unit:
        orders.bear_dispute(unit, **named | {"reason": " "})
    with unit_of_work() as unit:
        orders.bear_dispute(unit, **named)
    with pytest.raises(WrongState), unit_of_work() as unit:
        orders.bear_dispute(unit, **named)
    after = balances(session, coop)
    premium = before.get("fund_available", 0)
    owes = after.get(f"claim:{part.producer_id}", 0)
    assert owes == (part.goods.minor if paid_out else 0)
    assert before.get(f"payable:{part.producer_id}", 0) - after.get(f"payable:{part.producer_id}", 0) == part.goods.minor - owes
    assert after.get("fund_available", 0) == 0
    assert after["dispute_loss"] == placed.total.minor - part.goods.minor - premium
    borne = bearings(session, found.id)[part.id]
    assert (borne.producer, borne.fund.minor, borne.coop.minor) == (part.goods, premium, after["dispute_loss"])
    assert books.check(session) == []


def test_nothing_is_given_back_twice_while_the_bank_has_it(session, cards, server, sold):
    _, part, _ = sold
    lost(session, server, sold, paid_out=False)
    with pytest.raises(PaymentDisputed), unit_of_work() as unit:
        orders.refund_seller_order(unit, actor=STAFF, seller_order_id=part.id, reason="r", bearer="coop", now=TODAY)


def test_staff_name_who_bears_it_on_the_page_and_over_the_api(client, session, cards, server, sold):
    _, part, _ = sold
    found = lost(session, server, sold, paid_out=True)
    sign_in(client, session, make_staff(session, coop=session.get_one(Coop, part.coop_id), role="approver"))
    url = f"/console/disputes/{found.id}"
    assert "Who bears the loss" in client.get(url).text
    form = {"csrf_token": csrf_token(client), f"goods-{part.id}": "producer", f"premium-{part.id}": "coop"}
    assert client.post(f"{url}/parts/{part.id}/bearer", data=form).status_code == 422
    form[f"reason-{part.id}"] = "Mouldy"
    assert client.post(f"{url}/parts/{part.id}/bearer", data=form).status_code == 303
    assert "Mouldy" in client.get(url).text
    (listed,) = client.get("/api/v1/disputes").json["items"]
    assert (listed["state"], listed["bearings"][0]["producer"]["minor"]) == ("lost", part.goods.minor)
    head = {"X-CSRFToken": csrf_token(client)}
    again = {"seller_order_id": str(part.id), "goods": "coop", "premium": "coop", "reason": "again"}
    assert client.post(f"/api/v1/disputes/{found.id}/bearers", json=again, headers=head).json["code"] == "orders.wrong_state"
    assert (
        client.post(f"/api/v1/disputes/{found.id}/evidence", json={"evidence": WORDS}, headers=head).json["code"]
        == "payments.dispute_closed"
    )


def test_an_answer_is_sent_over_the_api(client, session, cards, server, sold):
    _, part, intent = sold
    server.control("dispute", payment_intent=intent)
    heard(session)
    sign_in(client, session, make_staff(session, coop=session.get_one(Coop, part.coop_id), role="approver"))
    url = f"/api/v1/disputes/{only(session, part).id}"
    answer = client.post(f"{url}/evidence", json={"evidence": WORDS}, headers={"X-CSRFToken": csrf_token(client)})
    assert (answer.status_code, answer.json.get("state")) == (200, "under_review"), answer.text
    assert client.get(url).json["submitted_at"] is not None


@pytest.mark.parametrize("told", [True, False], ids=["we know", "the processor alone knows"])
@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_what_was_to_go_back_waits_for_the_decision_and_goes_once(session, cards, server, sold, told, outcome):
    """A refund decided before a dispute, and sent after it, would give the buyer the money twice."""
    placed, part, intent = sold
    with unit_of_work() as unit:
        orders.refund_seller_order(unit, actor=STAFF, seller_order_id=part.id, reason="broken", bearer="coop", now=TODAY)
    (decided,) = session.scalars(select(Refund.id)).all()
    ref = server.control("dispute", payment_intent=intent)["dispute"]
    if told:
        heard(session)
    payment_tasks.send_refund(refund_id=str(decided))
    assert session.get_one(Refund, decided).state == ("needs_person" if told else "decided")
    heard(session)
    assert session.get_one(Refund, decided).state == "needs_person"
    server.control("dispute_closes", dispute=ref, outcome=outcome)
    server.control("forget_keys")  # as after a day; a decision takes weeks
    heard(session)
    payment_tasks.send_refund(refund_id=str(decided))
    assert session.get_one(Refund, decided).state == "paid"
    given = [effect for effect in server.control("effects")["effects"] if effect["kind"] == "refund"]
    assert [effect["amount"] for effect in given] == ([placed.total.minor] if outcome == "won" else [])
    heard(session)
    after = balances(session, session.get_one(Coop, part.coop_id))
    assert after.get("refund_payable", 0) == after.get("dispute_loss", 0) == after.get("disputed", 0) == 0
    assert books.check(session) == []
