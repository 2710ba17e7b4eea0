"""Tax by rate, fees by party, what is owed by age: from frozen rows and the books."""

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import update

from market.kernel.actor import Actor
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.ledger.rules import Entry, legs
from market.ledger.service import book_of, post
from market.orders import service as orders
from market.orders.models import PriceComponent
from market.orders.service.refund import lines_left
from market.producers import queries as producers
from market.reports.queries import money
from tests.conftest import NOW
from tests.factories.catalogue import make_listing
from tests.factories.orders import paid_order, parts_of
from tests.factories.payouts import owe
from tests.factories.producers import make_coop, make_producer

ON = NOW.date()


def test_aged_payables_stand_in_the_column_of_their_days(session):
    producer = make_producer(session)
    for minor, days in ((100, -3), (20, 1), (3, 31), (5, 200)):
        owe(session, producer, minor, due_on=ON - timedelta(days=days))
    (row,) = money.aged_payables(session, producers.coop(session, producer.coop_id), on=ON)
    assert (row.party, row.not_due.minor, [each.minor for each in row.overdue]) == (producer.name, 100, [20, 3, 0, 5])
    assert row.total == Money(128, "EUR")
    assert list(money.owed_now(session, producers.coop(session, producer.coop_id), on=ON)) == [row]


def test_what_came_back_settles_the_oldest_claim_first(session):
    producer = make_producer(session)
    book, claim = book_of(session, producer.coop_id), f"claim:{producer.id}"
    for key, days, debit, credit, minor in (
        ("a", 100, claim, "refund_payable", 700),
        ("b", 10, claim, "refund_payable", 300),
        ("c", 5, "bank:1", claim, 800),
    ):
        moved = legs((debit, credit, Money(minor, "EUR")))
        post(session, [Entry(book, "test", f"aged:{key}", ON - timedelta(days=days), "system", moved)])
    (row,) = money.aged_receivables(session, producers.coop(session, producer.coop_id), on=ON)
    assert (row.party, [each.minor for each in row.overdue]) == (producer.name, [200, 0, 0, 0])


def test_nothing_open_is_no_row(session):
    coop = producers.coop(session, make_coop(session).id)
    assert list(money.aged_receivables(session, coop, on=ON)) == list(money.aged_payables(session, coop, on=ON)) == []


def test_tax_and_fees_of_what_was_earned_are_the_frozen_parts(session):
    coop = make_coop(session, tax_pct=19, transport_minor_per_line=207)
    listing = make_listing(session, producer=make_producer(session, coop=coop), on_hand=10)
    placed = paid_order(session, listing, quantity=7)
    (part,) = parts_of(session, placed.order_id)
    staff = Actor(account_id=new_id(), roles=frozenset({"preparer"}))
    orders.ship(session, actor=staff, seller_order_id=part.id, tracking=None, now=NOW)
    orders.confirm(session, actor=staff, seller_order_id=part.id, now=NOW)
    view = producers.coop(session, coop.id)
    days = {"since": ON - timedelta(days=1), "until": ON + timedelta(days=1)}
    assert list(money.taxes(session, view, **days)) == []  # nothing is earned before it is released
    orders.settle_due(session, now=NOW)
    parts = [each for line in part.lines for each in line.parts]
    taxed = list(money.taxes(session, view, **days))
    assert sum(row.tax.minor for row in taxed) == sum(each.money.minor for each in parts if each.kind == "tax")
    # What refunds leave of a line's tax is what the books owe, whatever they rounded on the way.
    for _ in range(4):
        quantities = {part.lines[0].id: Decimal(1)}
        orders.refund_lines(
            session, actor=staff, seller_order_id=part.id, quantities=quantities, reason="stale", bearer="coop", now=NOW
        )
        left = {kind: minor.minor for kind, minor in lines_left(session, part.lines[0].id)}
        session.flush()
        assert sum(row.tax.minor for row in money.taxes(session, view, **days)) == left["tax"]
    # Money given back elsewhere is spread by component, so that a cent of tax may outlive the parts that it is on.
    taxed = (PriceComponent.order_line_id == part.lines[0].id, PriceComponent.tax_minor > 0)
    with session.begin_nested() as nothing:
        session.execute(update(PriceComponent).where(*taxed).values(returned_minor=PriceComponent.amount_minor))
        assert sum(row.tax.minor for row in money.taxes(session, view, **days)) == left["tax"] > 0
        nothing.rollback()
    paid = {(row.kind, row.payee): row.money for row in money.fees(session, view, **days)}
    assert sum(each.minor for each in paid.values()) == sum(left.values())
    assert {kind for kind, _ in paid} == {each.kind for each in parts}
    assert list(money.fees(session, view, since=ON + timedelta(days=5), until=ON + timedelta(days=9))) == []


def test_the_lists_of_a_past_day_are_those_of_the_books_of_that_day(session):
    producer = make_producer(session)
    coop, book = producers.coop(session, producer.coop_id), book_of(session, producer.coop_id)
    account, paid, back = f"payable:{producer.id}", new_id(), ON - timedelta(days=4)
    sold = [owe(session, producer, minor, due_on=ON - timedelta(days=days)) for minor, days in ((100, 45), (70, 8))]

    def move(key, on, debit, credit, minor, subject):
        moved = legs((debit, credit, Money(minor, "EUR")), subject=subject)
        post(session, [Entry(book, "test", f"past:{key}", on, "system", moved)])

    def aged(on):
        return [(row.not_due.minor, [each.minor for each in row.overdue]) for row in money.aged_payables(session, coop, on=on)]

    move("refund", back, account, "refund_payable", 20, sold[1].source_id)
    move("hold", back, account, f"payable_on_hold:{producer.id}", 10, new_id())
    move("payout", ON - timedelta(days=2), account, "in_transit:sepa", 130, paid)
    move("failed", ON, "in_transit:sepa", account, 130, paid)
    # Earned on 20 November: until then nothing, then all, less the refund of its own sale, less what was sent, and again.
    assert aged(ON - timedelta(days=6)) == []
    assert aged(ON - timedelta(days=5)) == [(0, [70, 100, 0, 0])]
    assert aged(back) == [(0, [50, 100, 0, 0])]
    assert aged(ON - timedelta(days=1)) == [(0, [20, 0, 0, 0])]
    assert aged(ON) == [(0, [50, 100, 0, 0])]
    # What nothing of ours raised is as old as its booking.
    move("opening", ON - timedelta(days=1), "opening", account, 7, None)
    assert aged(ON) == [(0, [57, 100, 0, 0])]
