import pytest

from market.kernel.money import Money, total
from market.orders import rules
from market.orders.errors import WrongState
from market.orders.models import STATES


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


PARTS = [
    ("producer_goods", eur(7200)),
    ("premium", eur(800)),
    ("coop_service", eur(900)),
    ("inland_transport", eur(400)),
    ("payment_fee", eur(200)),
    ("tax", eur(500)),
]


def test_release_books_what_the_design_names_e13():
    legs = {(leg.debit, leg.credit): leg.money.minor for leg in rules.release_legs(PARTS, currency="EUR", payee="m1")}
    assert legs == {
        ("held:goods", "payable:m1"): 7200,
        ("held:premium", "fund_available"): 800,
        ("premium_bank", "bank:1"): 800,
        ("held:charges", "fee_income"): 900,
        ("held:charges", "transport_payable"): 400,
        ("held:charges", "cost_recovered"): 200,
        ("held:tax", "tax_payable"): 500,
    }


def test_a_discount_beyond_the_service_is_borne_by_the_coops_income():
    parts = [*PARTS, ("discount", eur(-1000))]
    legs = rules.release_legs(parts, currency="EUR", payee="m1")
    assert ("fee_income", "held:charges", 100) in {(leg.debit, leg.credit, leg.money.minor) for leg in legs}
    taken = total(
        [leg.money if leg.debit.startswith("held") else -leg.money for leg in legs if "held" in leg.debit + leg.credit], "EUR"
    )
    assert taken == total([money for _, money in parts], "EUR")


def test_every_state_has_its_words_and_ways():
    assert set(STATES) == set(rules._NEXT) == set(rules._WORDS)


@pytest.mark.parametrize(
    ("now", "wanted"), [("placed", "shipped"), ("settled", "refunded"), ("cancelled", "paid"), ("paid", "settled")]
)
def test_next_state_refuses_shortcuts(now, wanted):
    with pytest.raises(WrongState):
        rules.next_state(now, wanted)
