"""Where refunds, stock, payments and the books meet: each part alone was right, these are the seams."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from market.catalogue import service as stock
from market.kernel.actor import GUEST, Actor
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger import service as ledger
from market.ledger.rules import Entry
from market.notifications import service as notifications
from market.orders import queries, service
from market.orders.errors import RefundTooLarge
from market.payables import queries as payables
from market.payables import service as payable_service
from market.payables.errors import AlreadyOnItsWay
from market.payments import queries as payment_queries
from market.payments import service as payments
from market.payments.ports import Checkout, RefundAnswer
from market.payouts import queries as payouts
from market.payouts import service as payout_service
from market.producers.models import Certificate, Producer
from market.treasury import service as treasury
from tests.conftest import NOW
from tests.domain.payments.reading import balances, topics
from tests.factories.catalogue import make_listing, make_product
from tests.factories.orders import paid_order, parts_of, pay, place
from tests.factories.payouts import approved_run, only_payout
from tests.factories.prices import make_reference
from tests.factories.producers import make_coop, make_payee_account, make_producer

pytestmark = pytest.mark.usefixtures("agreed")
STAFF = Actor(account_id=new_id(), roles=frozenset({"preparer"}))


@pytest.fixture
def agreed(session):
    """Whatever happened, orders and books agree at the end."""
    yield
    session.flush()
    assert books.check(session) + queries.check(session) == []


@pytest.fixture
def coop(session):
    return make_coop(session)


@pytest.fixture
def listing(session, coop):
    return make_listing(session, producer=make_producer(session, coop=coop), on_hand=10)


def refund_all(session, part):
    return service.refund_seller_order(session, actor=STAFF, seller_order_id=part.id, reason="sold out", bearer="coop", now=NOW)


def at_the_dashboard(session, placed, minor: int, ref: str = "re_dashboard"):
    """Somebody gives money back at the processor; its event reaches payments, its announcement reaches orders."""
    answer = RefundAnswer(ref, "succeeded", Money(minor, "EUR"), intent_id=f"pi_{placed.payment_id.hex}")
    made = payments.record_refund_elsewhere(session, intent_id=answer.intent_id, answer=answer, now=NOW)
    return made


def arrive(session, coop, payment_id, minor: int):
    line, money = new_id(), Money(minor, "EUR")
    result = payments.record_transfer(
        session, payment_id=payment_id, line_subject=line, amount=money, booked_on=NOW.date(), now=NOW
    )
    ledger.post(session, [Entry(ledger.book_of(session, coop.id), "match", f"match:{line}", NOW.date(), "t", result.legs)])
    return result.payment


def held(session, coop, subject) -> int:
    rows = books.subject_balance(session, ledger.book_of(session, coop.id), "held:", subject)
    return sum(row.money.minor for row in rows)


def deliver(session, part):
    service.ship(session, actor=STAFF, seller_order_id=part.id, tracking=None, now=NOW)
    service.confirm(session, actor=GUEST, seller_order_id=part.id, now=NOW)


def test_a_refund_of_goods_that_were_never_taken_puts_nothing_on_the_shelf(session, listing):
    late = place(session, listing, quantity=8)
    session.execute(text("UPDATE hold SET expires_at = :now"), {"now": NOW - timedelta(minutes=1)})
    stock.expire_holds(session, now=NOW)
    paid_order(session, listing, quantity=5)
    pay(session, late)
    refund_all(session, parts_of(session, late.order_id)[0])
    shelf = session.execute(text("SELECT on_hand, held FROM stock WHERE lot_id = :lot"), {"lot": listing.lot_id}).one()
    assert tuple(shelf) == (5, 0)


def test_an_order_paid_a_little_short_can_be_refunded_whole_and_nobody_gets_more_than_they_paid(session, coop, listing):
    placed = place(session, listing, quantity=8, method="transfer")
    paid_minor = placed.total.minor - 20
    assert arrive(session, coop, placed.payment_id, paid_minor).is_paid
    service.mark_paid(session, order_id=placed.order_id, payment_id=placed.payment_id, now=NOW)
    (part,) = parts_of(session, placed.order_id)
    refund_all(session, part)
    (part,) = parts_of(session, placed.order_id)
    assert (part.state, part.refunded.minor) == ("refunded", paid_minor)
    assert held(session, coop, part.id) == 0
    assert balances(session, coop)["refund_payable"] == paid_minor
    assert "write_off" not in balances(session, coop)
    assert service.note_refunds(session, seller_order_id=part.id, now=NOW) is False


def test_what_was_given_back_at_the_processor_is_not_paid_to_the_producer_too(session, coop, listing):
    placed = paid_order(session, listing, quantity=8)
    at_the_dashboard(session, placed, placed.total.minor // 2)
    (part,) = parts_of(session, placed.order_id)
    deliver(session, part)  # the announcement has not been handled yet
    assert service.settle_due(session, now=NOW) == 1
    assert held(session, coop, part.id) == 0
    (owed,) = payables.owed_to(session, listing.producer_id)
    assert owed.open.minor == balances(session, coop)[f"payable:{listing.producer_id}"]
    assert owed.open.minor * 2 == pytest.approx(8 * 840, abs=2)


def test_an_order_refunded_whole_at_the_processor_is_not_sent_and_its_goods_are_back(session, coop, listing):
    placed = paid_order(session, listing, quantity=8)
    at_the_dashboard(session, placed, placed.total.minor)
    (part,) = parts_of(session, placed.order_id)
    assert service.note_refunds(session, seller_order_id=part.id, now=NOW) is True
    assert service.note_refunds(session, seller_order_id=part.id, now=NOW) is False
    (part,) = parts_of(session, placed.order_id)
    assert (part.state, part.refunded) == ("refunded", placed.total)
    assert held(session, coop, part.id) == 0
    assert session.scalar(text("SELECT on_hand FROM stock WHERE lot_id = :lot"), {"lot": listing.lot_id}) == 10


def test_the_rest_after_a_part_refunded_at_the_processor_comes_to_zero(session, coop, listing):
    placed = paid_order(session, listing, quantity=8)
    at_the_dashboard(session, placed, 1001)
    (part,) = parts_of(session, placed.order_id)
    service.note_refunds(session, seller_order_id=part.id, now=NOW)
    (part,) = parts_of(session, placed.order_id)
    assert part.problem == "refunded_elsewhere"
    refund_all(session, part)
    (part,) = parts_of(session, placed.order_id)
    assert (part.state, part.refunded) == ("refunded", placed.total)
    assert held(session, coop, part.id) == 0


def test_given_back_at_the_processor_after_it_was_earned_is_borne_by_the_coop(session, coop, listing):
    placed = paid_order(session, listing, quantity=8)
    (part,) = parts_of(session, placed.order_id)
    deliver(session, part)
    service.settle_due(session, now=NOW)
    owed = balances(session, coop)[f"payable:{listing.producer_id}"]
    at_the_dashboard(session, placed, 1000)
    service.note_refunds(session, seller_order_id=part.id, now=NOW)
    after = balances(session, coop)
    assert (after[f"payable:{listing.producer_id}"], after["refund_cost"], after["refund_payable"]) == (owed, 1000, 1000)
    assert held(session, coop, part.id) == 0
    assert parts_of(session, placed.order_id)[0].refunded.minor == 1000
    assert books.check(session) == []


def test_a_surplus_never_makes_an_order_paid(session, listing):
    placed = place(session, listing)
    payments.prepare_checkout(session, payment_id=placed.payment_id, return_url="http://r", cancel_url="http://c", now=NOW)
    seen = Checkout("cs_1", "succeeded", None, intent_id="pi_1", charge_id="ch_1", paid=Money(1, "EUR"), charged_at=NOW)
    payments.record_checkout(session, payment_id=placed.payment_id, seen=seen, now=NOW)
    assert service.mark_paid(session, order_id=placed.order_id, payment_id=placed.payment_id, now=NOW) is False
    assert queries.order(session, placed.order_id).state == "placed"


def test_more_than_was_asked_for_is_announced_and_told(session, coop, listing):
    placed = place(session, listing, method="transfer")
    arrive(session, coop, placed.payment_id, placed.total.minor + 250)
    arrive(session, coop, placed.payment_id, placed.total.minor)
    assert topics(session).count("payments.surplus") == 2
    payload = {"payment_id": str(placed.payment_id)}
    assert notifications.tell(session, topic="payments.surplus", payload=payload, now=NOW) == 1
    assert notifications.tell(session, topic="payments.surplus", payload=payload, now=NOW) == 0


def test_a_refund_that_arrived_is_told(session, listing):
    placed = paid_order(session, listing)
    refund_all(session, parts_of(session, placed.order_id)[0])
    (refund,) = payment_queries.refunds_of(session, payment_id=placed.payment_id)
    answer = RefundAnswer("re_1", "succeeded", refund.money, intent_id="pi", refund_id=refund.id)
    payments.record_refund(session, refund_id=refund.id, answer=answer, now=NOW)
    assert notifications.tell(session, topic="payments.refunded", payload={"refund_id": str(refund.id)}, now=NOW) == 1


@pytest.mark.parametrize("quantity", ["NaN", "sNaN", "Infinity", "-1", "0.0000001", "1E+30"])
def test_a_quantity_that_is_none_is_refused_in_words(session, listing, quantity):
    placed = paid_order(session, listing)
    (part,) = parts_of(session, placed.order_id)
    with pytest.raises(RefundTooLarge):
        service.refund_lines(
            session, actor=STAFF, seller_order_id=part.id, quantities={part.lines[0].id: Decimal(quantity)},
            reason="x", bearer="coop", now=NOW,
        )  # fmt: skip


def test_what_becomes_known_after_the_close_is_booked_on_the_first_open_day(session, coop, listing):
    placed, late = paid_order(session, listing), place(session, listing)
    (part,) = parts_of(session, placed.order_id)
    deliver(session, part)
    book = ledger.book_of(session, coop.id)
    ledger.close_days(session, book, through=NOW.date(), actor="t", now=NOW)
    assert service.settle_due(session, now=NOW + timedelta(days=1)) == 1
    pay(session, late)
    days = {row.effective_on for row in books.postings(session, book) if row.kind in ("release", "payment.paid")}
    assert days == {NOW.date(), NOW.date() + timedelta(days=1)}
    known = "SELECT DISTINCT note ->> 'happened_on' FROM ledger_transaction WHERE effective_on = :day"
    assert session.execute(text(known), {"day": NOW.date() + timedelta(days=1)}).scalars().all() == [NOW.date().isoformat()]
    refund_all(session, parts_of(session, late.order_id)[0])
    assert held(session, coop, part.id) == 0


def test_the_check_of_orders_sees_what_is_held_for_nobody(session, listing):
    paid_order(session, listing)
    tamper = "UPDATE price_component SET returned_minor = :minor WHERE kind = 'producer_goods'"
    session.execute(text(tamper), {"minor": 1})
    assert {finding.law for finding in queries.check(session)} == {"held = paid - given back - earned"}
    session.execute(text(tamper), {"minor": 0})


def settled(session, listing):
    placed = paid_order(session, listing, quantity=8)
    (part,) = parts_of(session, placed.order_id)
    deliver(session, part)
    service.settle_due(session, now=NOW)
    return placed, part


def give_back_two(session, part, bearer):
    quantities = {part.lines[0].id: Decimal(2)}
    return service.refund_lines(
        session, actor=STAFF, seller_order_id=part.id, quantities=quantities, reason="spoilt", bearer=bearer, now=NOW
    )


@pytest.mark.parametrize(("bearer", "owed"), [("producer", 6 * 840), ("coop", 8 * 840)])
def test_e17_settled_and_not_yet_paid_out_is_refunded_by_who_bears_it(session, coop, listing, bearer, owed):
    placed, part = settled(session, listing)
    give_back_two(session, part, bearer)
    assert balances(session, coop)[f"payable:{listing.producer_id}"] == owed
    assert [total.open.minor for total in payables.owed_to(session, listing.producer_id)] == [owed]
    assert balances(session, coop)["refund_payable"] == parts_of(session, placed.order_id)[0].refunded.minor > 0
    assert payouts.check(session) == []


def test_a_payee_reads_the_day_on_which_it_was_earned_not_when_it_fell_due(session, coop, listing):
    make_payee_account(session, producer=session.get_one(Producer, listing.producer_id))
    _, part = settled(session, listing)
    later = NOW + timedelta(days=30)
    row = only_payout(session, approved_run(session, coop.id, now=later))
    payout_service.write_files(session, run_id=row.run_id, now=later)
    payout_service.settle(session, payout_id=row.id, money=row.money, booked_on=later.date(), suspense="suspense:1", now=later)
    (line,) = payouts.payee_statement(session, row.id).lines
    (owed,) = payables.by_ids(session, [payable for payable, _ in payouts.items(session, row.id)])
    assert (line.number, line.on) == (part.number, NOW.date())
    assert owed.due_on > line.on


def test_e20_the_refund_of_what_was_paid_out_is_a_claim_that_the_next_run_nets(session, coop, listing):
    _, part = settled(session, listing)
    run = new_id()
    payable_service.take_due(session, coop_id=coop.id, due_by=NOW.date() + timedelta(days=30), taker=run)
    payable_service.schedule_taken(session, taker=run)
    give_back_two(session, part, "producer")
    after = balances(session, coop)
    assert after[f"claim:{listing.producer_id}"] == 2 * 840
    assert after[f"payable:{listing.producer_id}"] == 8 * 840  # the run's own posting is not part of this test


def test_a_refund_that_the_producer_bears_waits_while_the_money_is_in_a_run(session, coop, listing):
    _, part = settled(session, listing)
    taken = payable_service.take_due(session, coop_id=coop.id, due_by=NOW.date() + timedelta(days=30), taker=new_id())
    assert taken == 1
    with pytest.raises(AlreadyOnItsWay), session.begin_nested():
        give_back_two(session, part, "producer")
    session.expire_all()


def test_a_premium_that_was_spent_is_given_back_by_the_co_op_and_the_fund_owes_it(session, coop):
    """E38: the fund never goes below zero."""
    product = make_product(session)
    make_reference(
        session, product="coffee", variety=product.variety, form="", unit="kg", currency="EUR", relevant_market=None,
        organic_rule="none", organic_differential=None,
    )  # fmt: skip
    session.add(
        Certificate(
            id=new_id(), coop_id=coop.id, scheme="fairtrade", kind="trade", number="FLO-1", issuer="FLOCERT", status="active",
            valid_from=date(2026, 1, 1), valid_to=date(2027, 1, 1), product_scope=["coffee"], entered_at=NOW, checked_by="b",
            checked_at=NOW,
        )
    )  # fmt: skip
    listing = make_listing(session, product=product, producer=make_producer(session, coop=coop), on_hand=10, claims=["fairtrade"])
    (part,) = parts_of(session, paid_order(session, listing, quantity=10).order_id)
    service.ship(session, actor=STAFF, seller_order_id=part.id, tracking=None, now=NOW)
    service.confirm(session, actor=STAFF, seller_order_id=part.id, now=NOW)
    service.settle_due(session, now=NOW)
    assert balances(session, coop)["fund_available"] == 200
    shared = {"actor": STAFF, "coop_id": coop.id, "now": NOW}
    item = treasury.propose_item(session, name="A well", money=Money(150, "EUR"), minutes="item 4", **shared)
    treasury.decide_item(session, actor=Actor(account_id=new_id()), item_id=item, agreed=True, now=NOW)
    refund_all(session, part)
    standing = balances(session, coop)
    assert (standing.get("fund_available", 0), standing["claim:org"]) == (0, 150)
    assert standing["refund_payable"] == part.total.minor
