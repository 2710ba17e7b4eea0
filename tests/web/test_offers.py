"""A producer lists goods without JavaScript: check, correct, publish, photo, stock, withdraw."""

import io

import pytest

from market.catalogue.models import Listing
from tests.factories.accounts import csrf_token, make_producer_account, make_staff, sign_in
from tests.factories.catalogue import make_listing
from tests.factories.prices import make_quote, make_reference
from tests.factories.producers import make_coop, make_producer
from tests.factories.provenance import make_lot
from tests.unit.test_catalogue_photos import picture

LIST = "/producer/listings"


@pytest.fixture
def coop(session):
    return make_coop(session, currency="USD", country="CO")


@pytest.fixture
def producer(session, coop):
    return make_producer(session, coop=coop)


@pytest.fixture
def typed(client, session, coop, producer):
    """What Ana types: green coffee under a co-op floor of the scheme's row, too cheap."""
    make_reference(session)
    make_quote(session)
    lot = make_lot(session, coop=coop, producer=producer)
    sign_in(client, session, make_producer_account(session, producer=producer))
    session.commit()
    return {
        "lot_id": str(lot.id), "product_id": "new", "kind": "Coffee", "product_name": "Washed arabica", "variety": "arabica",
        "form": "washed_green", "quality": "conventional", "title": "Huila, washed", "unit": "kg", "unit_price": "4.50",
        "currency": "USD", "order_step": "1", "incoterm": "FOB", "description": "Sun-dried.",
    }  # fmt: skip


def send(client, path, data, **more):
    return client.post(path, data=data | {"csrf_token": csrf_token(client)}, **more)


def test_the_form_and_the_list_open(client, typed):
    assert "No listings yet" in client.get(LIST).text
    assert "Check the price" in client.get(f"{LIST}/new?lot={typed['lot_id']}").text


def test_check_keeps_the_input_and_stores_nothing(client, session, typed):
    answer = send(client, f"{LIST}/new", typed | {"act": "check"})
    assert answer.status_code == 200
    assert "The price, checked" in answer.text
    assert 'value="Huila, washed"' in answer.text
    assert "Who would get what" in answer.text
    assert session.query(Listing).count() == 0


def test_publish_and_change(client, session, typed):
    answer = send(client, f"{LIST}/new", typed | {"act": "publish"}, follow_redirects=True)
    assert "It is in the shop." in answer.text
    listing = session.query(Listing).one()
    page = f"{LIST}/{listing.id}"
    assert "Save the changes" in client.get(page).text
    assert "Saved." in send(client, page, typed | {"act": "save", "title": "Huila, new"}, follow_redirects=True).text
    assert "Huila, new" in client.get("/shop?q=huila").text
    assert "Huila, new" in client.get(LIST).text


def test_a_claim_without_certificate_is_refused_beside_its_field(client, session, typed):
    answer = send(client, f"{LIST}/new", typed | {"act": "publish", "claims": "fairtrade"})
    assert answer.status_code == 422
    assert "certificate" in answer.text
    assert 'value="Huila, washed"' in answer.text
    assert session.query(Listing).count() == 0


@pytest.mark.parametrize(
    ("field", "value"), [("unit_price", "much"), ("title", ""), ("lot_id", ""), ("unit", "bag"), ("kind", "")]
)
def test_a_faulty_field_is_named_and_the_rest_kept(client, typed, field, value):
    answer = send(client, f"{LIST}/new", typed | {"act": "publish", field: value})
    assert answer.status_code == 422
    assert f'id="e-{field}"' in answer.text
    assert "Sun-dried." in answer.text


def test_photo_stock_and_withdraw(client, session, producer, typed):
    listing = make_listing(session, producer=producer, title="On sale")
    session.commit()
    page = f"{LIST}/{listing.id}"
    photo = {"photo": (io.BytesIO(picture()), "beds.jpg"), "alt": "Drying beds"}
    assert "The photo is on the listing." in send(client, f"{page}/photo", photo, follow_redirects=True).text
    hostile = {"photo": (io.BytesIO(b"<svg>"), "x.jpg")}
    assert "no JPEG, PNG or WebP" in send(client, f"{page}/photo", hostile, follow_redirects=True).text
    assert "The stock is set." in send(client, f"{page}/stock", {"on_hand": "7"}, follow_redirects=True).text
    assert "7 kg available" in client.get(f"/listings/{listing.id}").text
    assert "no longer in the shop" in send(client, f"{page}/withdraw", {"reason": "sold"}, follow_redirects=True).text
    assert client.get(f"/listings/{listing.id}").status_code == 404


def test_nobody_else_opens_or_changes_it(client, session, coop, typed):
    listing = make_listing(session, producer=make_producer(session, coop=coop))
    session.commit()
    page = f"{LIST}/{listing.id}"
    assert client.get(page).status_code == 404
    for path, data in (("", typed), ("/withdraw", {}), ("/stock", {"on_hand": "1"}), ("/photo", {"alt": "x"})):
        assert send(client, page + path, dict(data)).status_code == 404
    sign_in(client, session, make_staff(session, coop=coop))
    assert client.get(page).status_code == 200
