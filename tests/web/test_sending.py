"""Forms that arrive twice or late: one effect, the same answer; never for another member than the one they were filled in for."""

import re

import pytest

from market.catalogue.models import Listing
from market.provenance.models import Lot
from tests.factories.accounts import csrf_token, make_producer_account, sign_in
from tests.factories.catalogue import make_product
from tests.factories.producers import make_coop, make_producer
from tests.factories.provenance import make_lot

FORM = "/producer/listings/new"


@pytest.fixture
def coop(session):
    return make_coop(session, currency="EUR", country="CO")


@pytest.fixture
def ana(session, coop):
    return make_producer(session, coop=coop, name="Ana")


@pytest.fixture
def form(client, session, coop, ana):
    """What Ana's phone has kept: the form as it was drawn and filled in."""
    lot, product = make_lot(session, coop=coop, producer=ana), make_product(session)
    sign_in(client, session, make_producer_account(session, producer=ana))
    session.commit()
    drawn = dict(re.findall(r'name="(key|sent_for)" value="([^"]*)"', client.get(FORM).text))
    return drawn | {
        "lot_id": str(lot.id), "product_id": str(product.id), "title": "Cherries", "unit": "kg", "unit_price": "4,50",
        "currency": "EUR", "order_step": "1", "act": "publish",
    }  # fmt: skip


def send(client, form, path=FORM, **headers):
    return client.post(path, data=form | {"csrf_token": csrf_token(client)}, headers=headers)


def test_the_same_form_twice_makes_one_listing_and_leads_to_it_both_times(client, session, form):
    first, again = send(client, form), send(client, form)
    assert (first.status_code, again.status_code) == (303, 303)
    assert first.headers["Location"] == again.headers["Location"]
    assert session.query(Listing).one().unit_price == 4.5


def test_a_script_gets_an_answer_that_it_can_read(client, form):
    answer = send(client, form, **{"X-Sent-Later": "1"})
    assert answer.status_code == 204
    assert answer.headers["Location"].startswith("/producer/listings/")


def test_a_refused_form_may_be_corrected_under_the_same_key(client, session, form):
    assert send(client, form | {"title": ""}).status_code == 422
    assert send(client, form).status_code == 303
    assert session.query(Listing).count() == 1


def test_other_content_under_a_used_key_is_said_not_swallowed(client, session, form):
    send(client, form)
    answer = send(client, form | {"title": "Other cherries"})
    assert answer.status_code == 422
    assert "was sent before" in answer.text
    assert 'value="Other cherries"' in answer.text
    assert session.query(Listing).count() == 1


def test_what_was_filled_in_for_one_member_is_not_recorded_for_another(client, session, coop, form):
    sign_in(client, session, make_producer_account(session, producer=make_producer(session, coop=coop, name="Luz")))
    answer = send(client, form)
    assert answer.status_code == 422
    assert "another member" in answer.text
    assert session.query(Listing).count() == 0


def test_a_lot_sent_twice_is_one_lot(client, session, form):
    lot = {"name": "Cherries", "kind": "harvest", "quantity": "20", "uom": "KGM", "on": "2026-11-20", "place_name": "Finca"}
    keys = {name: form[name] for name in ("key", "sent_for")}
    before = session.query(Lot).count()
    answers = [send(client, lot | keys, "/producer/lots/new") for _ in range(2)]
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert session.query(Lot).count() == before + 1


def test_a_try_of_the_price_leaves_nothing_and_needs_no_title(client, session, form):
    from market.catalogue.models import Product

    before = session.query(Product).count()
    new = {"product_id": "new", "kind": "honey", "product_name": "Honey", "title": "", "act": "check"}
    answer = send(client, form | new)
    assert answer.status_code == 200
    assert "Who would get what of" in answer.text
    assert (session.query(Product).count(), session.query(Listing).count()) == (before, 0)
    assert "Choose the lot first." in send(client, form | {"act": "check", "lot_id": ""}).text


def test_the_ticket_and_the_worker(client, form, ana):
    assert client.get("/producer/ticket").json["owner"] == str(ana.id)
    worker = client.get("/producer/sw.js")
    assert worker.headers["Service-Worker-Allowed"] == "/producer"
    assert "script-src 'self'" in worker.headers["Content-Security-Policy"]
    assert worker.mimetype == "text/javascript"
    own = client.get("/producer").headers["X-Pages-Of"]
    assert own
    assert str(ana.id) not in own
    assert "X-Pages-Of" not in client.get("/shop").headers
