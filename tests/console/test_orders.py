"""The staff's page of an order: money goes back after a second look at what goes back, and nothing typed is lost."""

from decimal import Decimal

import pytest

from market.kernel.actor import system
from market.orders import queries, service
from tests.conftest import NOW
from tests.factories.accounts import csrf_token, make_staff, sign_in
from tests.factories.catalogue import make_listing
from tests.factories.orders import paid_order, parts_of
from tests.factories.producers import make_producer


@pytest.fixture
def part(session, coop):
    producer = make_producer(session, coop=coop)
    return parts_of(session, paid_order(session, make_listing(session, producer=producer)).order_id)[0]


@pytest.fixture
def staff(client, session, coop):
    return sign_in(client, session, make_staff(session, coop=coop, role="preparer"))


def test_a_refund_is_looked_at_twice(staff, session, part):
    (line,) = part.lines
    path = f"/console/orders/{part.id}"
    form = {"csrf_token": csrf_token(staff), f"line-{line.id}": "1", "reason": "broken bag", "bearer": "coop"}
    asked = staff.post(f"{path}/refund", data=form)
    assert asked.status_code == 200
    for said in (line.title, "broken bag", "the co-op", "This cannot be taken back."):
        assert said in asked.text
    assert not queries.seller_order(session, part.id).refunded
    changed = staff.post(f"{path}/refund", data=form | {"sure": "no"}).text
    assert 'value="broken bag"' in changed
    assert staff.post(f"{path}/refund", data=form | {"sure": "yes"}).status_code == 303
    assert queries.seller_order(session, part.id).refunded.minor > 0
    wrong = staff.post(f"{path}/refund", data=form | {f"line-{line.id}": "much", "sure": "yes"})
    assert (wrong.status_code, "Please enter the quantity as a number." in wrong.text) == (422, True)


def test_a_dispatch_is_looked_at_twice(staff, session, part):
    given = {"quantities": {part.lines[0].id: Decimal("0.5")}, "reason": "broken", "bearer": "coop"}
    service.refund_lines(session, actor=system("test"), seller_order_id=part.id, now=NOW, **given)
    form = {"csrf_token": csrf_token(staff), "tracking": "TR-1"}
    asked = staff.post(f"/console/orders/{part.id}/ship", data=form).text
    assert part.lines[0].title in asked
    assert f'<dd class="said">{part.lines[0].quantity - Decimal("0.5"):.1f} ' in asked
    assert "This cannot be taken back." in asked
    assert queries.seller_order(session, part.id).state == "paid"
    assert staff.post(f"/console/orders/{part.id}/ship", data=form | {"sure": "yes"}).status_code == 303
    assert queries.seller_order(session, part.id).state == "shipped"
