"""A line that was given to the wrong order, over HTTP: taken back at the desk or the API, and refused where it must stay."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from market.http import links
from market.http.card_page import LINK
from market.orders import queries as orders
from market.orders import service
from market.payments import queries as payments
from market.producers.models import Coop
from market.reports.queries import tasks
from market.reports.queries.lists import Viewer
from market.statements import queries
from market.statements.models import StatementLine
from tests.conftest import NOW
from tests.factories.accounts import csrf_token, make_producer_account, make_staff, sign_in
from tests.factories.catalogue import make_listing
from tests.factories.orders import place
from tests.factories.payouts import PREPARER
from tests.factories.producers import make_producer
from tests.factories.statements import import_lines, line, make_account
from workers import invoices as papers
from workers import orders as order_tasks

LINES = "/console/statements/lines"


class Case:
    """Two orders of one co-op by transfer, and a line that was meant for the second; ids alone, since every request commits."""

    def __init__(self, client, session):
        self.client, self.session = client, session
        producer = make_producer(session)
        coop = session.get_one(Coop, producer.coop_id)
        self.coop_id, self.producer_id = coop.id, producer.id
        self.producer = make_producer_account(session, producer=producer).id
        listing = make_listing(session, producer=producer)
        self.wrong, self.right = place(session, listing, method="transfer"), place(session, listing, method="transfer")
        import_lines(session, make_account(session, coop=coop), [line(self.wrong.total.minor, ref="A", name="Ben")])
        self.line = session.scalars(select(StatementLine.id).where(StatementLine.coop_id == coop.id)).one()
        sign_in(client, session, make_staff(session, coop=coop))

    def post(self, path, **form):
        return self.client.post(f"{LINES}/{self.line}{path}", data={"csrf_token": csrf_token(self.client), **form})

    def give_to(self, placed):
        reference = payments.payment(self.session, placed.payment_id).reference
        assert self.post("/reference", reference=reference).status_code == 303
        order_tasks.mark_paid(payment_id=str(placed.payment_id), subject_kind="order", subject_id=str(placed.order_id))
        self.session.expire_all()
        assert self.state(placed) == "paid"

    def match(self):
        self.session.expire_all()
        return next(each for each in queries.line(self.session, self.line).matches if not each.undone_at)

    def state(self, placed):
        self.session.expire_all()
        return orders.order(self.session, placed.order_id).state

    def page(self, placed):
        return self.client.get(f"/orders/{placed.order_id}?key={links.key_for(LINK, placed.order_id)}").text


@pytest.fixture
def case(client, session):
    return Case(client, session)


def test_a_line_moves_from_the_wrong_order_to_the_right_one_and_the_first_expires_with_a_credit_note(case, session, clock):
    case.give_to(case.wrong)
    papers.issue(order_id=str(case.wrong.order_id))
    assert "waits for its payment again" in case.client.get(f"{LINES}/{case.line}").text
    assert case.post(f"/undo/{case.match().id}", undone=str(case.match().id), undo_reason="it is Ben's").status_code == 303
    shown = case.page(case.wrong)
    assert "belongs to another payment" in shown
    assert payments.payment(session, case.wrong.payment_id).reference in shown
    assert "belongs to another payment" not in case.page(case.right)
    case.give_to(case.right)
    assert (case.state(case.wrong), case.state(case.right)) == ("placed", "paid")
    assert case.match().target_id == case.right.payment_id
    clock.instant = NOW + timedelta(days=40)
    order_tasks.expire()
    papers.credit_ended(order_id=str(case.wrong.order_id))
    assert (case.state(case.wrong), case.state(case.right)) == ("cancelled", "paid")
    assert "CN-2027-000001" in case.page(case.wrong)


def test_what_is_taken_back_is_not_to_be_packed_any_more(case, session, clock):
    case.give_to(case.wrong)
    (part,) = orders.order(session, case.wrong.order_id).parts
    clock.instant = late = NOW + timedelta(days=4)

    def waits():
        return tasks.counts(session, Viewer(case.coop_id, "EUR", "UTC", now=late)).get("order_late", 0)

    assert waits() == 1
    case.post(f"/undo/{case.match().id}", undo_reason="it is Ben's")
    assert waits() == 0
    producer = session.execute(text("SELECT id FROM account WHERE id = :id"), {"id": case.producer}).one()
    sign_in(case.client, session, producer)
    assert part.number not in case.client.get("/producer/orders/list").text
    assert part.number not in case.client.get("/producer/orders").text


@pytest.mark.parametrize("back", [{}, {"back": "/console/matching"}])
def test_a_refusal_stays_where_the_form_stands_and_says_what_to_do(case, session, back):
    case.give_to(case.wrong)
    (part,) = orders.order(session, case.wrong.order_id).parts
    service.ship(session, actor=PREPARER, seller_order_id=part.id, tracking=None, now=NOW)
    session.commit()
    match_id = case.match().id
    refused = case.post(f"/undo/{match_id}", undone=str(match_id), undo_reason="it is Ben's", **back)
    assert refused.status_code == 422
    assert "ask this buyer to pay again" in refused.text
    assert 'value="it is Ben&#39;s"' in refused.text
    assert case.state(case.wrong) == "paid"
    assert case.match().id == match_id
