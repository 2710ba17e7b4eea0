"""The payment tasks over the real gateways and the simulator: they do it, they do it twice, they wait."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from market.gateways.stripe_cards import StripeCards
from market.gateways.stripe_transfers import StripeTransfers
from market.http.db import unit_of_work
from market.kernel.actor import system
from market.kernel.money import Money
from market.ledger import queries as books
from market.ledger import service as ledger
from market.ledger.rules import Entry, legs
from market.payments import queries, service
from market.payments.models import ProcessorLine
from market.payments.rules import Amounts
from market.payouts import queries as payouts
from market.payouts import service as payout_service
from market.payouts.errors import ReversalRefused
from market.payouts.ports import Accepted, TransferOrder
from market.payouts.queries import reversals
from market.ports import Ports
from market.treasury import service as treasury
from market.treasury import share_queries
from market.treasury.errors import AmountRefused, NotOpen, SecondPerson
from tests.domain.payments.reading import balances
from tests.factories.payments import make_part, make_payment
from tests.factories.payouts import approved_run, only_payout, owe
from tests.factories.producers import make_coop, make_payee_account, make_producer
from tests.stripe_server import KEY, SECRET, StripeServer
from workers import payments as tasks
from workers import payouts as payout_tasks

ACCOUNT = "acct_worker0001"
TODAY = datetime.now(UTC)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = StripeServer(tmp_path_factory.mktemp("stripe"))
    running.control("accounts", id=ACCOUNT)
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def real(app, server, clock, session, monkeypatch):
    """The app with the real gateways, on the present day: the simulator's clock is the machine's."""
    clock.instant = TODAY
    ports = Ports(
        cards=StripeCards(key=KEY, webhook_secret=SECRET, api_base=server.url, retries=0, timeout=5),
        transfers=StripeTransfers(key=KEY, api_base=server.url, retries=0, timeout=5),
    )
    monkeypatch.setitem(app.extensions, "ports", ports)
    yield ports
    server.control("faults/clear")


@pytest.fixture
def paid(session, real, server):
    """A paid order of a co-op: co-op, producer and payment."""
    coop = make_coop(session)
    producer = make_producer(session, coop=coop)
    payment = make_payment(session, parts=[make_part(coop)], now=TODAY, expires_at=TODAY + timedelta(hours=2))
    session.commit()
    opened = service.start_checkout(
        unit_of_work, real.cards, payment_id=payment.id, return_url="http://r", cancel_url="http://c", now=TODAY
    )
    server.pay(opened.checkout_url)
    return coop, producer, service.refresh(unit_of_work, real.cards, payment_id=payment.id, now=TODAY)


def test_a_transfer_on_the_statement_settles_its_payout_e44(session, server, paid):
    coop, producer, _ = paid
    details = {"rail": "stripe", "stripe_account": ACCOUNT, "iban": None, "bic": None, "holder": producer.name}
    make_payee_account(session, producer=producer, **details)
    owe(session, producer)
    run = approved_run(session, coop.id, now=TODAY)
    session.commit()
    payout_tasks.send(run_id=str(run.id))
    assert only_payout(session, run).state == "sent"
    for _ in range(2):
        tasks.sync_balance()
    assert only_payout(session, run).state == "settled"
    server.control("payouts")
    for _ in range(2):
        tasks.sync_balance()
    after = balances(session, coop)
    assert after["sweep_transit"] == 9825 - 6480
    assert not {"stripe:1", "suspense:s", "card_clearing", "in_transit:stripe"} & after.keys()
    assert books.check(session) == []
    assert payouts.payout(session, only_payout(session, run).id).state == "settled"


def test_a_transfer_taken_back_settles_the_claim_e22_and_without_one_it_is_a_persons(session, real, server, paid):
    coop, producer, _ = paid
    details = {"rail": "stripe", "stripe_account": ACCOUNT, "iban": None, "bic": None, "holder": producer.name}
    make_payee_account(session, producer=producer, **details)
    owe(session, producer)
    run = approved_run(session, coop.id, now=TODAY)
    session.commit()
    payout_tasks.send(run_id=str(run.id))
    tasks.sync_balance()
    payout = only_payout(session, run)
    claim = legs((f"claim:{producer.id}", "refund_cost", Money(720, "EUR")), subject=producer.id)
    book = ledger.book_of(session, coop.id)
    ledger.post(session, [Entry(book, "test", "test:claim", TODAY.date(), "test", claim)])
    session.commit()
    asked = {"actor": system("test"), "payout_id": payout.id, "reason": "broken goods", "now": TODAY}
    for minor in (721, 0, -1):
        with unit_of_work() as unit, pytest.raises(ReversalRefused, match=r"At most 7\.20 EUR"):
            payout_service.ask_back(unit, money=Money(minor, "EUR"), **asked)
    with unit_of_work() as unit:
        payout_service.ask_back(unit, money=Money(720, "EUR"), **asked)
    server.control("faults", kind="drop_after", path=".*/reversals", count=1)
    for _ in range(3):
        payout_tasks.ask_back(real.transfers)
    (row,) = reversals.reversals(session, payout.id)
    assert (row.state, row.money.minor) == ("accepted", 720)
    with unit_of_work() as unit, pytest.raises(ReversalRefused, match=r"At most 0\.00 EUR"):
        payout_service.ask_back(unit, money=Money(720, "EUR"), **asked)  # the books do not show the first yet
    for _ in range(2):
        tasks.sync_balance()
    assert reversals.can_be_asked_back(session, payout.id) == Money(0, "EUR")
    order = TransferOrder(payout.id, "po-x-v1", payout.reference, payout.money, {"stripe_account": ACCOUNT}, "g")
    transfer = server.effects("transfer")[-1]["id"]
    assert isinstance(real.transfers.reverse(order, transfer, Money(100, "EUR")), Accepted)
    for _ in range(2):
        tasks.sync_balance()
    after = balances(session, coop)
    assert (after.get(f"claim:{producer.id}", 0), after.get("suspense:s", 0)) == (0, 0)
    (row,) = session.scalars(
        select(ProcessorLine).where(ProcessorLine.state == "unknown", ProcessorLine.kind == "transfer_refund")
    )
    assert row.gross_minor == 100
    assert books.check(session) == []


@pytest.mark.parametrize(("kind", "state"), [("drop_after", "accepted"), ("drop_before", "refused")])
def test_after_23_hours_it_is_asked_what_became_of_a_transfer_taken_back(session, real, server, clock, paid, kind, state):
    """Workers stood still for a day after a call whose answer was lost: the key is forgotten, nothing is sent again."""
    coop, producer, _ = paid
    details = {"rail": "stripe", "stripe_account": ACCOUNT, "iban": None, "bic": None, "holder": producer.name}
    make_payee_account(session, producer=producer, **details)
    owe(session, producer)
    run = approved_run(session, coop.id, now=TODAY)
    claim = legs((f"claim:{producer.id}", "refund_cost", Money(720, "EUR")), subject=producer.id)
    ledger.post(session, [Entry(ledger.book_of(session, coop.id), "test", "test:claim", TODAY.date(), "test", claim)])
    session.commit()
    payout_tasks.send(run_id=str(run.id))
    payout, before = only_payout(session, run), len(server.effects("transfer_reversal"))
    with unit_of_work() as unit:
        payout_service.ask_back(
            unit, actor=system("test"), payout_id=payout.id, money=Money(720, "EUR"), reason="broken goods", now=TODAY
        )
    server.control("faults", kind=kind, path=".*/reversals", count=1)
    payout_tasks.ask_back(real.transfers)
    server.control("forget_keys")
    clock.instant = TODAY + timedelta(hours=25)
    for _ in range(2):
        payout_tasks.ask_back(real.transfers)
    (row,) = reversals.reversals(session, payout.id)
    assert (row.state, len(server.effects("transfer_reversal")) - before) == (state, int(state == "accepted"))


def test_a_co_op_has_its_share_transferred_to_its_own_account(session, real, server, paid):
    coop, _, _ = paid
    tasks.sync_balance()
    first, second = {"actor": system("a"), "now": TODAY}, {"actor": system("b"), "now": TODAY}
    known = treasury.propose_recipient(session, coop_id=coop.id, account=ACCOUNT, **first)
    with pytest.raises(NotOpen):
        treasury.propose_share(session, coop_id=coop.id, money=Money(100, "EUR"), **first)
    with pytest.raises(SecondPerson):
        treasury.decide_recipient(session, recipient_id=known, agreed=True, **first)
    treasury.decide_recipient(session, recipient_id=known, agreed=True, **second)
    with pytest.raises(AmountRefused, match=r"At most 98\.25 EUR"):
        treasury.propose_share(session, coop_id=coop.id, money=Money(9826, "EUR"), **first)
    more = [treasury.propose_share(session, coop_id=coop.id, money=Money(9000, "EUR"), **first) for _ in range(2)]
    treasury.decide_share(session, share_id=more[0], agreed=True, **second)
    with pytest.raises(AmountRefused, match=r"At most 8\.25 EUR"):
        treasury.decide_share(session, share_id=more[1], agreed=True, **second)
    payout_service.stop(session, coop_ids=[coop.id], found_in="test", evidence="test", now=TODAY)
    session.commit()
    server.control("fund", amount=20_000, currency="eur")  # other tests took what was there
    payout_tasks.send_shares(real.transfers)
    assert share_queries.free_share(session, coop.id, "EUR").minor == 825
    assert not any(one.answer for one in share_queries.shares(session, coop.id)), "nothing is sent while payouts are stopped"
    payout_service.lift(session, actor=system("b"), coop_id=coop.id, why="compared with the statement", now=TODAY)
    session.commit()
    server.control("faults", kind="drop_after", path="/v1/transfers", count=1)
    for _ in range(3):
        payout_tasks.send_shares(real.transfers)
    (made,) = [one for one in server.effects("transfer") if one["metadata"]["payout_id"] == str(more[0])]
    for _ in range(2):
        tasks.sync_balance()
    after = balances(session, coop)
    assert (after["stripe:1"], after["own_transit"], after.get("suspense:s", 0)) == (825, 9000, 0)
    sent = {one.id: (one.state, one.answer) for one in share_queries.shares(session, coop.id)}
    assert sent == {more[0]: ("booked", made["id"]), more[1]: ("proposed", None)}
    assert books.check(session) == []


def test_a_refund_is_sent_by_its_task_once_whatever_is_lost(session, server, paid):
    coop, _, payment = paid
    part = queries.parts(session, payment.id)[0]
    amounts = Amounts.of("EUR", (720, 80, 150, 50))
    with unit_of_work() as unit:
        refund = service.refund(
            unit, payment_id=payment.id, subject=part.subject, amounts=amounts, reason="Broken", bearer="coop",
            actor=system("test"), now=TODAY,
        )  # fmt: skip
    server.control("faults", kind="drop_after", path="/v1/refunds", count=1)
    for _ in range(3):
        tasks.send_refund(refund_id=str(refund.id))
    assert queries.refund(session, refund.id).state == "paid"
    assert len([e for e in server.effects("refund") if e["metadata"]["refund_id"] == str(refund.id)]) == 1
    tasks.sync_balance()
    assert "refund_payable" not in balances(session, coop)


def test_the_sweep_and_the_comparison_find_what_no_delivery_brought(session, real, server):
    coop = make_coop(session)
    payment = make_payment(session, parts=[make_part(coop)], now=TODAY, expires_at=TODAY + timedelta(hours=2))
    session.commit()
    opened = service.start_checkout(
        unit_of_work, real.cards, payment_id=payment.id, return_url="http://r", cancel_url="http://c", now=TODAY
    )
    server.pay(opened.checkout_url)
    assert tasks.compare_events() >= 4
    assert tasks.compare_events() == 0
    assert tasks.sweep()["events"] >= 4
    assert queries.payment(session, payment.id).is_paid


def test_without_an_answer_the_tasks_wait(session, server):
    server.control("faults", kind="drop_before", path="/v1/.*", method="GET")
    assert tasks.sync_balance() == 0
    with unit_of_work() as unit:
        found = queries.unexplained_lines(unit)
    assert found == []
