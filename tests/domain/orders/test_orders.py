"""From the basket to the day the producer is owed, on PostgreSQL, with the books checked at each end."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from market.catalogue import service as stock
from market.catalogue.errors import ListingSoldOut
from market.catalogue.models import Product
from market.earnings import service as earnings
from market.kernel.actor import Actor, system
from market.kernel.ids import new_id
from market.kernel.money import Money, total
from market.ledger import queries as ledger
from market.ledger import service as books
from market.orders import queries, service
from market.orders.errors import BasketEmpty, ListingGone, PriceChanged, QuantityFaulty, RefundTooLarge, TwoCurrencies, WrongState
from market.orders.rules import due_day
from market.orders.service import WantedLine
from market.payables import queries as payables
from market.payments import queries as payments
from market.pricing.rules import Goods
from market.pricing.service import decide_floor
from tests.conftest import NOW
from tests.factories.catalogue import make_listing
from tests.factories.orders import BUYER, paid_order, parts_of, pay, place
from tests.factories.producers import make_coop, make_producer

STAFF = Actor(account_id=new_id(), roles=frozenset({"preparer"}))


def balance(session, coop_id, code, currency="EUR") -> int:
    return ledger.balance(session, books.book_of(session, coop_id), code, currency).minor


def free(session, listing) -> Decimal:
    session.expire_all()
    return session.execute(text("SELECT on_hand - held FROM stock WHERE lot_id = :lot"), {"lot": listing.lot_id}).scalar_one()


def test_place_order_freezes_parts_that_sum_to_the_price_and_holds_stock(session):
    listing = make_listing(session)
    placed = place(session, listing, quantity=3)
    (part,) = queries.order(session, placed.order_id).parts
    (line,) = part.lines
    assert total([piece.money for piece in line.parts], "EUR") == line.total == placed.total
    assert {piece.kind for piece in line.parts} >= {"producer_goods", "coop_service", "payment_fee"}
    assert next(piece.money.minor for piece in line.parts if piece.kind == "producer_goods") == 2520
    assert free(session, listing) == 97


def test_an_order_over_two_coops_makes_a_seller_order_for_each_producer(session):
    coop = make_coop(session)
    ana, ben = make_producer(session, coop=coop), make_producer(session, coop=coop)
    other = make_producer(session)
    listings = [make_listing(session, producer=producer) for producer in (ana, ben, other)]
    placed = place(session, *listings)
    parts = queries.order(session, placed.order_id).parts
    assert {part.producer_id for part in parts} == {ana.id, ben.id, other.id}
    assert [part.number for part in parts] == [f"{placed.number}-{n}" for n in (1, 2, 3)]
    assert total([part.total for part in parts], "EUR") == placed.total


@pytest.mark.parametrize(
    ("change", "refusal"),
    [({"state": "withdrawn"}, ListingGone), ({"order_step": Decimal(5)}, QuantityFaulty)],
)
def test_place_order_refuses_what_cannot_be_ordered(session, change, refusal):
    listing = make_listing(session, **change)
    with pytest.raises(refusal):
        place(session, listing)


def test_place_order_refuses_an_empty_basket_two_currencies_and_a_changed_price(session):
    with pytest.raises(BasketEmpty):
        service.place_order(session, actor=STAFF, wanted=[], buyer=BUYER, method="card", now=NOW)
    with pytest.raises(TwoCurrencies):
        place(session, make_listing(session), make_listing(session, currency="USD"))
    wanted = [WantedLine(make_listing(session).id, Decimal(1), seen_price=Decimal("8.30"))]
    with pytest.raises(PriceChanged):
        service.place_order(session, actor=STAFF, wanted=wanted, buyer=BUYER, method="card", now=NOW)


def test_place_order_refuses_more_than_there_is(session):
    listing = make_listing(session, on_hand=5)
    place(session, listing, quantity=4)
    with pytest.raises(ListingSoldOut), session.begin_nested():
        place(session, listing, quantity=2)
    assert free(session, listing) == 1


def test_a_paid_order_takes_its_stock_once_whoever_says_so(session):
    listing = make_listing(session, on_hand=10)
    placed = paid_order(session, listing, quantity=4)
    assert service.mark_paid(session, order_id=placed.order_id, payment_id=placed.payment_id, now=NOW) is False
    assert free(session, listing) == 6
    assert queries.order(session, placed.order_id).state == "paid"
    assert balance(session, listing.coop_id, "card_clearing") == placed.total.minor


def test_paid_after_the_stock_was_gone_is_a_problem_for_staff_never_a_silent_loss(session):
    listing = make_listing(session, on_hand=5)
    late = place(session, listing, quantity=5)
    session.execute(text("UPDATE hold SET expires_at = :now"), {"now": NOW - timedelta(minutes=1)})
    stock.expire_holds(session, now=NOW)
    paid_order(session, listing, quantity=3)
    pay(session, late)
    (part,) = parts_of(session, late.order_id)
    assert part.problem == "paid_short_of_stock"
    with pytest.raises(WrongState):
        service.ship(session, actor=STAFF, seller_order_id=part.id, tracking=None, now=NOW)
    service.refund_seller_order(session, actor=STAFF, seller_order_id=part.id, reason="sold out", bearer="coop", now=NOW)
    assert balance(session, listing.coop_id, "refund_payable") == late.total.minor


def test_from_paid_to_owed_books_e13_and_raises_the_payable(session):
    listing = make_listing(session)
    placed = paid_order(session, listing, quantity=10)
    (part,) = parts_of(session, placed.order_id)
    for tracking in ("T1", "T2", None):  # said again, only another number is news
        service.ship(session, actor=STAFF, seller_order_id=part.id, tracking=tracking, now=NOW)
    assert parts_of(session, placed.order_id)[0].tracking == "T2"
    service.confirm(session, actor=STAFF, seller_order_id=part.id, now=NOW)
    assert service.settle_due(session, now=NOW) == 1
    assert service.settle_due(session, now=NOW) == 0
    (owed,) = payables.owed_to(session, listing.producer_id)
    assert owed.open.minor == 8400
    assert balance(session, listing.coop_id, f"payable:{listing.producer_id}") == 8400
    book = books.book_of(session, listing.coop_id)
    assert all(row.money.minor == 0 for row in ledger.subject_balance(session, book, "held:", part.id))
    assert ledger.check(session) == []


def test_the_day_on_which_it_is_earned_is_the_co_ops(session):
    there = make_coop(session, time_zone="Pacific/Auckland")  # where it is tomorrow already
    placed = paid_order(session, make_listing(session, producer=make_producer(session, coop=there)))
    (part,) = parts_of(session, placed.order_id)
    service.ship(session, actor=STAFF, seller_order_id=part.id, tracking=None, now=NOW)
    service.confirm(session, actor=STAFF, seller_order_id=part.id, now=NOW)
    service.settle_due(session, now=NOW)
    (owed,) = payables.open_for(session, source_id=part.id)
    assert owed.due_on == due_day(NOW.date() + timedelta(days=1))


def test_silence_confirms_after_its_term(session):
    placed = paid_order(session)
    (part,) = parts_of(session, placed.order_id)
    service.ship(session, actor=STAFF, seller_order_id=part.id, tracking=None, now=NOW)
    assert service.confirm_silent(session, on=NOW.date() + timedelta(days=13), now=NOW) == 0
    assert service.confirm_silent(session, on=NOW.date() + timedelta(days=14), now=NOW) == 1


@pytest.mark.parametrize("steps", [["1", "2", "4"], ["7"], ["3.5", "3.5"]])
def test_refunds_by_quantity_come_to_zero_however_they_are_cut(session, steps):
    listing = make_listing(session, unit_price=Decimal("3.33"), order_step=Decimal("0.5"))
    placed = paid_order(session, listing, quantity=7)
    (part,) = parts_of(session, placed.order_id)
    for step in steps:
        service.refund_lines(
            session,
            actor=STAFF,
            seller_order_id=part.id,
            quantities={part.lines[0].id: Decimal(step)},
            reason="broken",
            bearer="coop",
            now=NOW,
        )
    (after,) = parts_of(session, placed.order_id)
    assert (after.state, after.refunded) == ("refunded", placed.total)
    assert balance(session, listing.coop_id, "refund_payable") == placed.total.minor
    assert all(balance(session, listing.coop_id, f"held:{name}") == 0 for name in ("goods", "premium", "charges", "tax"))
    assert free(session, listing) == 100
    assert ledger.check(session) == []


def test_refund_refuses_more_than_was_ordered_and_what_is_not_paid(session):
    placed = paid_order(session, quantity=2)
    (part,) = parts_of(session, placed.order_id)
    shared = {"actor": STAFF, "seller_order_id": part.id, "reason": "x", "bearer": "coop", "now": NOW}
    with pytest.raises(RefundTooLarge):
        service.refund_lines(session, quantities={part.lines[0].id: Decimal(3)}, **shared)
    (unpaid,) = parts_of(session, place(session).order_id)
    with pytest.raises(WrongState):
        service.refund_seller_order(session, **(shared | {"seller_order_id": unpaid.id}))


def test_a_refund_before_release_leaves_the_rest_to_the_producer(session):
    listing = make_listing(session)
    placed = paid_order(session, listing, quantity=10)
    (part,) = parts_of(session, placed.order_id)
    service.refund_lines(
        session, actor=STAFF, seller_order_id=part.id, quantities={part.lines[0].id: Decimal(1)}, reason="one broken",
        bearer="producer", now=NOW,
    )  # fmt: skip
    service.ship(session, actor=STAFF, seller_order_id=part.id, tracking=None, now=NOW)
    service.confirm(session, actor=STAFF, seller_order_id=part.id, now=NOW)
    service.settle_due(session, now=NOW)
    (owed,) = payables.owed_to(session, listing.producer_id)
    assert owed.open.minor == 7560
    assert ledger.check(session) == []


def test_unpaid_orders_expire_and_give_stock_back(session):
    listing = make_listing(session, on_hand=10)
    placed = place(session, listing, quantity=4, method="transfer")
    assert service.expire_orders(session, now=NOW + timedelta(days=4)) == []
    assert service.expire_orders(session, now=NOW + timedelta(days=6)) == [placed.order_id]
    assert free(session, listing) == 10
    assert payments.live_payment(session, subject_kind="order", subject_id=placed.order_id) is None


def test_cancel_gives_back_once_and_not_after_payment(session):
    listing = make_listing(session, on_hand=10)
    placed = place(session, listing, quantity=4)
    service.cancel_order(session, actor=STAFF, order_id=placed.order_id, now=NOW)
    service.cancel_order(session, actor=STAFF, order_id=placed.order_id, now=NOW)
    assert free(session, listing) == 10
    paid = paid_order(session, listing, quantity=4)
    with pytest.raises(WrongState):
        service.cancel_order(session, actor=STAFF, order_id=paid.order_id, now=NOW)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE order_line SET unit_price = 1",
        "UPDATE price_component SET amount_minor = amount_minor - 1",
        "DELETE FROM price_component",
        "UPDATE orders SET total_minor = 1",
        "UPDATE seller_order SET state = 'settled'",
        "UPDATE seller_order SET goods_refunded_minor = goods_minor + 1",
    ],
)
def test_the_database_keeps_what_was_agreed(session, statement):
    paid_order(session)
    with pytest.raises(DBAPIError), session.begin_nested():
        session.execute(text(statement))


def test_parts_that_do_not_sum_to_the_price_are_refused_at_commit(session):
    placed = place(session)
    session.flush()
    line = queries.order(session, placed.order_id).parts[0].lines[0]
    columns = "coop_id, order_id, seller_order_id, listing_id, lot_id, title, unit, quantity, unit_price, currency, total_minor, stock_quantity, check_ids"
    copy = f"INSERT INTO order_line (id, {columns}) SELECT :new, {columns} FROM order_line WHERE id = :id"
    session.execute(text(copy), {"new": new_id(), "id": line.id})
    with pytest.raises(DBAPIError, match="do not sum"):
        session.commit()


def test_basket_adds_changes_and_takes_out(session):
    basket, listing = new_id(), make_listing(session)
    service.set_line(session, basket_id=basket, listing_id=listing.id, quantity=Decimal(2), now=NOW, add=True)
    service.set_line(session, basket_id=basket, listing_id=listing.id, quantity=Decimal(1), now=NOW, add=True)
    assert [item.quantity for item in queries.basket(session, basket)] == [3]
    service.set_line(session, basket_id=basket, listing_id=listing.id, quantity=Decimal(0), now=NOW)
    assert queries.basket(session, basket) == []


def test_another_coops_staff_sees_none_of_it(session):
    placed = paid_order(session)
    stranger = make_coop(session)
    session.execute(text("SELECT set_config('market.scope', :scope, true)"), {"scope": str(stranger.id)})
    session.expire_all()
    assert queries.seller_orders(session).items == []
    for table in ("orders", "order_line", "price_component", "seller_order"):
        assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0
    assert placed.number


def test_system_is_named_in_the_books(session):
    assert system("orders").label == "system:orders"


def test_an_advance_takes_nothing_of_a_sale_below_the_floor_of_its_day(session):
    listing = make_listing(session)
    goods = Goods(session.get(Product, listing.product_id).kind)
    decide_floor(
        session, coop_id=listing.coop_id, goods=goods, title="Coffee", currency="EUR", unit="kg", decided_by_body="assembly",
        decided_on=date(2026, 3, 1), amount=Decimal("8.00"), actor=STAFF, now=NOW,
    )  # fmt: skip
    asked = {"producer_id": listing.producer_id, "money": Money(5000, "EUR"), "reason": "seedlings", "now": NOW}
    advance = earnings.propose_advance(session, actor=STAFF, **asked)
    earnings.decide_advance(session, actor=Actor(account_id=new_id()), advance_id=advance, granted=True, now=NOW)
    placed = paid_order(session, listing, quantity=10)
    (part,) = parts_of(session, placed.order_id)
    service.ship(session, actor=STAFF, seller_order_id=part.id, tracking=None, now=NOW)
    service.confirm(session, actor=STAFF, seller_order_id=part.id, now=NOW)
    service.settle_due(session, now=NOW)
    assert balance(session, listing.coop_id, f"advance:{advance}") == 5000 - 400  # 84.00 earned, 80.00 of it by the floor
    assert ledger.check(session) == []
