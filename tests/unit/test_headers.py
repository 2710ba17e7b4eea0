"""A form that leads to the hosted card page must be allowed to arrive there, and nowhere else."""

from dataclasses import replace

import pytest

from market.http.headers import card_page
from tests.conftest import settings_for


@pytest.mark.parametrize(
    ("api", "origin"),
    [
        ("https://api.stripe.com", "https://checkout.stripe.com"),
        ("http://127.0.0.1:4242", "http://127.0.0.1:4242"),
        ("http://stripe.test/base", "http://stripe.test"),
    ],
)
def test_the_card_page_lives_where_the_processor_does(api, origin):
    settings = replace(settings_for("postgresql://x/x", "redis://x"), stripe_api_base=api)
    assert card_page(settings) == origin


def test_every_page_names_it_as_the_only_foreign_target_of_forms(client):
    policy = client.get("/healthz").headers["Content-Security-Policy"]
    assert "form-action 'self' http://127.0.0.1:1;" in policy
