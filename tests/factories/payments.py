"""Payments with valid defaults: the standing example of money.md 2; nothing commits."""

from datetime import timedelta

from market.kernel.ids import new_id
from market.kernel.money import Money
from market.payments import service
from market.payments.rules import PaymentPart
from tests.conftest import NOW
from tests.factories.producers import make_coop


def make_part(coop, *, goods=7200, premium=800, charges=1500, tax=500, currency=None) -> PaymentPart:
    amounts = (Money(minor, currency or coop.currency) for minor in (goods, premium, charges, tax))
    return PaymentPart(coop.id, new_id(), *amounts)


def make_payment(session, *, parts=None, method="card", **values):
    """A payment of 100.00 EUR to one co-op, open for an hour."""
    parts = parts or [make_part(make_coop(session))]
    fields = {
        "subject_kind": "order",
        "subject_id": new_id(),
        "title": "Order 4711",
        "expires_at": NOW + timedelta(hours=1),
        "now": NOW,
    }
    return service.open_payment(session, parts=parts, method=method, **(fields | values))
