"""The public page: a form that keeps what was typed, and the verdict in words."""

import pytest

from tests.domain.pricing.test_tables import BUILD_UP, decide
from tests.factories.prices import make_quote, make_reference
from tests.factories.producers import make_coop

ASKED = {
    "product": "coffee",
    "variety": "arabica",
    "form": "washed green",
    "price": "1.75",
    "currency": "USD",
    "unit": "lb",
    "quantity": "37500",
    "claims": "fairtrade",
}


def test_the_form_is_empty_at_first(client):
    page = client.get("/price-check")
    assert page.status_code == 200
    assert "Check a price" in page.text
    assert "The arithmetic" not in page.text


def test_a_price_below_the_floor_is_explained(client, session):
    make_reference(session)
    make_quote(session)
    page = client.get("/price-check", query_string=ASKED)
    assert page.status_code == 200
    for words in (
        "The price does not hold.",
        "1,875.00",
        "A price of 1.80 USD per lb or more passes",
        "C 1.62 + differential 0.10",
    ):
        assert words in page.text
    assert 'value="1.75"' in page.text


@pytest.mark.parametrize(
    "change", [{"price": "cheap"}, {"price": ""}, {"currency": "gold"}, {"quantity": "1e9"}, {"on": "31.12.2026"}]
)
def test_what_cannot_be_read_stays_in_the_form_with_a_sentence(client, session, change):
    page = client.get("/price-check", query_string=ASKED | change)
    assert page.status_code == 422
    assert 'role="alert"' in page.text
    assert 'value="arabica"' in page.text


def test_floors_of_co_ops_are_public_with_their_inputs(client, session):
    assert "No co-op has decided a floor yet" in client.get("/co-op-floors").text
    coop = make_coop(session, name="Weavers")
    decide(session, coop, build_up=BUILD_UP)
    page = client.get("/co-op-floors").text
    for words in ("Wool shawl", "$18.20", "Weavers", "labour 6.5 h × 1.85 = 12.025", "by a published benchmark"):
        assert words in page
