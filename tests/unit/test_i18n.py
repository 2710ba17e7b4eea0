"""Money, numbers and dates as people read them."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from flask import Flask
from flask_babel import Babel

from market.http import i18n
from market.kernel.money import Money


@pytest.fixture
def _page():
    app = Flask(__name__)
    Babel(app)
    with app.test_request_context():
        yield


@pytest.mark.usefixtures("_page")
class TestFormats:
    def test_money_has_the_digits_of_iso_4217_and_not_those_of_cldr(self):
        assert i18n.show_money(Money(1250, "MGA")) == "MGA\u00a012.50"
        assert i18n.show_money(Money(1250, "XOF")).endswith("1,250")
        assert i18n.show_money(Money(-1250, "EUR")) == "-€12.50"

    def test_a_unit_price_shows_every_digit_it_has(self):
        assert i18n.show_unit_price(Decimal("2.345670"), "USD") == "$2.34567"
        assert i18n.show_unit_price(Decimal("2.000000"), "USD") == "$2.00"

    def test_a_floor_is_shown_as_it_can_be_paid_and_never_lower(self):
        assert i18n.show_least_price(Decimal("1.658087"), "EUR") == "€1.66"
        assert i18n.show_least_price(Decimal("0.043201"), "EUR") == "€0.0433"
        assert i18n.show_least_price(Decimal("1800"), "XOF").endswith("1,800")

    def test_a_sentence_of_the_domain_has_days_for_readers(self):
        assert i18n.told("in force from 2023-08-01, number 2026-99-31") == "in force from 1 Aug 2023, number 2026-99-31"

    def test_a_quantity_loses_only_trailing_zeros(self):
        assert i18n.show_quantity(Decimal("1200.500000")) == "1,200.5"
        assert i18n.show_quantity(Decimal("0.000001")) == "0.000001"

    def test_a_small_share_is_not_rounded_to_nothing(self):
        assert i18n.show_percent(Decimal("0.125")) == "12%"
        assert i18n.show_percent(Decimal("0.004")) == "0.4%"

    def test_an_instant_names_its_zone(self):
        assert i18n.show_instant(datetime(2026, 11, 25, 9, 30, tzinfo=UTC)) == "25 Nov 2026, 09:30 UTC"
        assert i18n.show_day(date(2026, 11, 25)) == "25 Nov 2026"
