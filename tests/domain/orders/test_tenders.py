"""Charges paid in the members' community currency: they wait, are earned, and go back in the tender they were paid in."""

from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from market.gateways.memory_stripe import MemoryCards
from market.http.db import unit_of_work
from market.invoices import queries as invoice_queries
from market.invoices import service as invoices
from market.kernel.actor import Actor
from market.kernel.ids import new_id
from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger import service as ledger
from market.orders import queries, service, tender_queries
from market.orders.errors import WrongState
from market.payments import queries as payment_queries
from market.payments import service as payments
from market.payments.rules import State
from market.producers.models import Coop, Producer
from market.treasury import community_queries as community
from market.treasury import service as treasury
from market.treasury.community_models import CommunityHolder
from market.treasury.errors import AmountRefused, NotOpen, SecondPerson
from tests.conftest import NOW
from tests.domain.payments.reading import balances
from tests.domain.payments.test_transfers import arrive
from tests.factories.accounts import csrf_token, make_producer_account, sign_in
from tests.factories.catalogue import make_listing
from tests.factories.orders import parts_of, place
from tests.factories.producers import make_producer

ONE, OTHER = (Actor(account_id=new_id(), roles=frozenset({role})) for role in ("preparer", "approver"))


def keep_a_unit(session, coop):
    """The co-op opens a community currency; above 20.00 a second person authorises."""
    above = community.unit(2000)
    scheme = treasury.propose_scheme(
        session, actor=ONE, coop_id=coop.id, legal_check="Folder 7, by A. Lawyer", authorise_above=above, now=NOW
    )
    treasury.decide_scheme(session, actor=OTHER, scheme_id=scheme, agreed=True, now=NOW)


def hold_it(session, producer):
    """A member may fall by 50.00."""
    limits = {"limit_down": community.unit(5000), "growth_cap": community.unit(5000), "limit_up": None}
    holder = treasury.propose_holder(session, actor=ONE, producer_id=producer.id, now=NOW, **limits)
    treasury.decide_holder(session, actor=OTHER, holder_id=holder, agreed=True, now=NOW)
    return holder


@pytest.fixture
def member(session):
    """A listing of a co-op that keeps a community currency, and a member of it who may fall by 50.00: account and holder."""
    listing = make_listing(session)
    coop = session.get_one(Coop, listing.coop_id)
    me = make_producer(session, coop=coop, name="Ana")
    keep_a_unit(session, coop)
    holder = hold_it(session, me)
    account = make_producer_account(session, producer=session.get_one(Producer, me.id))
    actor = Actor(account_id=account.id, roles=frozenset({"producer"}), producer_id=me.id, coop_id=coop.id)
    session.commit()
    return listing, coop, account, actor, holder


@pytest.fixture
def tendered(session, member):
    """An order by transfer of 4 of which the charges are paid in the unit: the order, its charges in the unit."""
    listing, _, _, actor, _ = member
    placed = place(session, listing, quantity=4, method="transfer", actor=actor)
    session.flush()
    offered = tender_queries.tender(session, placed.order_id, producer_id=actor.producer_id).offered
    assert offered.minor > 0
    payment_id = service.pay_charges_in_unit(session, actor=actor, order_id=placed.order_id, now=NOW)
    assert service.pay_charges_in_unit(session, actor=actor, order_id=placed.order_id, now=NOW) == payment_id, "once"
    session.commit()
    assert payment_queries.payment(session, payment_id).money.minor == placed.total.minor - offered.minor
    return placed, payment_id, offered.minor


def unit(session, coop, *codes) -> list[int]:
    """What accounts hold in the unit; the sum over all is zero (M-1)."""
    found = {row.code: row.money.minor for row in books.balances(session, ledger.book_of(session, coop.id), prefix="lc")}
    assert sum(found.values()) == 0
    return [found.get(code, 0) for code in codes]


def sound(session) -> bool:
    session.flush()
    session.expire_all()
    return books.check(session) == [] and queries.check(session) == [] and invoice_queries.check(session) == []


def pay_rest(session, placed, payment_id):
    """The transfer of the rest arrives."""
    arrive(session, payment_queries.payment(session, payment_id), payment_queries.payment(session, payment_id).money.minor)
    service.mark_paid(session, order_id=placed.order_id, payment_id=payment_id, now=NOW)
    session.commit()


def test_e10_waits_and_e14_is_earned_by_the_co_op(session, member, tendered):
    listing, coop, _, _, holder = member
    placed, payment_id, fee = tendered
    assert unit(session, coop, f"lc:{holder}", "lc_held", "lc:coop") == [-fee, fee, 0]
    pay_rest(session, placed, payment_id)
    (part,) = parts_of(session, placed.order_id)
    held = {name: money.minor for name, money in queries.component_sums(part).items()}
    after = balances(session, coop)
    assert after["held:goods"] == held["goods"]
    assert after.get("held:charges", 0) == held["charges"] - fee
    assert sound(session)
    invoice_id = invoices.issue_invoice(session, order_id=placed.order_id, coop_id=coop.id, now=NOW)
    assert invoice_queries.paper(session, invoice_id).total_minor == placed.total.minor, "a tender changes no price"
    service.ship(session, actor=ONE, seller_order_id=part.id, tracking=None, now=NOW)
    service.confirm(session, actor=ONE, seller_order_id=part.id, now=NOW)
    assert service.settle_due(session, now=NOW) == 1
    assert unit(session, coop, f"lc:{holder}", "lc_held", "lc:coop") == [-fee, 0, fee]
    earned = balances(session, coop)
    assert earned[f"payable:{listing.producer_id}"] == held["goods"]
    assert "fee_income" not in earned, "all of the co-op's own charges came in the unit"
    assert not [code for code in earned if code.startswith("held:")]
    assert sound(session)


@pytest.mark.parametrize("settled", [False, True])
def test_what_is_refunded_goes_back_in_the_tender_it_was_paid_in(session, member, tendered, settled):
    _, coop, _, _, holder = member
    placed, payment_id, _ = tendered
    pay_rest(session, placed, payment_id)
    (part,) = parts_of(session, placed.order_id)
    if settled:
        service.ship(session, actor=ONE, seller_order_id=part.id, tracking=None, now=NOW)
        service.confirm(session, actor=ONE, seller_order_id=part.id, now=NOW)
        service.settle_due(session, now=NOW)
    for quantity in (1, 3):
        service.refund_lines(
            session, actor=ONE, seller_order_id=part.id, quantities={part.lines[0].id: Decimal(quantity)}, reason="broken",
            bearer="coop", now=NOW,
        )  # fmt: skip
        assert sound(session) or settled
        assert not service.note_refunds(session, seller_order_id=part.id, now=NOW), "nothing was given back elsewhere"
    assert unit(session, coop, f"lc:{holder}", "lc_held", "lc:coop") == [0, 0, 0]
    payment = payment_queries.payment(session, payment_id)
    assert payment.refunded == payment.received
    (after,) = parts_of(session, placed.order_id)
    assert (after.refunded, after.state) == (placed.total, "settled" if settled else "refunded")
    notes = invoices.issue_credit_notes(session, seller_order_id=part.id, now=NOW)
    assert sum(invoice_queries.paper(session, one).total_minor for one in notes) == placed.total.minor
    assert sound(session)


def test_an_order_that_ends_unpaid_gives_the_unit_back(session, member, tendered):
    _, coop, _, actor, holder = member
    placed, _, _ = tendered
    for _ in range(2):
        service.cancel_order(session, actor=actor, order_id=placed.order_id, now=NOW)
    assert unit(session, coop, f"lc:{holder}", "lc_held") == [0, 0]
    with pytest.raises(WrongState, match="Nothing of this order"):
        service.pay_charges_in_unit(session, actor=actor, order_id=placed.order_id, now=NOW)
    assert sound(session)


def test_a_lost_payment_is_opened_again_for_the_rest_alone_and_nothing_else_is_sent_instead(session, member, tendered):
    listing, _, _, actor, _ = member
    placed, payment_id, fee = tendered
    payments.cancel_unsent(session, payment_id=payment_id, now=NOW)
    again = service.reopen_payment(session, actor=actor, order_id=placed.order_id, now=NOW)
    assert payment_queries.payment(session, again).money.minor == placed.total.minor - fee
    pay_rest(session, placed, again)
    (part,) = parts_of(session, placed.order_id)
    other = make_listing(session, producer=session.get_one(Producer, listing.producer_id))
    with pytest.raises(WrongState, match="Give the line back"):
        service.propose_substitution(
            session, actor=ONE, seller_order_id=part.id, line_id=part.lines[0].id, listing_id=other.id, quantity=Decimal(1),
            words="", now=NOW,
        )  # fmt: skip


def test_what_cannot_be_paid_so_is_not_offered_and_the_books_defend_the_limit(session, member):
    listing, _, _, actor, holder = member
    placed = place(session, listing, quantity=4, method="transfer", actor=actor)
    session.flush()

    def offered():
        return tender_queries.tender(session, placed.order_id, producer_id=actor.producer_id).offered.minor

    whole = offered()
    session.get_one(CommunityHolder, holder).limit_down_minor = whole - 1
    assert offered() == 0, "more than the holder may still spend"
    session.get_one(CommunityHolder, holder).limit_down_minor = 5000
    stranger = make_producer(session)
    assert tender_queries.tender(session, placed.order_id, producer_id=stranger.id).offered.minor == 0, "not their unit"
    assert offered() == whole


@pytest.mark.parametrize("sent", [Decimal("2.5"), Decimal(0), None])
def test_the_unit_follows_what_is_packed_before_the_card_is_charged(session, member, sent):
    """Of 4: some of it is sent, or none, or the buyer cancels before anything is packed."""
    listing, coop, _, actor, holder = member
    coop.charge_when_packed = True
    placed = place(session, listing, quantity=4, actor=actor)
    cards = MemoryCards()
    payment_id = service.pay_charges_in_unit(session, actor=actor, order_id=placed.order_id, now=NOW)
    session.commit()
    fee = placed.total.minor - payment_queries.payment(session, payment_id).money.minor
    page = payments.start_checkout(unit_of_work, cards, payment_id=payment_id, return_url="/", cancel_url="/", now=NOW)
    cards.pay(page.checkout_id)
    assert payments.refresh(unit_of_work, cards, payment_id=payment_id, now=NOW).state is State.AUTHORISED
    with unit_of_work() as own:
        service.mark_authorised(own, order_id=placed.order_id, now=NOW)
    assert unit(session, coop, f"lc:{holder}", "lc_held") == [-fee, fee]
    (part,) = parts_of(session, placed.order_id)
    if sent is None:
        service.let_go(session, actor=actor, order_id=placed.order_id, now=NOW)
    else:
        service.pack(session, actor=ONE, seller_order_id=part.id, quantities={part.lines[0].id: sent}, now=NOW)
        service.charge_packed(session, order_id=placed.order_id, now=NOW)
    session.commit()
    payments.settle_authorisation(unit_of_work, cards, payment_id=payment_id, now=NOW)
    if not sent:
        assert service.end_authorised(session, now=NOW) == [placed.order_id]
        assert unit(session, coop, f"lc:{holder}", "lc_held", "lc:coop") == [0, 0, 0]
        assert (cards.balance_lines(NOW), sound(session)) == ([], True)
        return
    service.mark_paid(session, order_id=placed.order_id, payment_id=payment_id, now=NOW)
    order, kept = queries.order(session, placed.order_id), round(fee * 2.5 / 4)
    assert unit(session, coop, f"lc:{holder}", "lc_held") == [-kept, kept]
    assert payment_queries.payment(session, payment_id).received.minor == order.charged.minor - kept
    assert sound(session)
    invoice_id = invoices.issue_invoice(session, order_id=placed.order_id, coop_id=coop.id, now=NOW)
    assert invoice_queries.paper(session, invoice_id).total_minor == order.charged.minor
    service.ship(session, actor=ONE, seller_order_id=part.id, tracking=None, now=NOW)
    service.confirm(session, actor=ONE, seller_order_id=part.id, now=NOW)
    service.settle_due(session, now=NOW)
    assert unit(session, coop, f"lc:{holder}", "lc_held", "lc:coop") == [-kept, 0, kept]
    assert sound(session)


def test_a_transfer_stays_in_its_co_op_above_zero_and_within_two_persons(session, member):
    _, coop, _, _, ana = member
    luis, stranger = hold_it(session, make_producer(session, coop=coop)), make_producer(session)
    keep_a_unit(session, session.get_one(Coop, stranger.coop_id))
    facts = {"actor": ONE, "payer_id": ana, "words": "Seedlings", "now": NOW}
    with pytest.raises(NotOpen):
        treasury.pay(session, payee_id=hold_it(session, stranger), money=community.unit(100), **facts)
    for money in (community.unit(0), community.unit(-100), Money(100, "EUR")):
        with pytest.raises(AmountRefused):
            treasury.pay(session, payee_id=luis, money=money, **facts)
    asked = treasury.pay(session, payee_id=luis, money=community.unit(2001), **facts)
    assert unit(session, coop, f"lc:{ana}") == [0]
    with pytest.raises(SecondPerson):
        treasury.decide_transfer(session, actor=ONE, transfer_id=asked, agreed=True, now=NOW)
    treasury.decide_transfer(session, actor=OTHER, transfer_id=asked, agreed=True, now=NOW)
    assert unit(session, coop, f"lc:{ana}", f"lc:{luis}") == [-2001, 2001]


@pytest.mark.parametrize("statement", ["UPDATE order_tender SET amount_minor = 1", "DELETE FROM order_tender"])
def test_the_database_keeps_what_was_paid_in_the_unit(session, tendered, statement):
    with pytest.raises(DBAPIError, match="permission denied"), session.begin_nested():
        session.execute(text(statement))


def test_a_member_pays_the_charges_on_the_page_of_the_order_and_by_a_program(client, session, member):
    listing, coop, account, actor, holder = member
    orders = [place(session, listing, quantity=2, method=method, actor=actor) for method in ("transfer", "card")]
    session.commit()
    sign_in(client, session, account)
    page = client.get(f"/orders/{orders[0].order_id}").text
    assert "in the community currency" in page
    done = client.post(f"/orders/{orders[0].order_id}/community", data={"csrf_token": csrf_token(client)})
    assert done.status_code == 303
    assert "of it was paid in the community currency" in client.get(f"/orders/{orders[0].order_id}").text
    path = f"/api/v1/orders/{orders[1].order_id}/community-part"
    offered = client.get(path).json["offered"]
    paid = client.post(path, headers={"X-CSRFToken": csrf_token(client)})
    assert (paid.status_code, paid.json["paid"], paid.json["offered"]["minor"]) == (200, offered, 0)
    spent = 2 * offered["minor"]
    assert unit(session, coop, f"lc:{holder}", "lc_held") == [-spent, spent]
    stranger = make_producer_account(session, producer=make_producer(session, coop=coop))
    session.commit()
    sign_in(client, session, stranger)
    assert client.get(path).status_code == 404
