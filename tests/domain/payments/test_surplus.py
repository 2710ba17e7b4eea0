"""Money that nothing wanted, of an order of two co-ops: each book gives its own share back, and a share of nothing is none."""

import pytest

from market.kernel.actor import system
from market.kernel.money import Money
from market.ledger import queries as books
from market.payments import queries, service
from market.payments.errors import AuthorisationDecided, CaptureTooLarge
from market.payments.ports import Checkout
from market.payments.rules import Amounts, State
from tests.conftest import NOW
from tests.domain.payments.reading import balances, topics
from tests.factories.payments import make_part, make_payment
from tests.factories.producers import make_coop

URLS = {"return_url": "http://r", "cancel_url": "http://c"}
DESK = system("test")


def seen(state: str, minor: int | None = None) -> Checkout:
    """What the processor shows of the page."""
    paid = None if minor is None else Money(minor, "EUR")
    return Checkout("cs_1", state, None, intent_id="pi_1", charge_id="ch_1", paid=paid, charged_at=NOW)


@pytest.fixture
def two(session):
    """A card payment of 150.00 for 100.00 of one co-op and 50.00 of another: payment, co-ops, parts."""
    coops = [make_coop(session, charge_when_packed=True) for _ in range(2)]
    parts = [make_part(coops[0]), make_part(coops[1], goods=3600, premium=400, charges=750, tax=250)]
    return make_payment(session, parts=parts), coops, parts


def paid(session, payment, minor: int):
    """The payment after the processor has shown so much."""
    service.record_checkout(session, payment_id=payment.id, seen=seen("succeeded", minor), now=NOW)
    session.flush()
    session.expire_all()
    return queries.payment(session, payment.id)


def shares(session, payment) -> dict:
    """What goes back of a payment, by co-op."""
    return {row.coop_id: (row.kind, row.money.minor) for row in queries.refunds_of(session, payment_id=payment.id)}


def owed(session, coops) -> list[dict[str, int]]:
    return [balances(session, coop) for coop in coops]


@pytest.mark.parametrize(("came", "back"), [(3003, (2002, 1001)), (2, (1, 1)), (1, (1, 0))])
def test_what_was_not_asked_for_goes_back_out_of_each_co_ops_book(session, two, came, back):
    payment, coops, _ = two
    for coop in coops:
        coop.charge_when_packed = False
    service.prepare_checkout(session, payment_id=payment.id, now=NOW, **URLS)
    found = paid(session, payment, came)
    assert (found.state, found.refunded.minor) == (State.SURPLUS, came)
    due = {coop.id: ("surplus", minor) for coop, minor in zip(coops, back, strict=True) if minor}
    assert shares(session, payment) == due
    moved = [{"card_clearing": minor, "refund_payable": minor} if minor else {} for minor in back]
    assert owed(session, coops) == moved
    assert topics(session).count("payments.refund_decided") == len(due)
    assert books.check(session) == []


@pytest.fixture
def kept(session, two):
    """The same, kept on the card."""
    payment, coops, parts = two
    service.prepare_checkout(session, payment_id=payment.id, now=NOW, **URLS)
    assert service.record_checkout(session, payment_id=payment.id, seen=seen("authorised"), now=NOW).state is State.AUTHORISED
    return payment, coops, parts


def take(session, payment, amounts) -> Money:
    return service.decide_capture(session, payment_id=payment.id, amounts=amounts, actor=DESK, now=NOW)


def whole(parts) -> dict:
    return {part.subject: Amounts(part.goods, part.premium, part.charges, part.tax) for part in parts}


@pytest.mark.parametrize(("more", "back"), [(300, (200, 100)), (1, (1, 0))])
def test_what_came_above_the_price_goes_back_and_each_co_op_keeps_its_own_price(session, kept, more, back):
    payment, coops, parts = kept
    assert take(session, payment, whole(parts)).minor == 15_000
    found = paid(session, payment, 15_000 + more)
    assert (found.state, found.refunded.minor) == (State.SUCCEEDED, more)
    assert shares(session, payment) == {coop.id: ("surplus", minor) for coop, minor in zip(coops, back, strict=True) if minor}
    for one, price, part in zip(owed(session, coops), (10_000, 5_000), parts, strict=True):
        assert one["held:goods"] == part.goods.minor
        assert one["card_clearing"] - one.get("refund_payable", 0) == price
    assert books.check(session) == []


def test_of_no_component_more_is_taken_than_was_kept(session, kept):
    payment, _, parts = kept
    all_of_it = whole(parts)
    for changed in ((7201, 799, 1500, 500), (7200, 800, 1501, 499), (-1, 801, 1500, 500), (7200, 800, -1, 0)):
        with pytest.raises(CaptureTooLarge, match="than was authorised"), session.begin_nested():
            take(session, payment, all_of_it | {parts[0].subject: Amounts.of("EUR", changed)})
    with pytest.raises(CaptureTooLarge, match="each part"):
        take(session, payment, {parts[0].subject: all_of_it[parts[0].subject]})
    nothing = dict.fromkeys(all_of_it, Amounts.of("EUR", (0, 0, 0, 0)))
    with pytest.raises(CaptureTooLarge, match="let the authorisation go"), session.begin_nested():
        take(session, payment, nothing)
    assert take(session, payment, all_of_it).minor == 15_000
    with pytest.raises(AuthorisationDecided):
        take(session, payment, all_of_it)
