"""A returning buyer is known by the account they always pay from; with the amount that makes a match (rule 3)."""

from datetime import timedelta

import pytest

from market.kernel.actor import Actor
from market.orders import service as orders
from market.payments import queries as payments
from market.producers.models import Coop
from market.statements import service
from tests.conftest import NOW
from tests.factories.accounts import actor_for, make_account
from tests.factories.catalogue import make_listing
from tests.factories.orders import place
from tests.factories.statements import CLERK, DAY, import_lines, line
from tests.factories.statements import make_account as make_bank_account

IBAN, OTHER = "NL91ABNA0417164300", "DE89370400440532013000"
LATER = DAY + timedelta(days=6)


@pytest.fixture
def shop(session):
    listing = make_listing(session)
    account = make_bank_account(session, coop=session.get_one(Coop, listing.coop_id))
    return listing, account


@pytest.fixture
def buyer(session) -> Actor:
    return actor_for(session, make_account(session))


def awaited(session, listing, buyer):
    placed = place(session, listing, method="transfer", actor=buyer)
    return payments.payment(session, placed.payment_id)


def pay(session, account, view, *, iban: str, reference: str = "", number: int = 1, opening: int = 0) -> int:
    booked = line(view.money.minor, day=LATER, ref=f"P{number}", name="Ana", iban=iban, reference=reference, text="order")
    import_lines(session, account, [booked], number=number, opening=opening, on=LATER)
    return service.run_matching(session, money_account_id=account.id, actor=CLERK, now=NOW).matched


def test_the_second_transfer_of_a_buyer_needs_no_reference(session, shop, buyer) -> None:
    listing, account = shop
    first = awaited(session, listing, buyer)
    assert pay(session, account, first, iban=IBAN, reference=first.reference) == 1
    orders.mark_paid(session, order_id=first.subject_id, payment_id=first.id, now=NOW)
    second = awaited(session, listing, buyer)
    minor = first.money.minor
    assert pay(session, account, second, iban=OTHER, number=2, opening=minor) == 0  # from somewhere else: for a person
    assert pay(session, account, second, iban=IBAN, number=3, opening=minor + second.money.minor) == 1
    assert payments.payment(session, second.id).is_paid


def test_a_first_transfer_without_a_reference_is_for_a_person(session, shop, buyer) -> None:
    listing, account = shop
    assert pay(session, account, awaited(session, listing, buyer), iban=IBAN) == 0
