"""Orders with real commits: one basket is one order; a payment is taken back against the dispatch, and against its own notice."""

import pytest
from sqlalchemy import select

from market.app import create_app
from market.gateways import memory
from market.http import db as http_db
from market.http.db import unit_of_work
from market.kernel import tenancy
from market.kernel.clock import FixedClock
from market.kernel.ids import new_id
from market.ledger import queries as books
from market.ledger import service as ledger
from market.orders import queries, service
from market.orders.errors import PartSent, WrongState
from market.orders.models import OrderLine
from market.payments import queries as payments
from market.producers.models import Coop
from market.statements import service as statements
from market.statements.models import StatementLine
from tests.concurrency.test_statements import at_once
from tests.conftest import NOW, settings_for
from tests.factories.accounts import csrf_token
from tests.factories.catalogue import make_listing
from tests.factories.orders import place
from tests.factories.payouts import PREPARER
from tests.factories.producers import make_producer
from tests.factories.statements import import_lines, line, make_account
from tests.web.test_checkout import FORM

HELD = ("held:goods", "held:premium", "held:charges", "held:tax")


@pytest.fixture(scope="module")
def real_app(make_database, servers):
    settings = settings_for(make_database("unpaid"), servers["REDIS_URL"])
    app = create_app(settings, ports=memory.ports(), clock=FixedClock(NOW))
    with app.app_context(), tenancy.scoped(tenancy.EVERYTHING):
        yield app
        for engine in http_db.db.engines.values():
            engine.dispose()


@pytest.mark.parametrize("with_key", [True, False], ids=["the form's key", "forms of two windows"])
def test_a_basket_sent_several_times_at_once_is_one_order(real_app, with_key):
    with unit_of_work() as session:
        listing = make_listing(session, producer=make_producer(session))
        listing_id = listing.id
    browser = real_app.test_client()
    token = csrf_token(browser)
    browser.post("/basket/lines", data={"listing_id": listing_id, "quantity": "2", "csrf_token": token})
    cookies = browser.get("/basket").request.headers["Cookie"]

    def send():
        form = FORM | {"csrf_token": token, "key": "one-form" if with_key else str(new_id())}
        return real_app.test_client(use_cookies=False).post("/checkout", data=form, headers={"Cookie": cookies}).location

    answers = at_once(real_app, *[send] * 4)
    with unit_of_work() as session:
        placed = session.scalars(select(OrderLine.id).where(OrderLine.listing_id == listing_id)).all()
    orders = [each for each in answers if each.startswith("/orders/")]
    assert len(placed) == 1, answers
    assert len(set(orders)) == 1
    assert len(orders) == (4 if with_key else 1)


def transferred(*, noted: bool):
    """A committed order that a line paid, whether or not the order has taken note; and the match."""
    with unit_of_work() as session:
        listing = make_listing(session, producer=make_producer(session))
        account = make_account(session, coop=session.get_one(Coop, listing.coop_id))
        placed = place(session, listing, method="transfer")
        reference = payments.payment(session, placed.payment_id).reference
        import_lines(session, account, [line(placed.total.minor, reference=reference)])
        (line_id,) = [row.id for row in session.query(StatementLine).filter_by(money_account_id=account.id)]
        match_id = statements.match_reference(session, line_id=line_id, reference=reference, actor=PREPARER, now=NOW)
        coop_id = listing.coop_id
    if noted:
        note(placed)
    return placed, match_id, coop_id


def note(placed):
    with unit_of_work() as session:
        return service.mark_paid(session, order_id=placed.order_id, payment_id=placed.payment_id, now=NOW)


def undo(match_id):
    with unit_of_work() as session:
        statements.undo_match(session, match_id=match_id, reason="somebody else's", actor=PREPARER, now=NOW)
    return "undone"


def state(placed, coop_id):
    """How the order, its part and its payment stand, and what is held for it."""
    with unit_of_work() as session:
        assert books.check(session) == []
        order = queries.order(session, placed.order_id)
        book = ledger.book_of(session, coop_id)
        held = sum(books.balance(session, book, code, "EUR").minor for code in HELD)
        return order.state, order.parts[0].state, payments.payment(session, placed.payment_id).state.value, held


@pytest.mark.parametrize("turn", range(4))
def test_dispatch_and_taking_back_at_the_same_moment_have_one_winner(real_app, turn):
    placed, match_id, coop_id = transferred(noted=True)
    with unit_of_work() as session:
        (part,) = queries.order(session, placed.order_id).parts

    def ship():
        with unit_of_work() as session:
            service.ship(session, actor=PREPARER, seller_order_id=part.id, tracking=None, now=NOW)
        return "shipped"

    acts = [ship, lambda: undo(match_id)]
    done = set(at_once(real_app, *(acts if turn % 2 else acts[::-1])))
    stands = state(placed, coop_id)
    if "undone" in done:
        assert done == {"undone", WrongState}
        assert stands == ("placed", "placed", "awaiting_transfer", 0)
    else:
        assert done == {"shipped", PartSent}
        assert stands == ("paid", "shipped", "succeeded", placed.total.minor)


@pytest.mark.parametrize("turn", range(4))
def test_an_order_that_takes_note_while_its_payment_is_taken_back_ends_unpaid(real_app, turn):
    placed, match_id, coop_id = transferred(noted=False)
    acts = [lambda: note(placed), lambda: undo(match_id)]
    done = at_once(real_app, *(acts if turn % 2 else acts[::-1]))
    assert "undone" in done
    assert state(placed, coop_id) == ("placed", "placed", "awaiting_transfer", 0)
    assert not note(placed)
