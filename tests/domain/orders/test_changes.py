"""A paid order changes before it is sent: less goes back, more is a further order, something else needs the buyer's yes."""

from decimal import Decimal

import pytest

from market.catalogue.models import Stock
from market.invoices import queries as invoice_queries
from market.invoices import service as invoices
from market.invoices.queries import invoices_of
from market.kernel.actor import GUEST, Actor
from market.kernel.ids import new_id
from market.ledger import queries as books
from market.orders import change_queries, queries, service
from market.orders.errors import OrderMissing, QuantityFaulty, SubstituteDearer, WrongState
from market.payments import queries as payments
from market.producers.models import Coop, Producer
from tests.conftest import NOW
from tests.domain.payments.reading import balances
from tests.factories.catalogue import make_listing
from tests.factories.orders import paid_order, parts_of, pay

STAFF = Actor(account_id=new_id(), roles=frozenset({"preparer"}))


@pytest.fixture
def bought(session):
    """A paid order of 2, and its only part."""
    listing = make_listing(session)
    placed = paid_order(session, listing)
    (part,) = parts_of(session, placed.order_id)
    return listing, placed, part


def on_hand(session, listing) -> Decimal:
    session.expire_all()
    return session.get_one(Stock, listing.lot_id).on_hand


def change(session, placed, part, quantity, line=None):
    return service.change_part(
        session, actor=GUEST, order_id=placed.order_id, seller_order_id=part.id,
        quantities={line or part.lines[0].id: Decimal(quantity)}, now=NOW,
    )  # fmt: skip


def sound(session) -> bool:
    return books.check(session) == [] and queries.check(session) == []


def test_less_goes_back_the_way_it_was_paid_with_a_credit_note(session, bought):
    listing, placed, part = bought
    before = on_hand(session, listing)
    changed = change(session, placed, part, 1)
    assert changed.more is None
    refund = payments.refund(session, changed.refund_id)
    assert (refund.method, refund.bearer) == ("card", "coop")
    assert abs(2 * refund.money.minor - placed.total.minor) <= 4, "half of each part, rounded"
    assert on_hand(session, listing) == before + 1
    (after,) = parts_of(session, placed.order_id)
    assert (after.state, after.lines[0].returned, after.refunded) == ("paid", 1, refund.money)
    invoices.issue_credit_notes(session, seller_order_id=part.id, now=NOW)
    assert [row.kind for row in invoices_of(session, placed.order_id)] == ["invoice", "credit_note"]
    assert sound(session)


def test_a_cancelled_line_is_given_back_whole_and_is_not_sent(session, bought):
    _, placed, part = bought
    change(session, placed, part, 0)
    (after,) = parts_of(session, placed.order_id)
    assert (after.state, after.refunded) == ("refunded", placed.total)
    with pytest.raises(WrongState):
        service.ship(session, actor=STAFF, seller_order_id=part.id, tracking=None, now=NOW)
    with pytest.raises(WrongState):
        change(session, placed, part, 1)
    assert sound(session)


def test_more_is_a_further_order_with_its_own_payment_and_invoice(session, bought):
    listing, placed, part = bought
    changed = change(session, placed, part, 5)
    assert changed.refund_id is None
    (further,) = change_queries.supplements(session, placed.order_id)
    assert (further.number, further.state, further.total) == (changed.more.number, "placed", changed.more.total)
    assert change_queries.supplemented(session, further.order_id).order_id == placed.order_id
    with pytest.raises(WrongState):
        change(session, placed, part, 5)
    pay(session, changed.more)
    for order_id in (placed.order_id, further.order_id):
        invoices.issue_invoice(session, order_id=order_id, coop_id=listing.coop_id, now=NOW)
        assert [row.kind for row in invoices_of(session, order_id)] == ["invoice"]
    assert sound(session)


@pytest.mark.parametrize(("quantity", "error"), [("2", QuantityFaulty), ("-1", QuantityFaulty), ("1.5", QuantityFaulty)])
def test_what_cannot_be_sold_is_refused(session, bought, quantity, error):
    _, placed, part = bought
    with pytest.raises(error):
        change(session, placed, part, quantity)


def test_somebody_elses_order_and_what_was_sent_cannot_be_changed(session, bought):
    _, placed, part = bought
    with pytest.raises(OrderMissing):
        change(session, placed, part, 1, line=new_id())
    service.ship(session, actor=STAFF, seller_order_id=part.id, tracking=None, now=NOW)
    with pytest.raises(WrongState):
        change(session, placed, part, 1)


def propose(session, part, instead, quantity="1"):
    return service.propose_substitution(
        session, actor=STAFF, seller_order_id=part.id, line_id=part.lines[0].id, listing_id=instead.id,
        quantity=Decimal(quantity), words="The last basket broke.", now=NOW,
    )  # fmt: skip


def answer(session, placed, asked, accept=True):
    service.answer_substitution(session, actor=GUEST, order_id=placed.order_id, substitution_id=asked, accept=accept, now=NOW)


@pytest.fixture
def instead(session, bought):
    """Something else of the same producer at the same price."""
    listing, _, _ = bought
    return make_listing(session, producer=session.get_one(Producer, listing.producer_id))


def test_something_else_is_sent_with_the_buyers_yes_and_the_difference_goes_back(session, bought, instead):
    listing, placed, part = bought
    shelf, other = on_hand(session, listing), on_hand(session, instead)
    asked = propose(session, part, instead)
    assert parts_of(session, placed.order_id)[0].lines == part.lines, "nothing changes before the yes"
    answer(session, placed, asked)
    answer(session, placed, asked)
    (after,) = parts_of(session, placed.order_id)
    old, new = after.lines
    assert (old.returned, new.quantity, new.replaces_id) == (old.quantity, 1, old.id)
    assert (on_hand(session, listing), on_hand(session, instead)) == (shelf + 2, other - 1)
    assert after.refunded == placed.total - new.total
    held = balances(session, session.get_one(Coop, listing.coop_id))
    assert sum(minor for code, minor in held.items() if code.startswith("held:")) == new.total.minor
    invoices.issue_credit_notes(session, seller_order_id=part.id, now=NOW)
    (invoice, note) = invoices_of(session, placed.order_id)
    assert (invoice.total, note.total) == (placed.total, after.refunded)
    back, sent = invoice_queries.paper(session, note.id).lines
    assert (back.title, back.quantity, back.net_minor + back.tax_minor) == (old.title, "2", old.total.minor)
    assert (sent.title, sent.quantity, sent.net_minor + sent.tax_minor) == (new.title, "-1", -new.total.minor)
    assert sound(session)


def test_what_is_sent_instead_at_the_same_price_gets_a_credit_note_that_names_both(session, bought, instead):
    listing, placed, part = bought
    same = propose(session, part, instead, "2")
    answer(session, placed, same)
    for _ in range(2):
        (note,) = invoices.issue_credit_notes(session, seller_order_id=part.id, now=NOW)
    paper = invoice_queries.paper(session, note)
    assert (paper.total_minor, paper.reason) == (0, "Something else was sent instead, with the buyer's consent")
    assert [(line.title, line.quantity) for line in paper.lines] == [(listing.title, "2"), (instead.title, "-2")]
    assert sum(line.net_minor + line.tax_minor for line in paper.lines) == 0


def test_a_no_changes_nothing_and_a_new_question_closes_the_old_one(session, bought, instead):
    _, placed, part = bought
    first, second = propose(session, part, instead), propose(session, part, instead, "2")
    with pytest.raises(WrongState):
        answer(session, placed, first)
    answer(session, placed, second, accept=False)
    with pytest.raises(WrongState):
        answer(session, placed, second)
    assert parts_of(session, placed.order_id)[0].lines == part.lines
    assert [one.state for one in change_queries.substitutions(session, [part.id])] == ["withdrawn", "refused"]


def test_nobody_pays_more_for_what_they_did_not_order(session, bought, instead):
    listing, _, part = bought
    with pytest.raises(SubstituteDearer):
        propose(session, part, instead, "3")
    with pytest.raises(OrderMissing):
        propose(session, part, make_listing(session), "1")
    with pytest.raises(WrongState):
        propose(session, part, listing, "1")
